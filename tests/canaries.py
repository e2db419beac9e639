"""The personas' numbers, names, addresses, accounts and cars, and the search for them in all that a gateway leaves.

`search` is called wherever the tests see what a gateway wrote, told, or was started with; what it finds fails the
functional test during which it was found (functional/conftest.py). What callers are answered is theirs to know.
"""

from __future__ import annotations

import http.client
import os
import re
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from ssbtek_gateway.simulator.personas import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT = "".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.xml")))
_NAME = re.compile(r'<(?:\w+:)?(?:[Ff]ornamn|[Ee]fternamn)>([^<]+)<|"namn": "([^"]+)", "skyddad"')
_OTHER = re.compile(r'(?:regnr|Akassetillhorighet)>([^<\n]+)<|"(?:utdelningadress|utbetalningskonto)": \[?"([^"]+)"')
# Names one by one; addresses, accounts, cars and a-kassor whole.
_WHOLE = map("".join, _OTHER.findall(_TEXT))
WORDS = frozenset([*_WHOLE, *(word for found in _NAME.findall(_TEXT) for word in "".join(found).split())])
NUMBERS = frozenset(re.findall(r"\b(?:19|20)[0-9]{10}\b", _TEXT))
# With and without blanks; with and without century and separator.
_SPELLED = [re.escape(word).replace(r"\ ", " ?") + r"\b" for word in sorted(WORDS)]
_SOUGHT = re.compile("|".join([*_SPELLED, *(f"{one[2:8]}[-+]?{one[8:]}" for one in sorted(NUMBERS))]).encode())
# What the tests themselves write into a gateway's folder.
_OURS = {".toml", ".xml", ".txt", ".pem", ".key"}
_FOUND: set[str] = set()


def search(place: str, content: bytes | str) -> None:
    """Note what of all this stands in `content`, and that it was at `place`."""
    data = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")
    _FOUND.update(f"{found.decode()} in {place}" for found in _SOUGHT.findall(data))


def search_files(folder: Path) -> None:
    """What a gateway has written in its folder."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in _OURS:
            search(path.name, path.name.encode() + b"\n" + path.read_bytes())


def search_processes(pid: int) -> None:
    """How a process and those that it has started were started."""
    for one in _family(pid):
        for name in ("cmdline", "environ", "comm"):
            with suppress(OSError):  # it has just ended
                search(f"process {name}", Path(f"/proc/{one}/{name}").read_bytes())


def taken() -> set[str]:
    """What has been found since this was asked last."""
    found = set(_FOUND)
    _FOUND.clear()
    return found


def at_start(event: str, arguments: tuple[object, ...]) -> None:
    """For `sys.addaudithook`: what processes are started with."""
    if event == "subprocess.Popen":
        _, command, _, environment = arguments
        search("a process's arguments", repr(command))
        search("a process's environment", repr(environment or os.environ))


class Response(http.client.HTTPResponse):
    """For every connection of `http.client`, which requests and so zeep use too: refusals are searched."""

    def read(self, amt: int | None = None) -> bytes:
        data = super().read(amt)
        if self.status != HTTPStatus.OK:
            search("fault", data)
        return data


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text(encoding="ascii").split():
                yield from _family(int(child))
