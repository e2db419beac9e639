"""The tables' revision: an empty database is given the newest, any other is left to `audit migrate`.

Alembic's scripts (migrations/) are what a database is brought forward with. It is not imported here: a gateway that
serves has no use for it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, inspect
from sqlalchemy.exc import SQLAlchemyError

from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.audit.backend import REVISION, of
from ssbtek_gateway.audit.tables import METADATA, ROWS, WRITERS, engine

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ssbtek_gateway.audit.backend import Backend

# A database whose tables are there, from before revisions were noted.
UNNOTED = "0"
# Alembic's own table, as it makes it.
VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def ensure(backend: Backend) -> None:
    """Create the tables in an empty database.

    Raises `AuditError` where it is of another revision, or cannot be opened or written.
    """
    database = engine(backend, backend.connect)
    try:
        with database.connect() as connection:
            found = revision(connection)
            if found is None:
                connection.exec_driver_sql(backend.alone)
                # Another process may have been first.
                found = revision(connection) or _create(connection)
                connection.commit()
    except SQLAlchemyError as error:
        raise AuditError(f"the audit database cannot be opened: {backend}: {told(error)}") from None
    finally:
        database.dispose()
    if found != REVISION:
        raise AuditError(
            f"{backend} is of revision {found}, this version of the gateway needs {REVISION}: run `ssbtek-gateway"
            " audit migrate`"
        )


def revision(connection: Connection) -> str | None:
    """The revision of a database, None where it is empty. Raises `AuditError` where it is from before the chain."""
    there = inspect(connection)
    if there.has_table(VERSION.name) and (noted := connection.execute(VERSION.select()).scalar()) is not None:
        return str(noted)
    if not there.has_table(ROWS.name):
        return None
    if missing(connection) is not None:
        raise AuditError(
            "the audit database was written by an earlier version, without a chain or with another: keep it as an"
            " archive, and name another file in audit.database"
        )
    return UNNOTED


def missing(connection: Connection) -> str | None:
    """The first table or column of the chain that is not there."""
    there = inspect(connection)
    for table in (ROWS, WRITERS):
        if not there.has_table(table.name):
            return f"table {table.name}"
        found = {column["name"] for column in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in found:
                return f"column {table.name}.{column.name}"
    return None


def told(error: SQLAlchemyError) -> str:
    """The first line of what the driver says. Only for errors that no row can be in: drivers show values."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def _create(connection: Connection) -> str:
    METADATA.create_all(connection)
    VERSION.create(connection, checkfirst=True)
    connection.execute(VERSION.insert().values(version_num=REVISION))
    return REVISION


def main() -> None:
    """`ensure`, of the backend that standard input names; standard output says why it cannot be (exit code 1)."""
    name, fields = json.load(sys.stdin)
    try:
        ensure(of(name, fields))
    except AuditError as error:
        sys.stdout.write(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
