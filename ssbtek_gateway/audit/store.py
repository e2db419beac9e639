"""The audit database: one writer that commits what many questions wait for in one durable transaction."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from ssbtek_gateway.audit.record import METADATA, ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from ssbtek_gateway.audit.record import Row

_LARGEST_GROUP = 200


class AuditError(Exception):
    """The row is not durable; nothing may happen that relies on it."""


class AuditStore:
    """An append-only SQLite file. Open it on the running event loop with `start`, end it with `close`."""

    def __init__(self, database: Path) -> None:
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
        event.listen(self._engine.sync_engine, "connect", _durable)
        self._waiting: asyncio.Queue[tuple[Row, asyncio.Future[None]]] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Create the table where it is missing and start the writer. Raises `AuditError`."""
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(METADATA.create_all)
        except SQLAlchemyError as error:
            await self._engine.dispose()
            raise AuditError(f"the audit database cannot be opened: {type(error).__name__}") from None
        self._writer = asyncio.create_task(self._write_groups(), name="audit writer")

    async def append(self, row: Row) -> None:
        """Return when `row` is on disk. Raises `AuditError` where it cannot be."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((row, done))
        await done

    async def close(self) -> None:
        """End the writer; rows that still wait are refused."""
        if self._writer is not None:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        while not self._waiting.empty():
            _settle(self._waiting.get_nowait()[1], AuditError("the gateway is stopping"))
        await self._engine.dispose()

    async def _write_groups(self) -> None:
        while True:
            group = [await self._waiting.get()]
            while not self._waiting.empty() and len(group) < _LARGEST_GROUP:
                group.append(self._waiting.get_nowait())
            error: AuditError | None = None
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(insert(ROWS), [row for row, _ in group])
            except SQLAlchemyError as cause:
                # The next group tries anew, so that service resumes by itself when the store does.
                error = AuditError(type(cause).__name__)
            for _, done in group:
                _settle(done, error)


def _settle(done: asyncio.Future[None], error: AuditError | None) -> None:
    if done.done():  # whoever waited has gone
        return
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
