"""`load`."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ssbtek_gateway import connection
from ssbtek_gateway.cli import common, options
from ssbtek_gateway.cli.ask import test_person
from ssbtek_gateway.cli.common import FAILED, USAGE, fail, printable
from ssbtek_gateway.cli.table import print_table
from ssbtek_gateway.client import TEST_ASKER, Asker, Client, ClientError, last_months
from ssbtek_gateway.load import target
from ssbtek_gateway.load.report import report
from ssbtek_gateway.load.run import MARK, Plan, run
from ssbtek_gateway.load.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

# Every agency can answer about them.
_PERSONAS = ("allt", "arbetslos", "student", "pensionar", "inget")
_MOST_QUESTIONS = 1_000_000
_MOST_IN_FLIGHT = 5_000
_LONGEST_SECONDS = 86_400
# Progress is told so often at most.
_TOLD = 20
_ROWS = {
    "latency_ms": "every question, from when it was due",
    "from_sending_ms": "right answers, from when they were sent",
    "late_ms": "sent after it was due",
}


class Output(StrEnum):
    """How the result is printed."""

    table = "table"
    json = "json"


class Arrival(StrEnum):
    """When questions come."""

    poisson = "poisson"
    constant = "constant"


def load(
    rate: Annotated[float, typer.Option(min=0.001, max=10_000, help="Questions a second.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.1, max=_LONGEST_SECONDS, help="For how long questions come.")] = 10,
    arrival: Annotated[
        Arrival, typer.Option(help="As callers come who know nothing of each other, or at equal distances.")
    ] = Arrival.poisson,
    in_flight: Annotated[
        int, typer.Option(min=1, max=_MOST_IN_FLIGHT, help="While so many are unanswered no other is sent.")
    ] = 200,
    new_connections: Annotated[
        bool, typer.Option("--new-connections", help="A new connection, with its handshake, for each question.")
    ] = False,
    p99_limit: Annotated[
        float | None, typer.Option(min=0, help="Milliseconds; exit code 1 where the 99th percentile is above.")
    ] = None,
    persona: Annotated[
        list[str] | None,
        typer.Option(help=f"Ask about this test person, instead of {', '.join(_PERSONAS)}. Repeat for several."),
    ] = None,
    bastjanst: options.Bastjanst = None,
    contract: options.Contract = "10",
    url: options.Url = None,
    allow_host: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="Load this host though it does not say that it is for tests."),
    ] = None,
    ca: options.Authority = Path("certs/dev/ca.pem"),
    cert: options.Certificate = Path("certs/dev/client.pem"),
    key: options.Key = Path("certs/dev/client.key"),
    organisation: options.Organisation = TEST_ASKER.organisationsnummer,
    namn: options.Namn = TEST_ASKER.namn,
    handlaggare: options.Handlaggare = TEST_ASKER.handlaggare,
    arende: options.Arende = TEST_ASKER.arendeidentitet,
    syfte: options.Syfte = TEST_ASKER.syfte,
    lagtext: options.Lagtext = TEST_ASKER.lagtext,
    aktorsid: options.Aktorsid = TEST_ASKER.aktorsid,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.table,
) -> None:
    """Ask at a rate, whatever has been answered by then, and print how long the answers took.

    A question counts from the moment it was **due**: where the service stalls, those that should have come meanwhile
    have waited too. One without a right answer counts as *never*. Right is data, or "nothing found", in every section
    that was asked for.

    Progress goes to standard error. Ctrl-C ends it early and prints what there is.

    **Production is refused**, and so is every service that does not say that it is for tests (`miljo`, a header of its
    WSDL), unless `--allow-host` repeats its name. Questions are about test persons only, but each stands in the record.

    Exit codes: 0 every answer right and the 99th percentile within its limit; 1 not so, or interrupted, or the service
    cannot be reached; 2 a mistake in the call, or refused as production.

    Examples: `ssbtek-gateway load --rate 20 --seconds 30`,
    `ssbtek-gateway load --rate 100 --arrival constant --new-connections --p99-limit 500 --output json`,
    `ssbtek-gateway load --url https://test.example:8443/ssbt/11 --allow-host test.example --persona student`
    """
    services = options.services(bastjanst)
    if rate * seconds > _MOST_QUESTIONS:
        fail(f"--rate times --seconds: {rate * seconds:.0f} questions, at most {_MOST_QUESTIONS}", USAGE)
    people = [test_person(alias) for alias in persona or _PERSONAS]
    asker = Asker(organisation, namn, handlaggare, arende, syfte, lagtext, aktorsid)
    options.demand_files(ca, cert, key)
    address = options.address(url, contract)
    try:
        context = connection.context(address, ca, cert, key)
        environment = target.environment(address, ca, cert, key)
        target.demand_allowed(address, environment, allow_host)
        with Client(address, ca, cert, key) as client:
            messages = [client.message(person, last_months(), asker, services, MARK) for person in people]
    except (connection.SetupError, target.ProductionError) as error:
        fail(printable(str(error)), USAGE)
    except (target.TargetError, ClientError) as error:
        fail(printable(str(error)), FAILED)
    plan = Plan(
        address,
        context,
        messages,
        services,
        rate,
        seconds,
        arrival is Arrival.poisson,
        in_flight,
        not new_connections,
    )
    tally = Tally()
    interrupted = common.run(_interrupted(plan, tally))
    result = {"interrupted": interrupted, **report(tally)}
    if output is Output.json:
        asked = {"url": address, "miljo": environment, "rate": rate, "seconds": seconds, "arrival": arrival.value}
        typer.echo(json.dumps({**asked, "new_connections": new_connections, **result}, indent=2))
    else:
        _print(result)
    p99 = result["latency_ms"].get("p99")
    if tally.failed or interrupted or p99 is None or (p99_limit is not None and p99 > p99_limit):
        raise typer.Exit(FAILED)


async def _interrupted(plan: Plan, tally: Tally) -> bool:
    """Whether Ctrl-C came before it had run."""
    telling = asyncio.create_task(_tell(plan, tally))
    try:
        await run(plan, tally)
    except asyncio.CancelledError:
        return True
    finally:
        telling.cancel()
    return False


async def _tell(plan: Plan, tally: Tally) -> None:
    started = monotonic()
    while True:
        await asyncio.sleep(max(1, plan.seconds / _TOLD))
        typer.echo(
            f"{monotonic() - started:.0f} s: {tally.due} due, {tally.in_flight} in flight, {tally.right} right, "
            f"{tally.failed} failed",
            err=True,
        )


def _print(result: Mapping[str, Any]) -> None:
    names = list(result["late_ms"])
    rows = [
        [said, *("never" if value is None else f"{value:.1f}" for value in result[kind].values())]
        for kind, said in _ROWS.items()
    ]
    print_table([["milliseconds", *names], *(row for row in rows if len(row) > 1)], Console())
    typer.echo(
        f"{result['due']} due, {result['sent']} sent, {result['right']} right ({result['right_per_second']} a second), "
        f"{result['failed']} failed in {result['elapsed_seconds']:.1f} s"
    )
    for kind, count in result["failures"].items():
        typer.echo(f"  {count:>6}  {printable(kind)}")
    if result["interrupted"]:
        typer.echo(f"interrupted; {result['unfinished']} were not answered yet and are not counted")
    typer.echo(f"this program used {result['generator_cpu']:.0%} of a core")
