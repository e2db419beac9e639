"""Reading the audit while gateways write it: one moment of each database that it consists of, nothing changed."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.audit.schema import missing, told
from ssbtek_gateway.audit.tables import engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import ColumnElement, Connection, Table

    from ssbtek_gateway.audit.backend import Backend
    from ssbtek_gateway.audit.record import Row

    # Read-only connections by the name of the database, in the order of the processes that write them.
    Parts = Mapping[str, Connection]

_AT_ONCE = 1000


@contextmanager
def opened(backend: Backend) -> Iterator[Parts]:
    """All parts of the record. Raises `AuditError` where there is no audit that can be read, then or later."""
    with ExitStack() as stack:
        part = backend
        try:
            parts: dict[str, Connection] = {}
            for part in backend.parts():
                database = engine(part, part.read)
                stack.callback(database.dispose)
                parts[str(part)] = connection = stack.enter_context(database.connect())
                connection.exec_driver_sql(part.snapshot)
                lacking = missing(connection)
                if lacking is not None:
                    raise AuditError(f"{part} is not an audit database with a chain: {lacking} is missing")
            part = backend
            yield parts
        except SQLAlchemyError as error:
            raise AuditError(f"{part} cannot be read: {told(error)}") from None


def stream(connection: Connection, table: Table, *where: ColumnElement[bool]) -> Iterator[Row]:
    """A table in order of insertion, a bounded part of it in memory at a time."""
    query = select(table).where(*where).order_by(table.c.id)
    for row in connection.execution_options(yield_per=_AT_ONCE).execute(query).mappings():
        yield dict(row)
