"""What differs between the databases that keep the audit: SQLite files and PostgreSQL."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import quote

from ssbtek_gateway import postgresql_url
from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.audit.record import COLUMNS, PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssbtek_gateway.audit.record import Row

# The newest of the scripts in migrations/; what METADATA describes.
REVISION = "1"
# The driver's own connection, in autocommit: a statement outside BEGIN and COMMIT is a transaction of its own.
Driver = Any

_COLUMNS = (*COLUMNS, *PLACE)
_VALUES = itemgetter(*_COLUMNS)


class Backend(Protocol):
    """A database; `str` of it names it to an operator."""

    dialect: ClassVar[str]
    # What stands for a value in a statement.
    mark: ClassVar[str]
    # Begins a transaction that only one connection at a time can be in.
    alone: ClassVar[str]
    # Begins a transaction that reads one moment.
    snapshot: ClassVar[str]
    # A write that changes nothing.
    probe: ClassVar[str]

    def fields(self) -> list[str | None]:
        """What another process makes the same of."""

    def check(self) -> None:
        """Raise `AuditError` where a file that it needs is missing; without connecting."""

    def connect(self) -> Driver:
        """A connection whose commits are durable."""

    def read(self) -> Driver:
        """A connection that can only read."""

    def parts(self) -> Sequence[Backend]:
        """The databases that together are the record: this one, and what other processes write beside it."""

    def insert(self, connection: Driver, rows: Sequence[Row]) -> None:
        """All of them in one statement: each statement's step hands the interpreter to the questions and back."""


def database_of(database: Path, worker: int) -> Path:
    """The file that a worker writes: the first one `database` itself, the others `NAME.2.sqlite` … beside it."""
    return database if worker == 1 else database.with_name(f"{database.stem}.{worker}{database.suffix}")


@dataclass(frozen=True, slots=True)
class Sqlite:
    """The file of one process (`database_of`)."""

    path: Path
    dialect: ClassVar[str] = "sqlite"
    mark: ClassVar[str] = "?"
    alone: ClassVar[str] = "BEGIN IMMEDIATE"
    snapshot: ClassVar[str] = "BEGIN"
    probe: ClassVar[str] = "PRAGMA user_version = 0"

    def __str__(self) -> str:
        return str(self.path)

    def fields(self) -> list[str | None]:
        return [str(self.path)]

    def check(self) -> None:
        if not self.path.parent.is_dir():
            raise AuditError(f"{self.path.parent} is no folder")

    def connect(self) -> Driver:
        connection = sqlite3.connect(self.path, isolation_level=None)
        # With a write-ahead log, FULL syncs at every commit; NORMAL would lose the last ones in a power cut.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def read(self) -> Driver:
        connection = sqlite3.connect(f"file:{quote(str(self.path))}?mode=ro", uri=True, isolation_level=None)
        # Somebody may have put in what is no text; it is to be found, not to end the reading.
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        return connection

    def parts(self) -> Sequence[Backend]:
        sibling = re.compile(rf"{re.escape(self.path.stem)}\.([1-9][0-9]*){re.escape(self.path.suffix)}")
        beside = self.path.parent.iterdir() if self.path.parent.is_dir() else ()
        numbered = {int(found[1]): path for path in beside if (found := sibling.fullmatch(path.name))}
        return [self, *(Sqlite(numbered[number]) for number in sorted(numbered))]

    def insert(self, connection: Driver, rows: Sequence[Row]) -> None:
        # A third cheaper than JSON taken apart by json_each, which besides stops at a NUL character.
        connection.execute(_insert_many(len(rows)), [value for row in rows for value in _VALUES(row)])


@cache
def _insert_many(rows: int) -> str:
    row = f"({', '.join('?' * len(_COLUMNS))})"
    return f"INSERT INTO audit ({', '.join(_COLUMNS)}) VALUES {', '.join([row] * rows)}"  # noqa: S608 - our columns


# A server that is gone does not answer when it is called, does not acknowledge what it is sent, or falls silent while
# it is waited for. An old connection and a new one must be given up within the 10 s that a row may take (the second in
# ms).
_BOUNDS: dict[str, Any] = {
    "connect_timeout": 4,
    "tcp_user_timeout": 4000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "client_encoding": "UTF8",
    "application_name": "ssbtek-gateway",
}
# Whatever the server, the database or the role are set to. A process that stops in the middle of a transaction gives
# up its lock.
_DURABLE = "-c synchronous_commit=on -c statement_timeout=4s -c idle_in_transaction_session_timeout=10s"
_TYPED = ", ".join(f"{name} {'bigint' if name == 'seq' else 'text'}" for name in _COLUMNS)


@dataclass(frozen=True, slots=True)
class Postgresql:
    """A server's database, which several gateways may share. `url` holds no password."""

    url: str
    # Read at every connection; without it libpq looks in PGPASSFILE.
    password_file: Path | None = None
    dialect: ClassVar[str] = "postgresql+psycopg"
    mark: ClassVar[str] = "%s"
    # The key is ours alone in the database: the ASCII of "ssbtek".
    alone: ClassVar[str] = f"BEGIN; SELECT pg_advisory_xact_lock({int.from_bytes(b'ssbtek')})"
    snapshot: ClassVar[str] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    probe: ClassVar[str] = "SELECT pg_current_xact_id()"
    _insert: ClassVar[str] = (
        f"INSERT INTO audit ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)}"  # noqa: S608 - our columns
        f" FROM json_to_recordset(%s) AS rows ({_TYPED}) ORDER BY seq"
    )

    def __str__(self) -> str:
        return self.url

    def fields(self) -> list[str | None]:
        return [self.url, str(self.password_file) if self.password_file else None]

    def check(self) -> None:
        self._password()
        for option, file in postgresql_url.options(self.url).items():
            if option in postgresql_url.FILES and not Path(file).is_file():
                raise AuditError(f"{option}: {file} is no file")

    def connect(self) -> Driver:
        connection = self._connection(_DURABLE)
        settings = "SELECT current_setting('synchronous_commit'), current_setting('fsync')"
        if connection.execute(settings).fetchone() != ("on", "on"):
            connection.close()
            raise AuditError("PostgreSQL runs with synchronous_commit or fsync off: rows could be lost")
        return connection

    def read(self) -> Driver:
        return self._connection("-c default_transaction_read_only=on")

    def parts(self) -> Sequence[Backend]:
        return [self]

    def insert(self, connection: Driver, rows: Sequence[Row]) -> None:
        connection.execute(self._insert, [json.dumps(rows, ensure_ascii=False)])

    def _password(self) -> str | None:
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise AuditError(f"{self.password_file}: {getattr(error, 'strerror', 'not UTF-8')}") from None

    def _connection(self, options: str) -> Driver:
        import psycopg  # noqa: PLC0415 - 10 MB that SQLite does not need

        return psycopg.connect(self.url, password=self._password(), options=options, autocommit=True, **_BOUNDS)


def of(name: str, fields: list[str | None]) -> Backend:
    """The backend of that class whose `fields` these are."""
    place, *more = fields
    if name == Postgresql.__name__:
        return Postgresql(str(place), Path(more[0]) if more[0] else None)
    return Sqlite(Path(str(place)))
