"""`serve` and `check-config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssbtek_gateway import config, gateway, observe
from ssbtek_gateway.audit.store import AuditError
from ssbtek_gateway.cli.common import USAGE, fail, run

ConfigFile = Annotated[Path, typer.Option("--config", help="The configuration, a TOML file.", show_default=False)]


def load(path: Path) -> config.Settings:
    """The configuration; ends the command with exit code 2 where it cannot be used."""
    try:
        return config.load(path)
    except config.ConfigError as error:
        fail(str(error), USAGE)


def serve(config_file: ConfigFile) -> None:
    """Answer questions until Ctrl-C or SIGTERM; questions that were asked are finished first.

    Exit codes: 0 stopped, 1 cannot listen or open the audit, 2 the configuration cannot be used.

    Example: `ssbtek-gateway serve --config examples/development.toml`
    """
    settings = load(config_file)
    observe.configure()
    try:
        run(gateway.serve(settings))
    except (gateway.SetupError, AuditError) as error:
        fail(f"{config_file}: {error}")


def check_config(config_file: ConfigFile) -> None:
    """Check a configuration and the files that it names, without listening, connecting or writing.

    Exit codes: 0 it can be used, 1 a file that it names cannot, 2 the configuration itself cannot.

    Example: `ssbtek-gateway check-config --config examples/production.toml`
    """
    settings = load(config_file)
    try:
        gateway.check(settings)
    except gateway.SetupError as error:
        fail(f"{config_file}: {error}")
    connected = [kod for kod, service in settings.bastjanst if service is not None]
    typer.echo(f"{config_file}: can be used")
    typer.echo(f"  environment    {settings.miljo}")
    typer.echo(f"  address        {settings.public_url}, listening on {settings.listen.host}:{settings.listen.port}")
    typer.echo(f"  base services  {', '.join(connected) or 'none'}")
    typer.echo(f"  register       {len(settings.organisation)} organisations")
