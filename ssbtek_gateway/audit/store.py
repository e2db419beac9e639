"""The audit database: one writer that commits what many questions wait for in one durable transaction.

The writer is a thread of its own over SQLAlchemy's plain engine: one hand-over a group. An asynchronous engine hands
over at every step and cost three times as much a row (docs/decisions/0003).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, insert, inspect
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

from ssbtek_gateway import metrics
from ssbtek_gateway.audit import chain
from ssbtek_gateway.audit.record import METADATA, ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine, PoolProxiedConnection

    from ssbtek_gateway.audit.chain import Chain, ChainKey
    from ssbtek_gateway.audit.record import Row

    Waiting = tuple[Row, asyncio.Future[None]]

_LARGEST_GROUP = 200
# A disk that hangs must not hold questions, or a stop, for ever.
_SECONDS = 10
# Between two tries, where nothing can be written and nobody asks.
_RETRY_SECONDS = 1
_COLUMNS = [column.name for column in ROWS.columns if column.name != "id"]
_INSERT = str(insert(ROWS).compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=_COLUMNS))


def database_of(database: Path, worker: int) -> Path:
    """The file that a worker writes: the first one `database` itself, the others `NAME.2.sqlite` … beside it."""
    return database if worker == 1 else database.with_name(f"{database.stem}.{worker}{database.suffix}")


class AuditError(Exception):
    """The row is not durable; nothing may happen that relies on it."""


class AuditStore:
    """An append-only SQLite file, created where it is missing, whose rows are chained under `key`.

    Raises `AuditError` where it cannot be opened, or was written before rows were chained.

    Make it on the running event loop and close it there.
    """

    def __init__(self, database: Path, key: ChainKey) -> None:
        self._engine = create_engine(URL.create("sqlite", database=str(database)))
        event.listen(self._engine, "connect", _durable)
        try:
            _create(self._engine)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise AuditError(f"the audit database cannot be opened: {type(error).__name__}") from None
        except AuditError:
            self._engine.dispose()
            raise
        self._key = key
        self._chain: Chain | None = None
        self._loop = asyncio.get_running_loop()
        self._closed = False
        # Since when nothing can be written, and the kind of error; None while all is well.
        self.failing: tuple[datetime, str] | None = None
        self._connection: PoolProxiedConnection | None = None
        self._waiting: SimpleQueue[Waiting | None] = SimpleQueue()
        self._writer = Thread(target=self._write_groups, name="audit writer", daemon=True)
        self._writer.start()

    async def append(self, row: Row) -> None:
        """Return when `row` is on disk. Raises `AuditError` where it cannot be."""
        if self._closed:
            raise AuditError("the gateway is stopping")
        done = self._loop.create_future()
        self._waiting.put((row, done))
        try:
            async with asyncio.timeout(_SECONDS):
                await done
        except TimeoutError:
            metrics.AUDIT_FAILURES.inc("late")
            # It may still come to be written, which harms nothing: nobody relies on it.
            self._fails("not on disk in time")
            raise AuditError("not on disk in time") from None

    async def close(self) -> None:
        """Write what waits, then end the writer."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._writer.join, _SECONDS)
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    def _write_groups(self) -> None:
        while (group := self._next_group()) is not None:
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
                # The next group tries anew, so that service resumes by itself when the store does.
                error = AuditError(type(cause).__name__)
                self._fails(type(cause).__name__)
                if group:
                    metrics.AUDIT_FAILURES.inc("commit")
            self._loop.call_soon_threadsafe(_settle, group, error)

    def _fails(self, kind: str) -> None:
        self.failing = self.failing or (datetime.now(UTC), kind)

    def _try_to_write(self) -> None:
        """A write to disk that changes nothing: no questions come to a gateway that says it cannot answer them."""
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA user_version = 0")
        finally:
            connection.close()

    def _commit(self, rows: list[Row]) -> None:
        # By the driver, on one connection: the writer shares the interpreter with the questions, which wait for what it
        # does in Python. Both are kept only where all went well. A new connection is a new writer: whether the rows
        # that failed are there or not, their chain is whole.
        connection, chained = self._connection or self._engine.raw_connection(), self._chain
        self._connection = self._chain = None
        cursor = connection.cursor()
        chained = chained or chain.begin(cursor, self._key)
        cursor.executemany(_INSERT, chained.link(rows))
        connection.commit()
        self._connection, self._chain = connection, chained

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


def _create(engine: Engine) -> None:
    there = inspect(engine)
    if there.has_table(ROWS.name) and not {column["name"] for column in there.get_columns(ROWS.name)} >= set(_COLUMNS):
        raise AuditError(
            "the audit database was written by an earlier version, without a chain: keep it as an archive, and name"
            " another file in audit.database"
        )
    METADATA.create_all(engine)


def _settle(group: list[Waiting], error: AuditError | None) -> None:
    for _, done in group:
        if done.done():  # whoever waited has gone
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def _durable(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection object
    # With a write-ahead log, FULL syncs at every commit; NORMAL would lose the last ones in a power cut.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
