"""`serve` and `check-config`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ssbtek_gateway import closing, config, gateway, materials
from ssbtek_gateway.cli.common import USAGE, fail
from ssbtek_gateway.services.service import today
from ssbtek_gateway.supervisor.plan import Plan

# Beyond what a worker waits for its questions: to write the audit and give back its connections.
_STOP_RESERVE_SECONDS = 15

ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration, a TOML file.", show_default=False)]


def load(path: Path) -> config.Settings:
    """The configuration; ends the command with exit code 2 where it cannot be used."""
    try:
        return config.load(path)
    except config.ConfigError as error:
        fail(str(error), USAGE)


def _check(path: Path, settings: config.Settings) -> None:
    try:
        gateway.check(settings)
    except materials.SetupError as error:
        fail(f"{path}: {error}")


def serve(config_file: ConfigFile) -> None:
    """Answer questions until Ctrl-C or SIGTERM; questions that were asked are finished first.

    Exit codes: 0 stopped, 1 it cannot listen, open the audit or use a file, 2 the configuration cannot be used.

    Example: `ssbtek-gateway serve --config examples/development.toml`
    """
    settings = load(config_file)
    _check(config_file, settings)
    management = settings.management
    plan = Plan(
        config=str(config_file),
        workers=settings.processes.workers,
        hung_seconds=settings.processes.hung_seconds,
        stop_seconds=gateway.drain_seconds(settings.limits) + _STOP_RESERVE_SECONDS,
        addresses=gateway.addresses(settings),
        management=(management.host, management.port) if management else None,
    )
    # The same process goes on as the supervisor, without the memory of what has been imported here.
    os.execv(sys.executable, plan.command())  # noqa: S606 - our own program, our own arguments


def check_config(config_file: ConfigFile) -> None:
    """Check a configuration and the files that it names, without listening, connecting or writing.

    Exit codes: 0 it can be used, 1 a file that it names cannot, 2 the configuration itself cannot.

    Example: `ssbtek-gateway check-config --config examples/production.toml`
    """
    settings = load(config_file)
    _check(config_file, settings)
    connected = [kod for kod, service in settings.bastjanst if service is not None]
    typer.echo(f"{config_file}: can be used")
    typer.echo(f"  environment    {settings.miljo}")
    typer.echo(f"  address        {settings.public_url}, listening on {settings.listen.host}:{settings.listen.port}")
    typer.echo(f"  audit          {materials.audit_backend(settings)}")
    typer.echo(f"  base services  {', '.join(connected) or 'none'}")
    typer.echo(f"  register       {len(settings.organisation)} organisations")
    for one in closing.soon(settings, today()):
        typer.echo(f"  warning        {one}")
