"""`audit`: the record of who asked about whom."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ssbtek_gateway import gateway
from ssbtek_gateway.audit import AuditError, reader
from ssbtek_gateway.audit import export as exports
from ssbtek_gateway.audit import head as heads
from ssbtek_gateway.audit.verify import verify as walk
from ssbtek_gateway.audit.who import who
from ssbtek_gateway.cli.common import FAILED, USAGE, PersonFile, fail, printable, read_person
from ssbtek_gateway.cli.serve import ConfigFile, load
from ssbtek_gateway.cli.table import print_asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssbtek_gateway.audit.chain import ChainKey
    from ssbtek_gateway.audit.verify import Report, Tail


class Output(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


app = typer.Typer(
    help="The record of who asked about whom: whether it is whole, and what it says.", no_args_is_help=True
)


@app.command()
def verify(
    config_file: ConfigFile,
    head: Annotated[
        Path | None, typer.Option(help="A head that `audit head` wrote earlier.", show_default=False)
    ] = None,
) -> None:
    """Walk every row and report, for each writer, the first that was changed, removed, moved or put in.

    With `--head` an end that was cut off is found too. Reads only; the gateway may be running.

    Exit codes: 0 intact, 1 broken, 2 a mistake in the call, or the database, key or head cannot be used.

    Example: `ssbtek-gateway audit verify --config FILE --head head.json`
    """
    with _told(config_file):
        settings = load(config_file)
        key = gateway.chain_key(settings)
        known = _head(head, key) if head else {}
        with reader.opened(gateway.audit_backend(settings)) as parts:
            report = walk(parts, key, known)
    if report.findings:
        _broken(report)
    against = f", nothing of {head} is missing" if head else "; with --head a cut-off end would be found too"
    typer.echo(f"intact: {report.rows} rows of {len(report.tails)} writers{against}")


@app.command("head")
def write_head(config_file: ConfigFile) -> None:
    """Verify, then print a signed head: how far each writer has come. Keep it where the gateway cannot write.

    Exit codes: 0 printed, 1 the chain is broken, 2 a mistake in the call, or the database or key cannot be used.

    Example: `ssbtek-gateway audit head --config FILE > head-2026-01-31.json`
    """
    with _told(config_file):
        settings = load(config_file)
        key = gateway.chain_key(settings)
        with reader.opened(gateway.audit_backend(settings)) as parts:
            report = walk(parts, key)
    if report.findings:
        _broken(report)
    typer.echo(json.dumps(heads.sign(report, key), indent=2))


@app.command("who")
def show_who(
    config_file: ConfigFile,
    person_file: PersonFile = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the answer.")] = Output.table,
) -> None:
    """Print who asked about a person: when, for whom, in which case, for which purpose, and what came of it.

    The personal number comes from a file, standard input or a prompt, never from the arguments, and is not printed.

    Exit codes: 0 printed, though nobody may have asked; 2 a mistake in the call, or the database or key cannot be used.

    Examples: `ssbtek-gateway audit who --config FILE`,
    `ssbtek-gateway audit who --config FILE --person-file - --output json < number.txt`
    """
    with _told(config_file):
        settings = load(config_file)
        key = gateway.person_key(settings)
        person = read_person(person_file)
        with reader.opened(gateway.audit_backend(settings)) as parts:
            answer = who(parts, key, person)
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
) -> None:
    """Write all rows as JSON lines, and beside them a signed manifest, `OUT.manifest.xml`.

    The manifest has the file's SHA-256, the number of rows, the first and last time, and how far each writer's chain
    had come and whether it was intact. Reads one moment; the gateway may be running.

    Exit codes: 0 exported, 1 exported but the chain is broken (the manifest says so), 2 a mistake in the call, or a
    file cannot be used.

    Example: `ssbtek-gateway audit export --config FILE --out audit.jsonl --cert archive.pem --key archive.key`
    """
    manifest_file = out.with_name(f"{out.name}.manifest.xml")
    with _told(config_file):
        settings = load(config_file)
        chain_key = gateway.chain_key(settings)
        try:
            signer = exports.signer(cert.read_bytes(), key.read_bytes())
            with reader.opened(gateway.audit_backend(settings)) as parts:
                report = walk(parts, chain_key)
                manifest = exports.export(parts, report, out)
            with manifest_file.open("xb") as file:
                file.write(signer.sign(manifest))
        except exports.SignerError as error:
            fail(f"--cert, --key: {error}", USAGE)
        except OSError as error:
            fail(f"{error.filename or out}: {error.strerror}", USAGE)
    typer.echo(f"{report.rows} rows in {out}, signed in {manifest_file}")
    if report.findings:
        _broken(report)


@app.command("migrate")
def bring_forward(
    config_file: ConfigFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Bring the audit's tables to the revision that this version needs, or create them where there are none.

    All processes' files, each whole or not at all. Stop the gateways first. In PostgreSQL the user that the
    configuration names must own the tables.

    Exit codes: 0 done, or nothing to do; 2 a mistake in the call, or a database cannot be used.

    Example: `ssbtek-gateway audit migrate --config FILE --dry-run`
    """
    from ssbtek_gateway.audit.migrate import migrate  # noqa: PLC0415 - 11 MB that no other command needs

    with _told(config_file):
        for migration in migrate(gateway.audit_backend(load(config_file)), dry_run=dry_run):
            if not migration.steps:
                typer.echo(f"{migration.database}: as it should be")
            for step in migration.steps:
                typer.echo(f"{migration.database}: {'would be ' if dry_run else ''}brought to revision {step}")


@contextmanager
def _told(config_file: Path) -> Iterator[None]:
    try:
        yield
    except gateway.SetupError as error:
        fail(f"{config_file}: {error}", USAGE)
    except AuditError as error:
        fail(str(error), USAGE)


def _head(path: Path, key: ChainKey) -> Mapping[str, Tail]:
    try:
        return heads.read(path.read_text(encoding="utf-8"), key)
    except OSError as error:
        fail(f"--head: {path}: {error.strerror}", USAGE)
    except ValueError as error:
        told = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error
        fail(f"--head: {path}: {told}", USAGE)


def _broken(report: Report) -> None:
    for finding in report.findings:
        place = "" if finding.row_id is None else f" row {finding.seq} (id {finding.row_id})"
        where = "" if finding.part is None else f"{finding.part}: "
        typer.echo(f"{where}writer {printable(str(finding.writer))}{printable(place)}: {finding.what}", err=True)
    fail(f"broken: {len(report.findings)} of {len(report.tails)} writers; {report.rows} rows were read", FAILED)
