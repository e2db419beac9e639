"""`audit purge`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import Progress

from ssbtek_gateway import materials, observe
from ssbtek_gateway.audit import AuditError, reader
from ssbtek_gateway.audit import purge as purging
from ssbtek_gateway.audit.verify import verify
from ssbtek_gateway.cli.audit import ChainKeyFile, Database, broken, settings_of, told
from ssbtek_gateway.cli.common import USAGE, fail
from ssbtek_gateway.cli.serve import ConfigFile  # noqa: TC001 - typer reads the annotations at run time
from ssbtek_gateway.cli.table import print_table

_LOG = structlog.get_logger()


def purge(
    config_file: ConfigFile,
    before: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="Rows of this day, in UTC, and later ones stay.", show_default=False),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for cron.")] = False,
    database: Database = None,
    chain_key: ChainKeyFile = None,
) -> None:
    """Remove rows older than a day for ever, and leave signed checkpoints in their place.

    Verifies first and removes nothing where the chain is broken. From each writer the beginning of its chain is removed
    up to its first row that is not older. The gateway may be running. An interrupted purge leaves the chain intact; run
    it again.

    Exit codes: 0 removed, or nothing to remove, or `--dry-run`; 1 the chain is broken, or the answer was no, or it was
    stopped on the way; 2 a mistake in the call, or the database or key cannot be used.

    Example: `ssbtek-gateway audit purge --config FILE --before 2024-01-01 --dry-run`
    """
    day = before.date()
    if day > datetime.now(UTC).date():
        fail("--before: lies in the future", USAGE)
    if not (dry_run or yes or sys.stdin.isatty()):
        fail("--yes is needed where nobody can be asked", USAGE)
    screen = Console(stderr=True)
    with told(config_file):
        settings = settings_of(config_file, database=database, chain_key=chain_key)
        key = materials.chain_key(settings)
        backend = materials.audit_backend(settings)
        with reader.opened(backend) as parts, screen.status("verifying"):
            report = verify(parts, key)
            if report.findings:
                broken(report)
            planned = purging.plan(parts, day)
    print_table(
        [
            (f"older than {day} 00:00 UTC", "audit rows"),
            ("to remove", str(planned.rows)),
            ("the first", planned.first or ""),
            ("the last", planned.last or ""),
            ("of writers", str(len(planned.writers))),
            ("that stay", str(planned.kept)),
        ],
        Console(),
    )
    if dry_run:
        return
    if planned.rows and not yes and not typer.confirm("Remove these rows for ever?", err=True):
        fail("nothing was removed")
    try:
        batches = purging.purge(backend, key, planned, report.checkpoints)
        with Progress(console=screen, disable=not screen.is_terminal) as progress:
            for _ in progress.track(batches, total=len(planned.batches), description="removing"):
                pass
        emptied = purging.emptied(backend)
    except AuditError as error:
        fail(str(error))
    observe.configure()
    _LOG.info("audit-purged", before=str(day), rows=planned.rows, writers=len(planned.writers), uid=os.getuid())
    typer.echo(f"{planned.rows} rows removed")
    if not emptied:
        typer.echo(
            "What was removed may still stand in the -wal file, for somebody was reading: purge once more.", err=True
        )
