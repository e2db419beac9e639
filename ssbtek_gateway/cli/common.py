"""What the commands share: running a server, taking a personal number, and ending with a clear line."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
import uvloop

from ssbtek_gateway.model import PersonId

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

FAILED = 1
USAGE = 2

PersonFile = Annotated[
    Path | None,
    typer.Option(help="Read the personal number from a file, or from standard input with `-`.", allow_dash=True),
]


def fail(text: str, code: int = FAILED) -> NoReturn:
    """End with `text` on standard error and an exit code."""
    typer.echo(text, err=True)
    raise typer.Exit(code)


def read_person(person_file: Path | None) -> PersonId:
    """The number from a file, standard input or a hidden prompt; ends the command where it is none."""
    if person_file is None:
        text = typer.prompt("Personnummer (ÅÅÅÅMMDDNNNN)", hide_input=True, err=True)
    elif str(person_file) == "-":
        text = sys.stdin.readline()
    else:
        try:
            text = person_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"--person-file: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}", USAGE)
    try:
        return PersonId(text.strip())
    except ValueError as error:
        fail(str(error), USAGE)


def printable(text: str) -> str:
    """What a terminal may be shown of a text that others wrote: no control characters, nothing that turns it around."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def run(server: Coroutine[object, object, T]) -> T:
    """Run a server on uvloop until it ends. Ctrl-C cancels it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(server)
