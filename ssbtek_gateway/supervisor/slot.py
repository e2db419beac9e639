"""The place of one worker: its sockets, which outlive it, its process, and what it tells of itself."""

from __future__ import annotations

import asyncio
import json
import socket
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from functools import partial
from signal import SIGKILL, SIGTERM
from time import monotonic
from typing import TYPE_CHECKING

from ssbtek_gateway.health import Seen, State
from ssbtek_gateway.supervisor import metrics
from ssbtek_gateway.supervisor.log import log
from ssbtek_gateway.supervisor.plan import PYTHON

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from ssbtek_gateway.supervisor.plan import Plan

# From the start of a process to its first heartbeat, on a machine that is busy with other things.
_START_SECONDS = 60
# Between a worker's end and the next one's start: the first pause, doubled up to the longest while they die at once.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
_TICK_SECONDS = 1.0
_HEARTBEAT_BYTES = 65_536


class Slot:
    """Make it on the running event loop; `stop` is set when no worker is to be started any more."""

    def __init__(self, number: int, sockets: list[socket.socket], plan: Plan, stop: asyncio.Event) -> None:
        self._number = number
        self._sockets = sockets
        self._plan = plan
        self._stop = stop
        self._process: Process | None = None
        self._state: State | None = None
        self._heard = monotonic()

    @property
    def seen(self) -> Seen:
        return Seen(self._number, self._state, monotonic() - self._heard)

    def signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def keep(self) -> None:
        """Have a worker here until the stop; return before only where the very first cannot be started."""
        pause = _FIRST_PAUSE
        while True:
            began = monotonic()
            code = await self._one_life()
            if self._stop.is_set():
                return
            log("worker ended", worker=self._number, code=code)
            if self._state is None:
                return
            pause = _FIRST_PAUSE if monotonic() - began > _LONGEST_PAUSE else pause
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
                return
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _one_life(self) -> int | str:
        """A worker from its start to its end: its exit code, or why there is none."""
        try:
            process, heartbeat = await self._start()
        except OSError as error:
            return error.strerror or type(error).__name__
        with heartbeat:
            self._process = process
            if self._stop.is_set():
                self.signal(SIGTERM)
            await self._hear(heartbeat)
        code = await process.wait()
        await metrics.forget(process.pid)
        return code

    async def _start(self) -> tuple[Process, socket.socket]:
        # Keeps messages apart, and never makes the worker wait: it drops a heartbeat for which there is no room.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(0)
        with theirs:
            descriptors = [theirs.fileno(), *(one.fileno() for one in self._sockets)]
            told = map(str, (self._plan.config, self._number, *descriptors))
            try:
                # A group of its own: Ctrl-C reaches the supervisor only, which then stops the workers in order.
                process = await asyncio.create_subprocess_exec(
                    *PYTHON, "ssbtek_gateway.worker", *told, stdin=DEVNULL, pass_fds=descriptors, process_group=0
                )
            except OSError:
                ours.close()
                raise
        return process, ours

    async def _hear(self, heartbeat: socket.socket) -> None:
        """Take heartbeats until the worker ends; kill it where none comes for too long."""
        silent, limit = 0.0, max(_START_SECONDS, self._plan.hung_seconds)
        receive = partial(asyncio.get_running_loop().sock_recv, heartbeat, _HEARTBEAT_BYTES)
        # Waited for, never cancelled by a limit: one that comes just then would be lost.
        coming = asyncio.create_task(receive())
        while silent < limit:
            if not (await asyncio.wait([coming], timeout=_TICK_SECONDS))[0]:
                # Counted in waits, not by a clock: where this process or the machine was stopped, no worker hung.
                silent += _TICK_SECONDS
                continue
            if not (told := coming.result()):
                return
            self._state, self._heard = json.loads(told), monotonic()
            silent, limit = 0.0, self._plan.hung_seconds
            coming = asyncio.create_task(receive())
        coming.cancel()
        log("worker hangs and is killed", worker=self._number, seconds=limit)
        self.signal(SIGKILL)
