"""Stored questions and answers: NAME.request.xml, NAME.response.xml, NAME.toml, in a folder and the folders in it."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssbtek_gateway import xmlgate
from ssbtek_gateway.replay import expected, ignores
from ssbtek_gateway.replay.expected import Expected, ExpectedError

if TYPE_CHECKING:
    from pathlib import Path

    from lxml.etree import _Element

    from ssbtek_gateway.replay.ignores import Ignore

REQUEST, RESPONSE, EXPECTED, IGNORE = ".request.xml", ".response.xml", ".toml", "ignore.txt"

_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# The name as XML 1.0 production 81 has it, so that nothing else reaches an HTTP header.
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")


class FixtureError(Exception):
    """The folder cannot be replayed; one line for each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Fixture:
    """One question and its stored answer. `name` is its path in the folder without the ending, such as `10/inget`.

    `request` is sent as it is. `response` is None where no answer is stored. `ignores` come from the `ignore.txt`
    beside it and from its own NAME.toml, whose other content is `expected`.
    """

    name: str
    request: bytes = field(repr=False)
    response: _Element | None = field(repr=False)
    ignores: tuple[Ignore, ...] = ()
    expected: Expected = field(default_factory=Expected)

    @property
    def charset(self) -> str:
        return charset(self.request)


def read(folder: Path, *, unanswered: bool = False) -> tuple[Fixture, ...]:
    """Every fixture in the folder and the folders in it, by name.

    Raises `FixtureError` where there is none, where a response or NAME.toml has no request, where a request has
    neither response nor expected fault (unless `unanswered` may be), and where one of the files cannot be read. A
    request may be anything.
    """
    names = {ending: _names(folder, ending) for ending in (REQUEST, RESPONSE, EXPECTED)}
    problems = [
        f"{folder / name}{ending}: has no {REQUEST}"
        for ending in (RESPONSE, EXPECTED)
        for name in names[ending] - names[REQUEST]
    ]
    if not names[REQUEST]:
        problems.append(f"{folder}: has no *{REQUEST}")
    fixtures = []
    for name in sorted(names[REQUEST]):
        # Names are shown in terminals and written into reports.
        if not name.isprintable():
            problems.append(f"{folder}: {name!r} has a character that cannot be printed")
            continue
        try:
            fixture = _read(folder, name)
        except _UnreadableError as error:
            problems.append(str(error))
            continue
        fixtures.append(fixture)
        if fixture.response is None and fixture.expected.fault is None and not unanswered:
            problems.append(f"{folder / name}{REQUEST}: has no {RESPONSE}")
    if problems:
        raise FixtureError(sorted(set(problems)))
    return tuple(fixtures)


def charset(data: bytes) -> str:
    """The charset to send with XML bytes: what the byte order mark says, else the declaration, else UTF-8."""
    for mark, name in _BOMS.items():
        if data.startswith(mark):
            return name
    found = _DECLARED.match(data)
    return found[1].decode("ascii") if found else "utf-8"


class _UnreadableError(Exception):
    """A file and why it cannot be read."""


def _names(folder: Path, ending: str) -> set[str]:
    return {path.relative_to(folder).as_posix().removesuffix(ending) for path in folder.rglob(f"*{ending}")}


def _read(folder: Path, name: str) -> Fixture:
    request = folder / f"{name}{REQUEST}"
    said = _expected(folder / f"{name}{EXPECTED}")
    return Fixture(
        name,
        _bytes(request),
        _response(folder / f"{name}{RESPONSE}"),
        (*_ignores(request.with_name(IGNORE)), *said.ignores),
        said,
    )


def _response(path: Path) -> _Element | None:
    if not path.exists():
        return None
    try:
        return xmlgate.parse_own(_bytes(path))
    except xmlgate.XmlError as error:
        raise _UnreadableError(f"{path}: {error.reason}") from None


def _expected(path: Path) -> Expected:
    if not path.exists():
        return Expected()
    try:
        return expected.read(path)
    except ExpectedError as error:
        raise _UnreadableError("\n".join(f"{path}: {problem}" for problem in str(error).splitlines())) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _ignores(path: Path) -> tuple[Ignore, ...]:
    if not path.exists():
        return ()
    try:
        return ignores.parse(_bytes(path).decode("utf-8"))
    except UnicodeDecodeError:
        raise _UnreadableError(f"{path}: is not UTF-8") from None
    except ignores.IgnoreError as error:
        raise _UnreadableError(f"{path}: {error}") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> _UnreadableError:
    return _UnreadableError(f"{path}: {error.strerror or type(error).__name__}")
