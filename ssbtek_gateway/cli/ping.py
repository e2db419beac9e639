"""`ping`."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from ssbtek_gateway import gateway, materials, observe
from ssbtek_gateway.cli.common import FAILED, fail
from ssbtek_gateway.cli.serve import ConfigFile, load

if TYPE_CHECKING:
    from ssbtek_gateway.config import Settings
    from ssbtek_gateway.model import Failure
    from ssbtek_gateway.services.service import BaseService

    # Code, whether a test of its own was called, what went wrong, and milliseconds.
    Result = tuple[str, bool, Failure | None, float]


def ping(config_file: ConfigFile) -> None:
    """Try the connection to every configured base service, as `testaBastjanstInformation` does. Nobody is asked about.

    A service is called only where it has a test of its own and the configuration names what to test with; otherwise
    the connection alone is tried, TLS included.

    Exit codes: 0 all could be reached, 1 some could not, 2 the configuration cannot be used.

    Example: `ssbtek-gateway ping --config examples/development.toml`
    """
    settings = load(config_file)
    observe.configure()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            results = runner.run(_ping_all(settings))
    except materials.SetupError as error:
        fail(f"{config_file}: {error}")
    table = Table("service", "address", "called", "result", "ms")
    addresses = dict(settings.bastjanst)
    for kod, called, failed, milliseconds in results:
        result = f"{failed.felkod} ({failed.reason})" if failed else "ok"
        table.add_row(kod, addresses[kod].url, "yes" if called else "connection only", result, f"{milliseconds:.0f}")
    Console().print(table)
    if any(failed for _, _, failed, _ in results):
        raise typer.Exit(FAILED)


async def _ping_all(settings: Settings) -> list[Result]:
    services = gateway.connections(settings)
    try:
        return await asyncio.gather(*(_ping(kod, service) for kod, service in services.items()))
    finally:
        await asyncio.gather(*(service.close() for service in services.values()))


async def _ping(kod: str, service: BaseService) -> Result:
    started = monotonic()
    called, failed = await service.test()
    return kod, called, failed, 1000 * (monotonic() - started)
