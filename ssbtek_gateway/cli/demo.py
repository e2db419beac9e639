"""`demo`: the whole chain on this machine, real TLS and all."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO
from urllib.parse import urlsplit

import typer

from ssbtek_gateway import devpki
from ssbtek_gateway.cli import ask
from ssbtek_gateway.cli.common import fail
from ssbtek_gateway.cli.serve import load
from ssbtek_gateway.client import TEST_ASKER, Client, ClientError
from ssbtek_gateway.config import KODER

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS = 30
_STOP_SECONDS = 40


def demo(
    config_file: Annotated[Path, typer.Option("--config", help="The gateway's configuration.")] = Path(
        "examples/development.toml"
    ),
    pki: Annotated[Path, typer.Option(help="Certificates; made where they are missing.")] = Path("certs/dev"),
    persona: Annotated[str, typer.Option(help="Whom to ask about.")] = "allt",
    contract: Annotated[str, typer.Option(help="The contract version.")] = "10",
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
    settings = load(config_file)
    person = ask.test_person(persona)
    run = settings.audit.database.parent if settings.audit.database else Path()
    run.mkdir(parents=True, exist_ok=True)
    log_file = None if stay else run / "demo.log"
    agencies = next((urlsplit(service.url).port or 443 for _, service in settings.bastjanst if service), 8450)
    listen = settings.listen
    # So that what was started is stopped, however this is ended.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    with ExitStack() as stack:
        # What the two log would stand in the middle of the answer.
        log = stack.enter_context(log_file.open("wb")) if log_file else None
        simulate = ("simulate", "--pki", str(pki), "--port", str(agencies))
        stack.enter_context(_running("the simulated agencies", simulate, "127.0.0.1", agencies, log))
        serve = ("serve", "--config", str(config_file))
        gateway = stack.enter_context(_running("the gateway", serve, listen.host, listen.port, log))
        url = f"https://{listen.host}:{listen.port}/ssbt/{contract}"
        if stay:
            _stay(url, pki, gateway)
            return
        try:
            with Client(url, pki / "ca.pem", pki / "client.pem", pki / "client.key") as client:
                answer = client.ask(person, ask.last_months(), TEST_ASKER, KODER)
        except ClientError as error:
            fail(str(error))
        ask.show(answer, output)
        if log is not None:
            typer.echo(f"log: {log.name}, audit: {settings.audit.database or settings.audit.postgresql}", err=True)


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


@contextmanager
def _running(
    what: str, arguments: tuple[str, ...], host: str, port: int, log: BinaryIO | None
) -> Iterator[subprocess.Popen[bytes]]:
    """A command of ours as a process of its own, from when it listens until it has stopped."""
    if _listens(host, port):
        fail(f"{what} cannot start: something already listens on {host}:{port}")
    # A session of its own: Ctrl-C reaches this process only, which then stops the others in order.
    process = subprocess.Popen(  # noqa: S603 - our own program, our own arguments
        (sys.executable, "-m", "ssbtek_gateway", *arguments), start_new_session=True, stderr=log
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(host, port):
            if process.poll() is not None:
                told = f"; see {log.name}" if log else ""
                fail(f"{what} did not start (exit code {process.returncode}){told}")
            if time.monotonic() > deadline:
                fail(f"{what} did not start within {_START_SECONDS} s")
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
