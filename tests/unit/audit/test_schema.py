"""A database has the tables that this version needs, or the operator is told what brings it there."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ssbtek_gateway.audit import AuditError, reader, schema
from ssbtek_gateway.audit.backend import REVISION, Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.migrate import SCRIPTS, Migration, migrate
from ssbtek_gateway.audit.tables import METADATA, engine

if TYPE_CHECKING:
    from pathlib import Path

    from ssbtek_gateway.audit.backend import Backend

KEY = ChainKey(b"c" * 32)
STEP = "1: The tables audit, audit_writer and audit_checkpoint."


def execute(backend: Backend, *statements: str) -> None:
    with closing(backend.connect()) as connection:
        for statement in statements:
            connection.execute(statement)


def noted(backend: Backend) -> object:
    with closing(backend.connect()) as connection:
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return version


def test_the_revision_is_that_of_the_newest_script() -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_heads() == [REVISION]


@pytest.mark.parametrize("by", ["serve", "migrate"])
def test_an_empty_database_gets_the_tables_that_are_read_and_written(backend: Backend, by: str) -> None:
    if by == "serve":
        schema.ensure(backend)
    else:
        assert list(migrate(backend, dry_run=False)) == [Migration(str(backend), (STEP,))]
    database = engine(backend, backend.connect)
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
    database.dispose()
    # Whoever comes next finds it as it should be.
    schema.ensure(backend)
    assert list(migrate(backend, dry_run=False)) == [Migration(str(backend), ())]
    assert noted(backend) == REVISION


def test_a_dry_run_changes_nothing(backend: Backend) -> None:
    execute(backend, "CREATE TABLE mine (id INTEGER)")
    assert list(migrate(backend, dry_run=True)) == [Migration(str(backend), (STEP,))]
    with pytest.raises(AuditError, match="table audit is missing"), reader.opened(backend):
        pass


def test_a_database_that_is_not_there_is_not_made_by_a_dry_run(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="unable to open"):
        list(migrate(Sqlite(tmp_path / "a"), dry_run=True))
    assert list(tmp_path.iterdir()) == []


def test_tables_from_before_revisions_were_noted_are_refused_until_they_are_migrated(backend: Backend) -> None:
    schema.ensure(backend)
    execute(backend, "DROP TABLE alembic_version", "DROP TABLE audit_checkpoint", "DROP INDEX ix_audit_writer_seq")
    with pytest.raises(AuditError, match=r"is of revision 0, .* needs 1: run `ssbtek-gateway audit migrate`"):
        schema.ensure(backend)
    assert list(migrate(backend, dry_run=False)) == [Migration(str(backend), (STEP,))]
    schema.ensure(backend)
    with engine(backend, backend.read).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_revision_of_a_later_version_is_refused_by_both(backend: Backend) -> None:
    schema.ensure(backend)
    execute(backend, "UPDATE alembic_version SET version_num = '99'")
    with pytest.raises(AuditError, match=r"is of revision 99, .* audit migrate"):
        schema.ensure(backend)
    for dry_run in (True, False):
        with pytest.raises(AuditError, match="revision 99 is not known to this version: a later one"):
            list(migrate(backend, dry_run=dry_run))


def test_a_database_with_another_chain_is_an_archive(backend: Backend) -> None:
    schema.ensure(backend)
    execute(backend, "DROP TABLE alembic_version", "ALTER TABLE audit DROP COLUMN tider")
    for use in (lambda: schema.ensure(backend), lambda: list(migrate(backend, dry_run=False))):
        with pytest.raises(AuditError, match="keep it as an archive"):
            use()


def test_the_files_of_all_processes_are_brought_forward(tmp_path: Path) -> None:
    files = [Sqlite(tmp_path / "audit.sqlite"), Sqlite(tmp_path / "audit.2.sqlite")]
    for file in files:
        schema.ensure(file)
        execute(file, "DROP TABLE alembic_version")
    assert [migration.steps for migration in migrate(files[0], dry_run=False)] == [(STEP,)] * 2
    for file in files:
        schema.ensure(file)


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    # SQLite's drivers are known for committing a part of such a step.
    file = Sqlite(tmp_path / "audit.sqlite")
    execute(file, "CREATE TABLE ix_audit_writer_seq (id INTEGER)")
    with pytest.raises(AuditError, match="already a table named ix_audit_writer_seq"):
        list(migrate(file, dry_run=False))
    with closing(file.connect()) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("ix_audit_writer_seq",)]


def test_a_gateway_that_serves_loads_neither_alembic_nor_what_its_database_does_not_need() -> None:
    program = (
        "import sys, ssbtek_gateway.cli, ssbtek_gateway.worker;"
        " print([name for name in ('alembic', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
