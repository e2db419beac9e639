"""Tables that a person can read: the combined answer, a section a base service; who asked about somebody; rows."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import asdict
from typing import TYPE_CHECKING

from lxml import etree
from rich.table import Table
from rich.text import Text

from ssbtek_gateway import jsongate, xmlgate
from ssbtek_gateway.cli.common import printable
from ssbtek_gateway.services import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lxml.etree import _Element
    from rich.console import Console

    from ssbtek_gateway.audit.who import Asked

    # Depth, name and value.
    Row = tuple[int, str, str]

# Where AF and CSN repeat the question.
_ECHO = {"Fraga", "GemensamtFragaEkbistand"}


def print_sections(sections: Iterable[_Element], console: Console) -> None:
    """Print every section: its data, or why there is none."""
    for section in sections:
        kod = etree.QName(section).localname
        table = Table("Uppgift", "Värde", title=f"{kod}  {REGISTRY[kod].agare}", title_justify="left", expand=True)
        for depth, name, value in _section_rows(kod, section):
            table.add_row(f"{'  ' * depth}{name}", value)
        console.print(table)
        console.print()


def print_asked(asked: Sequence[Asked], console: Console) -> None:
    """Print who asked about a person, a block a question."""
    for question in asked:
        table = Table(title=_safe(str(question.tidpunkt)), title_justify="left", show_header=False, expand=True)
        for name, value in asdict(question).items():
            if name != "tidpunkt":
                table.add_row(name, _safe("obesvarad" if value is None and name == "utfall" else _told(value)))
        console.print(table)
    console.print(f"{len(asked)} frågor")


def print_table(rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print texts, a row a line; the first row has the names."""
    names, *values = rows
    table = Table(*names)
    for row in values:
        table.add_row(*map(_safe, row))
    console.print(table)


def _told(value: object) -> str:
    """A period as its two days, what is said of several services in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_told(member)}" for name, member in value.items())
    return "/".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _safe(text: str) -> Text:
    """What a caller wrote is neither markup nor a command to the terminal."""
    return Text(printable(text))


def _section_rows(kod: str, section: _Element) -> Iterator[Row]:
    for part in section:
        name = etree.QName(part).localname
        if name == "error":
            yield from _error_rows(part)
            if REGISTRY[kod].support:
                yield 0, "Support", REGISTRY[kod].support
        elif name == "data":
            yield from _data_rows(kod, part)
        else:  # a part of SKV's answer from version 11 on
            yield 0, name, ""
            for child in part:
                rows = _error_rows(child) if etree.QName(child).localname == "error" else _json_rows(_decoded(child))
                yield from ((depth + 1, name, value) for depth, name, value in rows)


def _data_rows(kod: str, data: _Element) -> Iterator[Row]:
    svar = data.find("{*}svar")
    lefi = data.find("{*}lefiJsonSvar")
    if lefi is not None:
        yield from _json_rows(_decoded(lefi))
    elif svar is not None and kod == "CSN":  # a document in base64
        yield from _xml_rows(xmlgate.parse_agency(b64decode(svar.text or ""), None))
    elif svar is not None and kod == "SKV":  # a document in a text
        yield from _xml_rows(xmlgate.parse_agency_text(svar.text or ""))
    else:
        yield from _xml_rows(data)


def _error_rows(error: _Element) -> Iterator[Row]:
    source = "den sammansatta tjänsten" if error.findtext("{*}kalla") == "SSBT" else "bastjänsten"
    yield 0, "FEL", f"{error.findtext('{*}felkod')} (uppstod i {source})"
    for text in error.iterfind("{*}felmeddelande"):
        yield 0, "", text.text or ""


def _xml_rows(element: _Element, depth: int = 0) -> Iterator[Row]:
    """What stands below, in document order, attributes first.

    Left out: the agency's echo of the question, and whatever holds no value.
    """
    for attribute, value in element.attrib.items():
        if str(value).strip():
            yield depth, str(etree.QName(attribute).localname), str(value)
    for child in element.iterchildren(etree.Element):
        name = etree.QName(child).localname
        text = (child.text or "").strip()
        below = list(_xml_rows(child, depth + 1)) if name not in _ECHO else []
        if text or below:
            yield depth, name, text
            yield from below


def _json_rows(value: object, name: str = "", depth: int = 0) -> Iterator[Row]:
    """The same for JSON: a list is its members under one name each."""
    if isinstance(value, list):
        for member in value:
            yield from _json_rows(member, name, depth)
    elif isinstance(value, dict):
        if name:
            yield depth, name, ""
            depth += 1
        for key, child in value.items():
            yield from _json_rows(child, key, depth)
    else:
        yield depth, name, ("nej", "ja")[value] if isinstance(value, bool) else str(value)


def _decoded(element: _Element) -> object:
    return jsongate.parse(b64decode(element.text or ""), unique=False)
