"""`dev-pki`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import Annotated

import typer

from ssbtek_gateway import devpki


def dev_pki(
    folder: Annotated[Path, typer.Argument(help="Where to write; existing files of the same names are replaced.")],
    *,
    missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing where the folder has them all.")] = False,
) -> None:
    """Make certificates and keys for development: an authority, a server, the agencies, and three organisations.

    Example: `ssbtek-gateway dev-pki certs/dev`
    """
    if missing and devpki.complete(folder):
        return
    for path in devpki.write(folder):
        typer.echo(path)
