"""Bringing the audit's tables forward, by Alembic's scripts. Not imported by a gateway that serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy.exc import SQLAlchemyError

from ssbtek_gateway.audit import AuditError, migrations
from ssbtek_gateway.audit.backend import REVISION
from ssbtek_gateway.audit.schema import UNNOTED, revision, told
from ssbtek_gateway.audit.tables import engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssbtek_gateway.audit.backend import Backend

SCRIPTS = Path(migrations.__path__[0])


@dataclass(frozen=True, slots=True)
class Migration:
    """The steps that one database is brought forward by, oldest first; none where it is as it should be."""

    database: str
    steps: tuple[str, ...]


def migrate(backend: Backend, *, dry_run: bool) -> Iterator[Migration]:
    """Bring each part to the newest revision, each whole or not at all; with `dry_run` only say how.

    Raises `AuditError` where one cannot be opened or changed, or is not one that this version knows.
    """
    for part in backend.parts():
        database = engine(part, part.read if dry_run else part.connect)
        try:
            with database.connect() as connection:
                connection.exec_driver_sql(part.snapshot if dry_run else part.alone)
                config = Config(attributes={"connection": connection})
                config.set_main_option("script_location", str(SCRIPTS))
                steps = _steps(config, revision(connection))
                if not dry_run:
                    command.upgrade(config, REVISION)
                    connection.commit()
        except SQLAlchemyError as error:
            raise AuditError(f"{part}: {told(error)}") from None
        finally:
            database.dispose()
        yield Migration(str(part), steps)


def _steps(config: Config, found: str | None) -> tuple[str, ...]:
    base = "base" if found in {None, UNNOTED} else str(found)
    try:
        scripts = list(ScriptDirectory.from_config(config).iterate_revisions(REVISION, base))
    except RevisionError:
        raise AuditError(f"revision {found} is not known to this version: a later one wrote it") from None
    return tuple(f"{script.revision}: {script.doc}" for script in reversed(scripts))
