"""What the commands share: running a server, and ending with a clear line instead of a trace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

import typer
import uvloop

if TYPE_CHECKING:
    from collections.abc import Coroutine

FAILED = 1
USAGE = 2


def fail(text: str, code: int = FAILED) -> NoReturn:
    """End with `text` on standard error and an exit code."""
    typer.echo(text, err=True)
    raise typer.Exit(code)


def printable(text: str) -> str:
    """What a terminal may be shown of a text that others wrote: no control characters, nothing that turns it around."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def run(server: Coroutine[object, object, None]) -> None:
    """Run a server on uvloop until it ends."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server)
