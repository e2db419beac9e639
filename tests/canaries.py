"""Everybody's numbers, in every spelling, and the search for them in what a test leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssbtek_gateway.simulator import personas
from ssbtek_gateway.simulator.dates import today_in_sweden

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a gateway writes. Requests, personas and configurations are the tests' own.
_WRITTEN = ("*.sqlite*", "*.log", "head-*.json", "*.jsonl", "*.replay*")


def _spellings() -> Iterator[str]:
    for persona in personas.load(personas.FOLDER, today_in_sweden()).values():
        number = persona.person.reveal()
        yield from (number, number[2:], f"{number[:8]}-{number[8:]}", f"{number[2:8]}-{number[8:]}")


NUMBERS = frozenset(_spellings())


def leaked(text: str, folder: Path | None) -> set[str]:
    """The numbers in `text`, and the names of files under `folder` that hold one."""
    found = {number for number in NUMBERS if number in text}
    for pattern in _WRITTEN if folder is not None else ():
        for path in folder.rglob(pattern) if folder else ():
            content = path.read_bytes() if path.is_file() else b""
            found |= {path.name for number in NUMBERS if number.encode() in content}
    return found
