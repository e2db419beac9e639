"""Listening addresses that several processes answer on, each on a socket of its own. Standard library only."""

from __future__ import annotations

import os
import socket
from errno import ECONNREFUSED
from pathlib import Path

# Reading and writing, which is what connecting needs, for the user and the group.
_NOBODY_ELSE = 0o117


def claim(host: str, port: int, processes: int) -> tuple[socket.socket, list[socket.socket]]:
    """What keeps the address ours, and a bound socket for each process. Port 0 takes any free one, the same for all.

    A name means its IPv4 address; a host with a slash is the file of a Unix socket, which all share. Raises `OSError`,
    whose `strerror` names the address, where it is taken or not ours.
    """
    if "/" in host:
        file = _bound_file(host)
        return file, [file.dup() for _ in range(processes)]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if port:
            # With SO_REUSEPORT a second gateway of the same user would silently get half of the connections.
            _bound(family, (host, port), socket.SO_REUSEADDR).close()
        # Never listened on and without SO_REUSEADDR, so that the test above fails also while nobody listens yet.
        keeper = _bound(family, (host, port), socket.SO_REUSEPORT)
        address = keeper.getsockname()
        shared = (socket.SO_REUSEADDR, socket.SO_REUSEPORT)
        return keeper, [_bound(family, address, *shared) for _ in range(processes)]
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None


def is_bound_to(bound: socket.socket, address: tuple[str, int]) -> bool:
    """Whether `claim` would have bound it so."""
    (host, port), name = address, bound.getsockname()
    if bound.family == socket.AF_UNIX or "/" in host:
        return bool(name == host)
    try:
        known = socket.getaddrinfo(host, None, bound.family)
    except OSError:
        return False
    return known[0][4][0] == name[0] and port in {0, name[1]}


def _bound(family: socket.AddressFamily, address: tuple[object, ...], *options: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options:
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        # Inherited by each connection: no answer waits for an acknowledgement of the part before.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _bound_file(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(_NOBODY_ELSE)
    try:
        _remove_left(Path(path))
        made.bind(path)
    except OSError as error:
        made.close()
        raise OSError(error.errno, f"cannot listen on {path}: {error.strerror}") from None
    finally:
        os.umask(mask)
    return made


def _remove_left(path: Path) -> None:
    """Remove the socket of a process that is gone; one that somebody listens on stays."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(0)
            if probe.connect_ex(str(path)) == ECONNREFUSED:
                path.unlink()
