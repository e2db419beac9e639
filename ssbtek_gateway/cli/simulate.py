"""`simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssbtek_gateway.cli.common import USAGE, fail, run
from ssbtek_gateway.simulator import server
from ssbtek_gateway.simulator.faults import parse_fault
from ssbtek_gateway.simulator.personas import PersonaError
from ssbtek_gateway.simulator.wssecurity import Signing

# Of a folder made by `dev-pki`: certificate, key, and whose questions are taken.
_SIGNING = ("agency-signing.pem", "agency-signing.key", "gateway-signing.pem")


def simulate(
    pki: Annotated[Path, typer.Option(help="A folder made by `dev-pki`.")] = Path("certs/dev"),
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)] = 8450,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="A fault of one base service, such as `AF=hang` or `SO=slow:3`. Repeat for several."),
    ] = None,
    *,
    signed: Annotated[
        bool, typer.Option("--signed", help="Take signed questions only, and sign answers (WS-Security, SOAP).")
    ] = False,
) -> None:
    """Play the agencies' base services over mutual TLS, from the personas that ship with the program.

    Exit codes: 0 stopped, 1 cannot listen, 2 a fault or persona cannot be used.

    Examples: `ssbtek-gateway simulate`, `ssbtek-gateway simulate --fault CSN=fault --fault SO=slow:30`
    """
    try:
        faults = dict(parse_fault(text) for text in fault or ())
    except ValueError as error:
        fail(str(error), USAGE)
    try:
        settings = server.Settings(
            host,
            port,
            certificate=pki / "agency.pem",
            key=pki / "agency.key",
            client_ca=(pki / "ca.pem",),
            faults=faults,
            signing=Signing.load(*(pki / name for name in _SIGNING)) if signed else None,
        )
        run(server.serve(settings, lambda taken: typer.echo(f"agencies: https://{host}:{taken}/", err=True)))
    except PersonaError as error:
        fail(str(error), USAGE)
    except OSError as error:
        fail(f"cannot serve on {host}:{port} with the files in {pki}: {error.strerror or type(error).__name__}")
