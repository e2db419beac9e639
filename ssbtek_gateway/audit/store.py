"""The audit as the gateway sees it: a row is durable when `append` returns. A process of its own writes (writer.py)."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from ssbtek_gateway import metrics
from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.audit.chain import Tail
from ssbtek_gateway.audit.record import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ssbtek_gateway.audit.backend import Backend
    from ssbtek_gateway.audit.chain import ChainKey
    from ssbtek_gateway.audit.record import Row

_LOG = structlog.get_logger()
# A disk that hangs must not hold questions, or a stop, for ever.
_SECONDS = 10
# As many as the gateway can have questions and refusals at once, and more: what waits beyond that, nobody waits for.
_MOST_WAITING = 5000
# Between two tries to start a writer that has ended.
_RETRY_SECONDS = 1
_LATE = "not on disk in time"
_ENDED = "the writer has ended"
_VALUES = itemgetter(*COLUMNS)


class AuditStore:
    """An append-only record, its tables created where there are none, whose rows are chained under `key`.

    `open` it on the running event loop and close it there.
    """

    def __init__(self, backend: Backend, key: ChainKey) -> None:
        self._settings = json.dumps([type(backend).__name__, backend.fields(), key.key.hex()]).encode() + b"\n"
        self._closed = False
        self._writer: _Writer | None = None
        self._keeping: asyncio.Task[None] | None = None
        # Since when nothing can be written, and the kind of error; None while all is well.
        self.failing: tuple[datetime, str] | None = None
        # The writer, and how far it has come on disk.
        self.place: tuple[str, Tail] | None = None

    @classmethod
    async def open(cls, backend: Backend, key: ChainKey) -> AuditStore:
        """Raises `AuditError` where it cannot be opened, or is of another revision or key."""
        store = cls(backend, key)
        store._writer = await _started(store._settings, store._committed)
        store._keeping = asyncio.create_task(store._keep())
        return store

    @property
    def pid(self) -> int | None:
        """Of the process that writes now."""
        return self._writer.pid if self._writer else None

    async def append(self, row: Row) -> None:
        """Return when `row` is on disk. Raises `AuditError` where it cannot be."""
        if self._closed:
            raise AuditError("the gateway is stopping")
        if self._writer is None:
            raise AuditError(_ENDED)
        try:
            await self._writer.write(row)
        except TimeoutError:
            metrics.AUDIT_FAILURES.inc("late")
            self._fails(_LATE)
            # It may still come to be written, which harms nothing: nobody relies on it.
            raise AuditError(_LATE) from None

    async def close(self) -> None:
        """Write what waits, then end the writer."""
        self._closed = True
        if self._keeping is not None:
            self._keeping.cancel()
        if self._writer is not None:
            await self._writer.end()

    async def _keep(self) -> None:
        """Whenever the writer has ended, start another; service resumes by itself."""
        while True:
            if self._writer is not None:
                ended = self._writer
                await ended.ended.wait()
                self._writer = None
                self._fails(_ENDED)
                await ended.end()
                _LOG.error("audit writer ended")
            with suppress(AuditError, OSError):
                self._writer = await _started(self._settings, self._committed)
                self.failing = None
                continue
            await asyncio.sleep(_RETRY_SECONDS)

    def _committed(self, rows: int, error: str | None, seconds: float, place: list[Any] | None = None) -> None:
        """What the writer tells of a group, or of a try of its own where `rows` is 0."""
        if error is None:
            self.failing = None
            if place is not None:
                writer, seq, mac = place
                self.place = writer, Tail(seq, mac)
            if rows:
                metrics.AUDIT_COMMIT_SECONDS.observe(seconds)
                metrics.AUDIT_GROUP_ROWS.observe(rows)
        else:
            self._fails(error)
            if rows:
                metrics.AUDIT_FAILURES.inc("commit")

    def _fails(self, kind: str) -> None:
        if not self._closed:
            self.failing = self.failing or (datetime.now(UTC), kind)


class _Writer(asyncio.Protocol):
    """The process, and what waits for it: its answers come in the order in which rows went out."""

    def __init__(self, process: subprocess.Popen[bytes], committed: Callable[..., None]) -> None:
        self.pid = process.pid
        self._process = process
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._out: list[bytes] = []
        # Why the record cannot be opened, or None.
        self.opened: asyncio.Future[str | None] = self._loop.create_future()
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # what is connected here
        self._transport = transport

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    async def write(self, row: Row) -> None:
        """Raises `TimeoutError` where it is not on disk in time, and `AuditError`."""
        if len(self._waiting) >= _MOST_WAITING:
            raise AuditError("too many rows wait")
        try:
            line = orjson.dumps(_VALUES(row))
        except orjson.JSONEncodeError:
            raise AuditError("a value that UTF-8 cannot hold") from None
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(line)
        if not self._waiting:
            self._loop.call_later(_SECONDS, self._expire)
        done = self._loop.create_future()
        self._waiting.append((self._loop.time() + _SECONDS, done))
        await done

    def _flush(self) -> None:
        """All rows of this turn of the loop in one write."""
        if self._out:  # else `end` has done so
            self._transport.write(b"\n".join([*self._out, b""]))
            self._out.clear()

    def _expire(self) -> None:
        now = self._loop.time()
        for deadline, done in self._waiting:
            if deadline > now:
                self._loop.call_at(deadline, self._expire)
                return
            if not done.done():
                done.set_exception(TimeoutError())

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if not self.opened.done():
                self.opened.set_result(told)
                continue
            rows, error = told[:2]
            self._committed(*told)
            for _ in range(rows):
                _settle(self._waiting.popleft()[1], error)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.opened.done():
            self.opened.set_result(_ENDED)
        self._committed(0, _ENDED, 0)
        while self._waiting:
            _settle(self._waiting.popleft()[1], _ENDED)
        self.ended.set()

    async def end(self) -> None:
        """Have it write what waits; kill it where it does not come to an end."""
        if not self._transport.is_closing():
            self._flush()
            self._transport.write_eof()
        try:
            async with asyncio.timeout(_SECONDS):
                await self.ended.wait()
        except TimeoutError:
            self._process.kill()
        self._transport.close()
        await asyncio.to_thread(self._process.wait)


def _settle(done: asyncio.Future[None], error: str | None) -> None:
    if done.done():  # whoever waited has gone
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(AuditError(error))


async def _started(settings: bytes, committed: Callable[..., None]) -> _Writer:
    """A writer that has opened the record. Raises `AuditError`, or `OSError` where there can be no process."""
    ours, theirs = socket.socketpair()
    with theirs:
        descriptor = theirs.fileno()
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - a moment, and our own program
            (sys.executable, "-P", "-m", "ssbtek_gateway.audit.writer", str(descriptor)),
            stdin=subprocess.DEVNULL,
            pass_fds=[descriptor],
        )
    _, writer = await asyncio.get_running_loop().create_connection(lambda: _Writer(process, committed), sock=ours)
    # By the socket: everybody can read a process's arguments.
    writer.send(settings)
    error = await writer.opened
    if error is not None:
        await writer.end()
        raise AuditError(error)
    return writer
