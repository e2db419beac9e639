"""`usage`: who still asks in which contract version."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict, astuple, dataclass, fields
from datetime import datetime  # noqa: TC003 - typer reads the annotations at run time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ssbtek_gateway import materials
from ssbtek_gateway.audit import AuditError, reader
from ssbtek_gateway.audit.usage import Used
from ssbtek_gateway.audit.usage import usage as used
from ssbtek_gateway.cli.common import USAGE, fail, printable
from ssbtek_gateway.cli.serve import ConfigFile, load
from ssbtek_gateway.cli.table import print_table
from ssbtek_gateway.config.calendar import SWEDEN

if TYPE_CHECKING:
    from ssbtek_gateway.config import Settings


class Output(StrEnum):
    """How the answer is printed."""

    table = "table"
    csv = "csv"
    json = "json"


@dataclass(frozen=True, slots=True)
class Line(Used):
    """With what the configuration says. `maste_byta`: it is in the register and has asked in closing versions only."""

    namn: str
    stanger: str
    maste_byta: bool


def usage(
    config_file: ConfigFile,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day, Swedish time.", show_default=False)
    ] = None,
    version: Annotated[str | None, typer.Option(help="This contract version only.", show_default=False)] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the answer.")] = Output.table,
) -> None:
    """Print who asked in which contract version, how often and when last, from the audit.

    `maste_byta` marks an organisation of the register that asked only in versions with a closing date. `nekade` are
    questions that were refused because the version was closed. Reads only; the gateway may be running.

    Exit codes: 0 printed, though nobody may have asked; 2 a mistake in the call, or the audit cannot be used.

    Example: `ssbtek-gateway usage --config FILE --since 2026-01-01 --version 10`
    """
    settings = load(config_file)
    try:
        with reader.opened(materials.audit_backend(settings)) as parts:
            found = used(parts, since.replace(tzinfo=SWEDEN) if since else None)
    except AuditError as error:
        fail(str(error), USAGE)
    lines = [line for line in _lines(found, settings) if version in {None, line.version}]
    if output is Output.json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2))
        return
    rows = [[field.name for field in fields(Line)], *([_told(value) for value in astuple(line)] for line in lines)]
    if output is Output.csv:
        csv.writer(sys.stdout).writerows(rows)
    else:
        print_table(rows, Console())


def _lines(found: list[Used], settings: Settings) -> list[Line]:
    names = {entry.organisationsnummer: entry.namn for entry in settings.organisation}
    closes = {number: version.stanger for number, version in settings.versioner.items()}
    stay = {one.organisation for one in found if closes.get(one.version) is None}
    return [
        Line(
            **asdict(one),
            namn=names.get(one.organisation, ""),
            stanger=str(closes.get(one.version) or ""),
            maste_byta=one.organisation in names and one.organisation not in stay,
        )
        for one in found
    ]


def _told(value: object) -> str:
    return ("", "ja")[value] if isinstance(value, bool) else printable(str("" if value is None else value))
