"""Reading the audit database while the gateway writes it: one connection, one moment in time, nothing changed."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import create_engine, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from ssbtek_gateway.audit.chain import WRITERS
from ssbtek_gateway.audit.record import ROWS
from ssbtek_gateway.audit.store import AuditError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Table

    from ssbtek_gateway.audit.record import Row

_AT_ONCE = 1000


@contextmanager
def opened(database: Path) -> Iterator[Connection]:
    """A read-only connection. Raises `AuditError` where there is no audit that can be read, then or later."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True, isolation_level=None)
        # Somebody may have put in what is no text; it is to be found, not to end the reading.
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        return connection

    engine = create_engine("sqlite://", creator=connect)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")  # what is read is of one moment
            missing = _missing(connection, ROWS) or _missing(connection, WRITERS)
            if missing:
                raise AuditError(f"{database} is not an audit database with a chain: {missing} is missing")
            yield connection
    except (SQLAlchemyError, sqlite3.Error) as error:
        told = getattr(error, "orig", None) or error
        raise AuditError(f"{database} cannot be read: {told}") from None
    finally:
        engine.dispose()


def stream(connection: Connection, table: Table, *where: ColumnElement[bool]) -> Iterator[Row]:
    """A table in order of insertion, a bounded part of it in memory at a time."""
    query = select(table).where(*where).order_by(table.c.id)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(query).mappings():
        yield dict(row)


def _missing(connection: Connection, table: Table) -> str | None:
    there: Any = inspect(connection)
    if not there.has_table(table.name):
        return f"table {table.name}"
    found = {column["name"] for column in there.get_columns(table.name)}
    return next((f"column {table.name}.{column.name}" for column in table.columns if column.name not in found), None)
