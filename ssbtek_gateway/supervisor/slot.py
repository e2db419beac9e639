"""The place of one worker: its sockets, which outlive it, its process, and what it tells of itself.

A reload puts a new worker in the place beside the old one, which then finishes what it was asked. Whatever the files
say is checked by building a whole worker of them, and where that fails nothing has changed.
"""

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


class Life:
    """One worker, from its start to its end. Make it on the running event loop."""

    def __init__(self, number: int, sockets: list[socket.socket], plan: Plan) -> None:
        self._number = number
        self._sockets = sockets
        self._plan = plan
        self._process: Process | None = None
        self._signalled: int | None = None
        self.state: State | None = None
        self.began = self.heard = monotonic()
        self.answers = asyncio.Event()
        """Set by the first heartbeat."""
        self.end = asyncio.create_task(self._live())
        """Gives the exit code, or why the process could not be started."""

    def signal(self, number: int) -> None:
        self._signalled = number
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def retire(self) -> None:
        """Let it finish what it was asked."""
        self.signal(SIGTERM)
        if not (await asyncio.wait([self.end], timeout=self._plan.stop_seconds))[0]:
            self.signal(SIGKILL)

    async def _live(self) -> int | str:
        try:
            process, heartbeat = await self._start()
        except OSError as error:
            return error.strerror or type(error).__name__
        with heartbeat:
            self._process = process
            if self._signalled is not None:
                self.signal(self._signalled)
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
            self.state, self.heard = json.loads(told), monotonic()
            self.answers.set()
            silent, limit = 0.0, self._plan.hung_seconds
            coming = asyncio.create_task(receive())
        coming.cancel()
        log("worker hangs and is killed", worker=self._number, seconds=limit)
        self.signal(SIGKILL)


class Slot:
    """Make it on the running event loop; `stop` is set when no worker is to be started any more."""

    def __init__(self, number: int, sockets: list[socket.socket], plan: Plan, stop: asyncio.Event) -> None:
        self._number = number
        self._stop = stop
        self._new = partial(Life, number, sockets, plan)
        # Also those that were replaced and finish what they were asked, and one that is to replace.
        self._lives: set[Life] = set()
        self._life = self._born()

    @property
    def seen(self) -> Seen:
        return Seen(self._number, self._life.state, monotonic() - self._life.heard)

    def signal(self, number: int) -> None:
        for life in self._lives:
            life.signal(number)

    async def keep(self) -> None:
        """Have a worker here until the stop; return before only where the very first cannot be started."""
        pause = _FIRST_PAUSE
        has_answered = False
        while True:
            life = self._life
            # Looked at again and again, for another may have been put in its place.
            await asyncio.wait([life.end], timeout=_TICK_SECONDS)
            if self._stop.is_set():
                await asyncio.gather(*(one.end for one in self._lives))
                return
            has_answered |= life.answers.is_set()
            if life is not self._life or not life.end.done():
                continue
            log("worker ended", worker=self._number, code=life.end.result())
            if not has_answered:
                return
            pause = _FIRST_PAUSE if monotonic() - life.began > _LONGEST_PAUSE else pause
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
                continue
            pause = min(2 * pause, _LONGEST_PAUSE)
            if life is self._life:
                self._life = self._born()

    async def renew(self) -> Life | None:
        """Put a new worker in the place of the one here, and return that one: still to be retired.

        None, and nothing has changed, where the new one cannot be built.
        """
        new = self._born()
        answers = asyncio.create_task(new.answers.wait())
        await asyncio.wait([answers, new.end], return_when=asyncio.FIRST_COMPLETED)
        answers.cancel()
        if new.end.done():
            return None
        old, self._life = self._life, new
        return old

    def _born(self) -> Life:
        life = self._new()
        self._lives.add(life)
        life.end.add_done_callback(lambda _: self._lives.discard(life))
        return life
