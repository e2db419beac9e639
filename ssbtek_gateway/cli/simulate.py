"""`simulate`."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - typer reads it at run time
from pathlib import Path
from typing import Annotated

import typer

from ssbtek_gateway.cli.common import USAGE, fail, run
from ssbtek_gateway.simulator import AGENCIES, server
from ssbtek_gateway.simulator.dates import today_in_sweden
from ssbtek_gateway.simulator.faults import KINDS, parse_fault
from ssbtek_gateway.simulator.personas import FOLDER, PersonaError
from ssbtek_gateway.simulator.stored import StoredError
from ssbtek_gateway.simulator.wssecurity import Signing

# Of a folder made by `dev-pki`: certificate, key, and whose questions are taken.
_SIGNING = ("agency-signing.pem", "agency-signing.key", "gateway-signing.pem")


def _list_faults(asked: bool) -> None:
    if asked:
        width = max(map(len, KINDS))
        typer.echo("\n".join(f"{kind:{width}}  {text}" for kind, text in KINDS.items()))
        raise typer.Exit


def simulate(
    pki: Annotated[Path, typer.Option(help="A folder made by `dev-pki`.")] = Path("certs/dev"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)] = 8450,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="A fault of one base service, such as `AF=hang` or `SO=slow:3`. Repeat for several."),
    ] = None,
    control: Annotated[
        int | None,
        typer.Option(
            help="A port on this machine, plain HTTP, where faults are switched while it runs.", min=0, max=65535
        ),
    ] = None,
    fixtures: Annotated[
        Path | None,
        typer.Option(help="Answers recorded or written by hand, in folders `af`, `fk`, …; they come before personas'."),
    ] = None,
    people: Annotated[Path, typer.Option("--personas", help="A folder of personas, instead of ours.")] = FOLDER,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that it is for the agencies.")
    ] = None,
    *,
    signed: Annotated[
        bool, typer.Option("--signed", help="Take signed questions only, and sign answers (WS-Security, SOAP).")
    ] = False,
    faults: Annotated[  # noqa: ARG001 - answered by its callback
        bool, typer.Option("--faults", help="List the kinds of faults and stop.", callback=_list_faults, is_eager=True)
    ] = False,
) -> None:
    """Play the agencies' base services over mutual TLS, from personas and, if given, from fixtures.

    Each is at its own address, such as /af; Försäkringskassan over SOAP at /fk, and over REST below it.

    With `--control 8451`, while it runs: `curl -X PUT -d slow:3 http://127.0.0.1:8451/faults/SO` makes SO slow,
    `curl -X DELETE http://127.0.0.1:8451/faults` makes all well, and `curl http://127.0.0.1:8451/asked` tells how often
    each was asked. `curl -X PUT --data-binary @anna.xml http://127.0.0.1:8451/personas/anna` makes a person known.

    Files of `--fixtures` and `--personas` are read again as they change; what cannot be used is told with file, line
    and rule, and leaves all as it was.

    Exit codes: 0 stopped, 1 cannot listen, 2 a fault, persona or fixture cannot be used.

    Examples: `ssbtek-gateway simulate`, `ssbtek-gateway simulate --fault CSN=fault --fault SO=slow:30`,
    `ssbtek-gateway simulate --control 8451`, `ssbtek-gateway simulate --fixtures recorded/agencies`,
    `ssbtek-gateway simulate --faults`
    """
    try:
        played = dict(parse_fault(text) for text in fault or ())
    except ValueError as error:
        fail(str(error), USAGE)

    def started(ports: list[int]) -> None:
        paths = ", ".join(code.lower() for code in AGENCIES)
        typer.echo(f"agencies: https://{host}:{ports[0]}/ and {paths} (fk over REST and SOAP)", err=True)
        for taken in ports[1:]:
            typer.echo(f"control: http://127.0.0.1:{taken}/", err=True)

    try:
        settings = server.Settings(
            host,
            port,
            certificate=pki / "agency.pem",
            key=pki / "agency.key",
            client_ca=(pki / "ca.pem",),
            faults=played,
            control=control,
            signing=Signing.load(*(pki / name for name in _SIGNING)) if signed else None,
            fixtures=fixtures,
            personas=people,
            today=today.date if today is not None else today_in_sweden,
            tell=lambda text: typer.echo(text, err=True),
        )
        run(server.serve(settings, started))
    except (PersonaError, StoredError) as error:
        fail(str(error), USAGE)
    except OSError as error:
        ports = f"{host}:{port}" if control is None else f"{host}:{port} and 127.0.0.1:{control}"
        fail(f"cannot serve on {ports} with the files in {pki}: {error.strerror or type(error).__name__}")
