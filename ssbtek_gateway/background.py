"""A command of ours in a process of its own, from when it listens until it has stopped. Standard library only."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_START_SECONDS = 60
_STOP_SECONDS = 40
# The kernel sends SIGTERM (15) when we are gone, however that came about (PR_SET_PDEATHSIG, 1): nothing is left behind.
_COMMAND = (
    "import ctypes, runpy; ctypes.CDLL(None).prctl(1, 15); "
    "runpy.run_module('ssbtek_gateway', run_name='__main__', alter_sys=True)"
)


class NotStartedError(Exception):
    """What did not start and why, in English, for whoever started it."""


@contextmanager
def running(
    what: str, arguments: tuple[str, ...], host: str, port: int, log: BinaryIO | None
) -> Iterator[subprocess.Popen[bytes]]:
    """The command, which listens on `host` and `port`; its standard error goes to `log`, or where ours goes.

    It ends with the thread that started it at the latest. Raises `NotStartedError`.
    """
    if _listens(host, port):
        raise NotStartedError(f"{what} cannot start: something already listens on {host}:{port}")
    # Without the current folder among the places that modules come from. A session of its own: Ctrl-C reaches this
    # process only, which then stops the others in order.
    process = subprocess.Popen(  # noqa: S603 - our own program, our own arguments
        (sys.executable, "-P", "-c", _COMMAND, *arguments), start_new_session=True, stderr=log
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(host, port):
            if process.poll() is not None:
                told = f"; see {log.name}" if log else ""
                raise NotStartedError(f"{what} did not start (exit code {process.returncode}){told}")
            if time.monotonic() > deadline:
                raise NotStartedError(f"{what} did not start within {_START_SECONDS} s")
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
