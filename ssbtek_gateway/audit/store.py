"""The audit database: one writer that commits what many questions wait for in one durable transaction.

The writer is a thread of its own over the plain driver: one hand-over a group. An asynchronous one hands over at every
step and cost three times as much a row (docs/decisions/0003).
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from ssbtek_gateway import metrics
from ssbtek_gateway.audit import AuditError, chain, schema

if TYPE_CHECKING:
    from ssbtek_gateway.audit.backend import Backend, Driver
    from ssbtek_gateway.audit.chain import Chain, ChainKey, Tail
    from ssbtek_gateway.audit.record import Row

    Waiting = tuple[Row, asyncio.Future[None]]

_LARGEST_GROUP = 200
# A disk that hangs must not hold questions, or a stop, for ever.
_SECONDS = 10
# Between two tries, where nothing can be written and nobody asks.
_RETRY_SECONDS = 1
# As many as the gateway can have questions and refusals at once, and more: what waits beyond that, nobody waits for.
_MOST_WAITING = 5000
# After so long a connection may have been ended from the other side.
_RESTED_SECONDS = 1


class AuditStore:
    """An append-only record, its tables created where there are none, whose rows are chained under `key`.

    Raises `AuditError` where it cannot be opened, or is of another revision or key.

    Make it on the running event loop and close it there.
    """

    def __init__(self, backend: Backend, key: ChainKey) -> None:
        schema.ensure(backend, key)
        self._backend = backend
        self._key = key
        self._loop = asyncio.get_running_loop()
        self._closed = False
        # Since when nothing can be written, and the kind of error; None while all is well.
        self.failing: tuple[datetime, str] | None = None
        # The writer, and how far it has come on disk. Replaced by its thread, read by any.
        self.place: tuple[str, Tail] | None = None
        # The writer: its connection, how far it has come, and when it last wrote.
        self._kept: tuple[Driver, Chain, float] | None = None
        self._waiting: SimpleQueue[Waiting | None] = SimpleQueue()
        self._writer = Thread(target=self._write_groups, name="audit writer", daemon=True)
        self._writer.start()

    async def append(self, row: Row) -> None:
        """Return when `row` is on disk. Raises `AuditError` where it cannot be."""
        if self._closed:
            raise AuditError("the gateway is stopping")
        if self._waiting.qsize() >= _MOST_WAITING:
            raise AuditError("too many rows wait")
        done = self._loop.create_future()
        self._waiting.put((row, done))
        try:
            async with asyncio.timeout(_SECONDS):
                await done
        except TimeoutError:
            metrics.AUDIT_FAILURES.inc("late")
            # If it is being written it may still come to be, which harms nothing: nobody relies on it.
            self._fails("not on disk in time")
            raise AuditError("not on disk in time") from None

    async def close(self) -> None:
        """Write what waits, then end the writer."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._writer.join, _SECONDS)

    def _write_groups(self) -> None:
        while (group := self._next_group()) is not None:
            # Those who stopped waiting were told that it is not on disk.
            group = [(row, done) for row, done in group if not done.done()]
            error: AuditError | None = None
            try:
                if group:
                    started = monotonic()
                    self._commit([row for row, _ in group])
                    metrics.AUDIT_COMMIT_SECONDS.observe(monotonic() - started)
                    metrics.AUDIT_GROUP_ROWS.observe(len(group))
                elif self.failing:
                    self._try_to_write()
                self.failing = None
            except Exception as cause:  # noqa: BLE001 - whatever it was, those who wait must hear of it
                # By its name alone: drivers show values. The next group tries anew, so that service resumes by itself
                # when the store does.
                error = cause if isinstance(cause, AuditError) else AuditError(type(cause).__name__)
                self._fails(str(error))
                if group:
                    metrics.AUDIT_FAILURES.inc("commit")
            self._loop.call_soon_threadsafe(_settle, group, error)
        if self._kept is not None:
            self._kept[0].close()

    def _fails(self, kind: str) -> None:
        self.failing = self.failing or (datetime.now(UTC), kind)

    def _try_to_write(self) -> None:
        """A write to disk that changes nothing: no questions come to a gateway that says it cannot answer them."""
        with closing(self._backend.connect()) as connection:
            connection.execute(self._backend.probe)

    def _commit(self, rows: list[Row]) -> None:
        # A connection and its chain are kept only where all went well. A new connection is a new writer: whether the
        # rows that failed are there or not, their chain is whole.
        connection, chained = self._taken() or (self._backend.connect(), None)
        try:
            if chained is None:
                chained = chain.begin(connection, self._backend, self._key)
                self._backend.insert(connection, chained.link(rows))
                connection.execute("COMMIT")
            else:
                self._backend.insert(connection, chained.link(rows))
        except BaseException:
            connection.close()
            raise
        self._kept = connection, chained, monotonic()
        self.place = chained.place

    def _taken(self) -> tuple[Driver, Chain] | None:
        """The writer that is kept, if its connection still works; no row is risked on one that may not."""
        if self._kept is None:
            return None
        (connection, chained, used), self._kept = self._kept, None
        if monotonic() - used > _RESTED_SECONDS:
            try:
                connection.execute("SELECT 1")
            except Exception:  # noqa: BLE001 - each driver has its own
                connection.close()
                return None
        return connection, chained

    def _next_group(self) -> list[Waiting] | None:
        """What waits; nothing, where nobody asked for a while; None at the end."""
        try:
            first = self._waiting.get(timeout=_RETRY_SECONDS)
        except Empty:
            return []
        if first is None:
            return None
        group = [first]
        try:
            while len(group) < _LARGEST_GROUP:
                more = self._waiting.get_nowait()
                if more is None:
                    self._waiting.put(None)  # the end, once this group is written
                    break
                group.append(more)
        except Empty:
            pass
        return group


def _settle(group: list[Waiting], error: AuditError | None) -> None:
    for _, done in group:
        if done.done():  # whoever waited has gone
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
