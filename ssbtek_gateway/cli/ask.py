"""`ask`."""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003 - typer reads the annotations at run time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from lxml import etree
from rich.console import Console

from ssbtek_gateway import summary
from ssbtek_gateway.cli import options
from ssbtek_gateway.cli.common import FAILED, USAGE, PersonFile, fail, read_person
from ssbtek_gateway.cli.summary import print_summary
from ssbtek_gateway.cli.table import print_sections
from ssbtek_gateway.client import TEST_ASKER, Asker, Client, ClientError, has_data, last_months
from ssbtek_gateway.model import Period
from ssbtek_gateway.simulator import personas

if TYPE_CHECKING:
    from ssbtek_gateway.client import Answer
    from ssbtek_gateway.model import PersonId

_SOME_SECTION_FAILED = 3


class Output(StrEnum):
    """How an answer is printed."""

    table = "table"
    xml = "xml"
    json = "json"


def ask(
    contract: options.Contract = "10",
    url: options.Url = None,
    ca: options.Authority = Path("certs/dev/ca.pem"),
    cert: options.Certificate = Path("certs/dev/client.pem"),
    key: options.Key = Path("certs/dev/client.key"),
    persona: Annotated[str | None, typer.Option(help="Ask about a test person of the simulator, by alias.")] = None,
    person_file: PersonFile = None,
    fran: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    tom: Annotated[datetime | None, typer.Option("--tom", formats=["%Y-%m-%d"], help="Last day.")] = None,
    bastjanst: options.Bastjanst = None,
    organisation: options.Organisation = TEST_ASKER.organisationsnummer,
    namn: options.Namn = TEST_ASKER.namn,
    handlaggare: options.Handlaggare = TEST_ASKER.handlaggare,
    arende: options.Arende = TEST_ASKER.arendeidentitet,
    syfte: options.Syfte = TEST_ASKER.syfte,
    lagtext: options.Lagtext = TEST_ASKER.lagtext,
    aktorsid: options.Aktorsid = TEST_ASKER.aktorsid,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the answer.")] = Output.table,
) -> None:
    """Ask one question and print the combined answer.

    The personal number comes from a persona's alias, a file, standard input or a prompt: never from the arguments,
    which other users of the machine can read. The period is the last two months unless given.

    FK is asked about everything that it has a code for, and Skatteverket, from version 11 on, about every part.

    Version 1, the typed contract, is printed as a handläggare reads it: protected identity and who could not answer
    first, then payments by month and payer, decisions and the rest. Other versions are printed element by element.

    Exit codes: 0 every section has data, 3 some section is an error, 1 no answer or a fault, 2 a mistake in the call.

    Examples: `ssbtek-gateway ask --persona allt`, `ssbtek-gateway ask --persona allt --contract 1`,
    `ssbtek-gateway ask --person-file - --output xml < number.txt`
    """
    services = options.services(bastjanst)
    person = test_person(persona) if persona is not None else read_person(person_file)
    period = _period(fran, tom)
    asker = Asker(organisation, namn, handlaggare, arende, syfte, lagtext, aktorsid)
    options.demand_files(ca, cert, key)
    try:
        with Client(options.address(url, contract), ca, cert, key) as client:
            answer = client.ask(person, period, asker, services)
    except ClientError as error:
        fail(str(error), FAILED)
    show(answer, output)
    if not all(has_data(section) for section in answer.sections):
        raise typer.Exit(_SOME_SECTION_FAILED)


def show(answer: Answer, output: Output) -> None:
    """Print an answer on standard output."""
    match output:
        case Output.xml:
            typer.echo(etree.tostring(answer.envelope, encoding="unicode", pretty_print=True))
        case Output.json:
            typer.echo(json.dumps(answer.values, ensure_ascii=False, indent=2, default=_plain))
        case Output.table:
            if summary.is_typed(answer.sections):
                print_summary(summary.read(answer.sections), Console())
            else:
                print_sections(answer.sections, Console())


def _plain(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _period(fran: datetime | None, tom: datetime | None) -> Period:
    period = last_months(tom.date() if tom else None)
    if fran is not None:
        period = Period(fran.date(), period.tom_datum)
    if period.from_datum > period.tom_datum:
        fail(f"--from {period.from_datum} is later than --tom {period.tom_datum}", USAGE)
    return period


def test_person(alias: str) -> PersonId:
    """The number of a persona; ends the command where there is none."""
    known = personas.load()
    if alias not in known:
        fail(f"--persona: there is no {alias}; there are {', '.join(sorted(known))}", USAGE)
    return known[alias].person
