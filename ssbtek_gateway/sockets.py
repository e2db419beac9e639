"""Listening addresses that several processes answer on, each on a socket of its own. Standard library only."""

from __future__ import annotations

import socket


def claim(host: str, port: int, processes: int) -> tuple[socket.socket, list[socket.socket]]:
    """What keeps the address ours, and a bound socket for each process. Port 0 takes any free one, the same for all.

    A name means its IPv4 address. Raises `OSError`, whose `strerror` names the address, where it is taken or not ours.
    """
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
