"""`demo`: the whole chain on this machine, real TLS and all."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from ssbtek_gateway import devpki, resources
from ssbtek_gateway.background import NotStartedError, running
from ssbtek_gateway.cli import ask, options
from ssbtek_gateway.cli.common import fail
from ssbtek_gateway.cli.serve import load
from ssbtek_gateway.client import TEST_ASKER, Client, ClientError, last_months
from ssbtek_gateway.config import KODER

if TYPE_CHECKING:
    import subprocess

# Outside of a checkout, as from the wheel, it is made.
_CONFIG = Path("examples/development.toml")


def demo(
    config_file: Annotated[
        Path, typer.Option("--config", help="The gateway's configuration; the default is made where it is missing.")
    ] = _CONFIG,
    pki: Annotated[Path, typer.Option(help="Certificates; made where they are missing.")] = Path("certs/dev"),
    persona: Annotated[str, typer.Option(help="Whom to ask about.")] = "allt",
    contract: options.Contract = "10",
    output: Annotated[ask.Output, typer.Option("--output", "-o", help="How to print the answer.")] = ask.Output.table,
    *,
    stay: Annotated[bool, typer.Option("--stay", help="Ask nothing; keep running until Ctrl-C.")] = False,
) -> None:
    """Start the simulated agencies and the gateway, ask one question, print the answer, stop both.

    Exit codes: 0 answered (or stopped with Ctrl-C), 1 something did not start or answer.

    Examples: `ssbtek-gateway demo`, `ssbtek-gateway demo --output xml`, `ssbtek-gateway demo --stay`
    """
    if not devpki.complete(pki):
        devpki.write(pki)
    if config_file == _CONFIG and not _CONFIG.exists():
        _CONFIG.parent.mkdir(exist_ok=True)
        _CONFIG.write_bytes(resources.example(_CONFIG.name).read_bytes())
    path = options.version(contract).path
    settings = load(config_file)
    person = ask.test_person(persona)
    run = settings.audit.database.parent if settings.audit.database else Path()
    run.mkdir(parents=True, exist_ok=True)
    log_file = None if stay else run / "demo.log"
    agencies = next((urlsplit(service.url).port or 443 for _, service in settings.bastjanst if service), 8450)
    listen = settings.listen
    # So that what was started is stopped, however this is ended.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    try:
        with ExitStack() as stack:
            # What the two log would stand in the middle of the answer.
            log = stack.enter_context(log_file.open("wb")) if log_file else None
            simulate = ("simulate", "--pki", str(pki), "--port", str(agencies))
            stack.enter_context(running("the simulated agencies", simulate, "127.0.0.1", agencies, log))
            serve = ("serve", "--config", str(config_file))
            gateway = stack.enter_context(running("the gateway", serve, listen.host, listen.port, log))
            url = f"https://{listen.host}:{listen.port}{path}"
            if stay:
                _stay(url, pki, gateway)
                return
            with Client(url, pki / "ca.pem", pki / "client.pem", pki / "client.key") as client:
                ask.show(client.ask(person, last_months(), TEST_ASKER, KODER), output)
    except (ClientError, NotStartedError) as error:
        fail(str(error))
    typer.echo(f"log: {log_file}, audit: {settings.audit.database or settings.audit.postgresql}", err=True)


def _stay(url: str, pki: Path, gateway: subprocess.Popen[bytes]) -> None:
    typer.echo(f"gateway      {url}   (WSDL: {url}?wsdl)")
    typer.echo(f"certificates {pki}: ca.pem, client.pem, client.key")
    command = relpath(Path(sys.executable).with_name("ssbtek-gateway"))
    typer.echo(f"try          {command} ask --persona allt --url {url}")
    typer.echo("stop         Ctrl-C")
    try:
        gateway.wait()
    except KeyboardInterrupt:
        typer.echo("stopping")
        return
    fail("the gateway ended by itself")
