"""`audit`: the record of who asked about whom."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from ssbtek_gateway import config, materials
from ssbtek_gateway.audit import AuditError, reader
from ssbtek_gateway.audit import export as exports
from ssbtek_gateway.audit import head as heads
from ssbtek_gateway.audit.verify import verify as walk
from ssbtek_gateway.audit.who import who
from ssbtek_gateway.cli.common import FAILED, USAGE, PersonFile, fail, printable, read_person
from ssbtek_gateway.cli.serve import ConfigFile, load
from ssbtek_gateway.cli.table import print_asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssbtek_gateway.audit.chain import ChainKey
    from ssbtek_gateway.audit.head import Head
    from ssbtek_gateway.audit.verify import Report
    from ssbtek_gateway.config import Settings


class Output(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


Database = Annotated[
    str | None,
    typer.Option(
        help="Another database than the configuration's, such as a backup or an earlier one: a file, or a URL that "
        "begins with `postgresql:`.",
        show_default=False,
    ),
]
ChainKeyFile = Annotated[
    Path | None,
    typer.Option(help="Another chain key than the configuration's: an earlier database's.", show_default=False),
]

app = typer.Typer(
    help="The record of who asked about whom: whether it is whole, and what it says.", no_args_is_help=True
)


@app.command()
def verify(
    config_file: ConfigFile,
    head: Annotated[
        list[Path] | None,
        typer.Option(
            help="A head that was written earlier, or a folder with heads (`audit.heads`). Repeat for several.",
            show_default=False,
        ),
    ] = None,
    database: Database = None,
    chain_key: ChainKeyFile = None,
) -> None:
    """Walk every row and report, for each writer, the first that was changed, removed, moved or put in.

    With `--head` an end that was cut off is found too. Reads only; the gateway may be running.

    Exit codes: 0 intact, 1 broken, 2 a mistake in the call, or the database, key or head cannot be used.

    Example: `ssbtek-gateway audit verify --config FILE --head head.json --head /var/lib/ssbtek-heads`
    """
    with told(config_file):
        settings = settings_of(config_file, database=database, chain_key=chain_key)
        key = materials.chain_key(settings)
        known = [_head(path, key) for path in _files(head or ())]
        with reader.opened(materials.audit_backend(settings)) as parts:
            report = walk(parts, key, known)
    if report.findings:
        broken(report)
    count = len(known)
    against = f", nothing of {count} heads is missing" if count else "; with --head a cut-off end would be found too"
    typer.echo(f"intact: {report.rows} rows of {len(report.tails)} writers{against}")


@app.command("head")
def write_head(config_file: ConfigFile, database: Database = None, chain_key: ChainKeyFile = None) -> None:
    """Verify, then print a signed head: how far each writer has come. Keep it where the gateway cannot write.

    Exit codes: 0 printed, 1 the chain is broken, 2 a mistake in the call, or the database or key cannot be used.

    Example: `ssbtek-gateway audit head --config FILE > head-2026-01-31.json`
    """
    with told(config_file):
        settings = settings_of(config_file, database=database, chain_key=chain_key)
        key = materials.chain_key(settings)
        with reader.opened(materials.audit_backend(settings)) as parts:
            report = walk(parts, key)
    if report.findings:
        broken(report)
    typer.echo(json.dumps(heads.sign(report.head, key), indent=2))


@app.command("who")
def show_who(
    config_file: ConfigFile,
    person_file: PersonFile = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the answer.")] = Output.table,
    key: Annotated[
        Path | None, typer.Option(help="An earlier person key than the configuration's.", show_default=False)
    ] = None,
    key_id: Annotated[str | None, typer.Option(help="The `key_id` that it had.", show_default=False)] = None,
    database: Database = None,
) -> None:
    """Print who asked about a person: when, for whom, in which case, for which purpose, and what came of it.

    The personal number comes from a file, standard input or a prompt, never from the arguments, and is not printed.

    Exit codes: 0 printed, though nobody may have asked; 2 a mistake in the call, or the database or key cannot be used.

    Examples: `ssbtek-gateway audit who --config FILE`,
    `ssbtek-gateway audit who --config FILE --person-file - --output json < number.txt`,
    `ssbtek-gateway audit who --config FILE --key audit-2025.key --key-id 2025-1`
    """
    if (key is None) != (key_id is None):
        fail("--key and --key-id go together", USAGE)
    with told(config_file):
        settings = settings_of(config_file, database=database, key=key, key_id=key_id)
        person_key = materials.person_key(settings)
        person = read_person(person_file)
        with reader.opened(materials.audit_backend(settings)) as parts:
            answer = who(parts, person_key, person)
    if output is Output.json:
        typer.echo(json.dumps([asdict(asked) for asked in answer.asked], indent=2, default=repr))
    else:
        print_asked(answer.asked, Console())
    for name, count in answer.other_keys.items():
        typer.echo(f"{count} questions were recorded under another key, {printable(name)}: ask with that too", err=True)


@app.command("export")
def write_export(
    config_file: ConfigFile,
    out: Annotated[Path, typer.Option(help="The file to write; it must not be there.", show_default=False)],
    cert: Annotated[Path, typer.Option(help="The certificate of who vouches for it, PEM.", show_default=False)],
    key: Annotated[Path, typer.Option(help="Its key, RSA or EC, PEM without a password.", show_default=False)],
    database: Database = None,
    chain_key: ChainKeyFile = None,
) -> None:
    """Write all rows as JSON lines, and beside them a signed manifest, `OUT.manifest.xml`.

    The manifest has the file's SHA-256, the number of rows, the first and last time, and how far each writer's chain
    had come and whether it was intact. Reads one moment; the gateway may be running.

    Exit codes: 0 exported, 1 exported but the chain is broken (the manifest says so), 2 a mistake in the call, or a
    file cannot be used.

    Example: `ssbtek-gateway audit export --config FILE --out audit.jsonl --cert archive.pem --key archive.key`
    """
    manifest_file = out.with_name(f"{out.name}.manifest.xml")
    with told(config_file):
        settings = settings_of(config_file, database=database, chain_key=chain_key)
        chained_by = materials.chain_key(settings)
        try:
            signer = exports.signer(cert.read_bytes(), key.read_bytes())
            with reader.opened(materials.audit_backend(settings)) as parts:
                report = walk(parts, chained_by)
                manifest = exports.export(parts, report, out)
            with manifest_file.open("xb") as file:
                file.write(signer.sign(manifest))
        except exports.SignerError as error:
            fail(f"--cert, --key: {error}", USAGE)
        except OSError as error:
            fail(f"{error.filename or out}: {error.strerror}", USAGE)
    typer.echo(f"{report.rows} rows in {out}, signed in {manifest_file}")
    if report.findings:
        broken(report)


@app.command("migrate")
def bring_forward(
    config_file: ConfigFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    database: Database = None,
) -> None:
    """Bring the audit's tables to the revision that this version needs, or create them where there are none.

    All processes' files, each whole or not at all. Stop the gateways first. In PostgreSQL the user that the
    configuration names must own the tables.

    Exit codes: 0 done, or nothing to do; 2 a mistake in the call, or a database cannot be used.

    Example: `ssbtek-gateway audit migrate --config FILE --dry-run`
    """
    from ssbtek_gateway.audit.migrate import migrate  # noqa: PLC0415 - 11 MB that no other command needs

    with told(config_file):
        for migration in migrate(materials.audit_backend(settings_of(config_file, database=database)), dry_run=dry_run):
            if not migration.steps:
                typer.echo(f"{migration.database}: as it should be")
            for step in migration.steps:
                typer.echo(f"{migration.database}: {'would be ' if dry_run else ''}brought to revision {step}")


@contextmanager
def told(config_file: Path) -> Iterator[None]:
    """End the command with exit code 2 where the configuration, a key or the database cannot be used."""
    try:
        yield
    except materials.SetupError as error:
        fail(f"{config_file}: {error}", USAGE)
    except AuditError as error:
        fail(str(error), USAGE)


def settings_of(config_file: Path, **instead: Path | str | None) -> Settings:
    """The configuration, with members of its table `audit` replaced by what was given on the command line."""
    settings = load(config_file)
    given: dict[str, object] = {name: value for name, value in instead.items() if value is not None}
    if (database := given.get("database")) is not None:
        kind = "postgresql" if str(database).startswith("postgresql:") else "database"
        given |= {"database": None, "postgresql": None, "password_file": None, kind: database}
    try:
        audit = config.Audit.model_validate(settings.audit.model_dump() | given)
    except ValidationError as error:
        problem = error.errors()[0]
        option = "key-id" if problem["loc"] == ("key_id",) else "database"
        fail(f"--{option}: {problem['msg'].removeprefix('Value error, ')}", USAGE)
    return settings.model_copy(update={"audit": audit})


def broken(report: Report) -> NoReturn:
    """Tell every finding, and end the command."""
    for finding in report.findings:
        if finding.writer is None:
            chain, place = "checkpoints", f" {finding.seq} (id {finding.row_id})"
        else:
            chain, place = f"writer {finding.writer}", f" row {finding.seq} (id {finding.row_id})"
        where = "" if finding.part is None else f"{finding.part}: "
        typer.echo(
            f"{where}{printable(chain + (place if finding.row_id is not None else ''))}: {finding.what}", err=True
        )
    fail(f"broken: {len(report.findings)} of {len(report.tails)} writers; {report.rows} rows were read", FAILED)


def _files(heads: Iterable[Path]) -> Iterator[Path]:
    """The files meant: of a folder every head in it, at least one."""
    for path in heads:
        files = sorted(path.glob("head-*.json")) if path.is_dir() else [path]
        if not files:
            fail(f"--head: {path}: no head-*.json is there", USAGE)
        yield from files


def _head(path: Path, key: ChainKey) -> Head:
    try:
        return heads.read(path.read_text(encoding="utf-8"), key)
    except OSError as error:
        fail(f"--head: {path}: {error.strerror}", USAGE)
    except ValueError as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        fail(f"--head: {path}: {why}", USAGE)
