"""The options that several of the commands which play a caller have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ssbtek_gateway.cli.common import USAGE, fail
from ssbtek_gateway.config import KODER
from ssbtek_gateway.contracts import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssbtek_gateway.contracts.contract import Contract as Version

Authority = Annotated[Path, typer.Option(help="The authority of the service's certificate.")]
Certificate = Annotated[Path, typer.Option(help="Our certificate.")]
Key = Annotated[Path, typer.Option(help="Its key.")]
Contract = Annotated[str, typer.Option(help=f"The contract version ({', '.join(CONTRACTS)}).")]
Url = Annotated[str | None, typer.Option(help="The service's address, instead of the development gateway's.")]
Bastjanst = Annotated[
    list[str] | None, typer.Option(help=f"Ask only this base service ({', '.join(KODER)}). Repeat for several.")
]
Organisation = Annotated[str, typer.Option(help="The ingivare's organisation number, 16 first.")]
Namn = Annotated[str, typer.Option(help="The ingivare's name.")]
Handlaggare = Annotated[str, typer.Option(help="Who asks.")]
Arende = Annotated[str, typer.Option(help="The case.")]
Syfte = Annotated[str, typer.Option(help="The purpose.")]
Lagtext = Annotated[str, typer.Option(help="The legal ground.")]
Aktorsid = Annotated[str, typer.Option(help="Whom FK is asked for.")]


def services(bastjanst: Sequence[str] | None) -> tuple[str, ...]:
    """The base services to ask, all unless some are given; ends the command where there is none of that name."""
    unknown = set(bastjanst or ()) - set(KODER)
    if unknown:
        fail(f"--bastjanst: {', '.join(sorted(unknown))} is not one of {', '.join(KODER)}", USAGE)
    return tuple(bastjanst or KODER)


def version(contract: str) -> Version:
    """That version of the contract; ends the command where there is none of that name."""
    if contract not in CONTRACTS:
        fail(f"--contract: there is no {contract}, only {', '.join(CONTRACTS)}", USAGE)
    return CONTRACTS[contract]


def address(url: str | None, contract: str) -> str:
    """Where the questions go."""
    return url or f"https://127.0.0.1:8443{version(contract).path}"


def demand_files(*paths: Path) -> None:
    """End the command where a certificate or key is missing."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        fail(
            f"{missing[0]} does not exist; `ssbtek-gateway dev-pki certs/dev` makes certificates for development", USAGE
        )
