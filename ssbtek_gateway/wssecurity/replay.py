"""Messages that have been taken, so that none is taken twice: not after a restart either, nor by another process.

The store is a table of its own in the audit's database, or an SQLite file beside the audit's; all processes share it.
Only what a believed signer signed comes here, so nobody else can fill it. Messages that arrive together share a
transaction. A row is of no use a day after its message has expired, so no migration ever needs to keep one.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.wssecurity.names import SecurityError
from ssbtek_gateway.wssecurity.timestamp import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ssbtek_gateway.audit.backend import Backend, Driver

# `mark` is 64 hexadecimal digits, `expires` seconds since 1970, UTC.
_CREATE = (
    "CREATE TABLE IF NOT EXISTS ws_security_replay (mark TEXT PRIMARY KEY, expires BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_ws_security_replay_expires ON ws_security_replay (expires)",
)
# A row comes back only where it was put in.
_INSERT = "INSERT INTO ws_security_replay (mark, expires) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING expires"
_PURGE = "DELETE FROM ws_security_replay WHERE expires < ?"
# A clock that was put forward by a day, and back again, must not have made us forget.
_KEPT = timedelta(hours=25)
_PURGE_SECONDS = 60
_ATTEMPTS, _ATTEMPT_SECONDS = 10, 0.1
# A database that hangs must not hold questions for ever.
_SECONDS = 10


def shared(audit: Backend) -> Backend:
    """Where all processes remember, given where the first of them keeps the audit: with SQLite a file of their own."""
    return Sqlite(Path(f"{audit.path}.replay")) if isinstance(audit, Sqlite) else audit


class ReplayStore:
    """Make it on the running event loop and close it there. Raises `AuditError` where it cannot be opened."""

    def __init__(self, backend: Backend, clock: Callable[[], datetime] = utc_now) -> None:
        self._backend = backend
        self._clock = clock
        # The connection stays with the thread that made it, and is kept while all goes well.
        self._thread = ThreadPoolExecutor(1, "replay store")
        self._kept: Driver | None = None
        self._waiting: list[tuple[tuple[str, int], asyncio.Future[bool]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._purged = -float(_PURGE_SECONDS)
        self._thread.submit(self._create).result()

    async def remember(self, mark: str, expires: datetime) -> None:
        """Return once it is on disk that this message was taken.

        Raises `SecurityError` where it was before, and `AuditError` where nobody can tell.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(((mark, int(expires.timestamp())), done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        try:
            async with asyncio.timeout(_SECONDS):
                is_new = await done
        except TimeoutError:
            raise AuditError("the replay store is not on disk in time") from None
        if not is_new:
            raise SecurityError("FailedCheck", "the message was taken before")

    async def close(self) -> None:
        """Give the connection back. Nobody may be waiting."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._release)
        self._thread.shutdown(wait=False)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        results: Sequence[bool | AuditError]
        while self._waiting:
            # Sorted, so that two processes never wait for each other's rows.
            group, self._waiting = sorted(self._waiting, key=lambda waiting: waiting[0]), []
            try:
                results = await loop.run_in_executor(self._thread, self._commit, [row for row, _ in group])
            except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must hear of it
                results = [AuditError(f"the replay store cannot be written: {type(error).__name__}")] * len(group)
            for (_, done), result in zip(group, results, strict=True):
                if done.done():  # whoever waited has gone
                    continue
                if isinstance(result, bool):
                    done.set_result(result)
                else:
                    done.set_exception(result)

    def _create(self) -> None:
        # Several processes may start at once, and neither database lets the others wait until one has made the table.
        for left in reversed(range(_ATTEMPTS)):
            try:
                with closing(self._backend.connect()) as connection:
                    if not _is_there(connection):
                        for statement in _CREATE:
                            connection.execute(statement)
            except AuditError:
                raise
            except Exception as error:  # noqa: BLE001 - each driver has its own
                if not left:
                    raise AuditError(f"the replay store cannot be opened: {type(error).__name__}") from None
                sleep(_ATTEMPT_SECONDS)
            else:
                return

    def _commit(self, rows: list[tuple[str, int]]) -> list[bool]:
        """For each row whether it is new."""
        connection = self._taken()
        try:
            connection.execute("BEGIN")
            new = [connection.execute(self._sql(_INSERT), row).fetchone() is not None for row in rows]
            if monotonic() - self._purged > _PURGE_SECONDS:
                self._purged = monotonic()
                connection.execute(self._sql(_PURGE), (int((self._clock() - _KEPT).timestamp()),))
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._kept = connection
        return new

    def _taken(self) -> Driver:
        """The connection that is kept, if it still works, or a new one."""
        if self._kept is not None:
            try:
                self._kept.execute("SELECT 1")
            except Exception:  # noqa: BLE001 - each driver has its own
                self._release()
        connection, self._kept = self._kept, None
        return connection or self._backend.connect()

    def _release(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _sql(self, statement: str) -> str:
        return statement.replace("?", self._backend.mark)


def _is_there(connection: Driver) -> bool:
    """Whether somebody has made the table: a role that may make none can still use it."""
    try:
        connection.execute("SELECT 1 FROM ws_security_replay WHERE expires = 0")
    except Exception:  # noqa: BLE001 - each driver has its own
        return False
    return True
