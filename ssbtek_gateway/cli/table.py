"""The combined answer as a table that a person can read: a section a base service, a row a value."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from lxml import etree
from rich.table import Table

from ssbtek_gateway import xmlgate
from ssbtek_gateway.services import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.etree import _Element
    from rich.console import Console

# Where AF and CSN repeat the question.
_ECHO = {"Fraga", "GemensamtFragaEkbistand"}


def print_sections(sections: Iterable[_Element], console: Console) -> None:
    """Print every section: its data, or why there is none."""
    for section in sections:
        kod = etree.QName(section).localname
        title = f"{kod}  {REGISTRY[kod].agare}"
        error = section.find("{*}error")
        if error is not None:
            console.print(_error(title, error))
        else:
            table = Table("Uppgift", "Värde", title=title, title_justify="left", expand=True)
            for depth, name, value in _rows(_data(section), 0):
                table.add_row(f"{'  ' * depth}{name}", value)
            console.print(table)
        console.print()


def _error(title: str, error: _Element) -> Table:
    table = Table(title=title, title_justify="left", expand=True, show_header=False, border_style="red")
    source = "den sammansatta tjänsten" if error.findtext("{*}kalla") == "SSBT" else "bastjänsten"
    table.add_row("Fel", f"{error.findtext('{*}felkod')} (uppstod i {source})")
    for text in error.iterfind("{*}felmeddelande"):
        table.add_row("", text.text)
    return table


def _data(section: _Element) -> _Element:
    """The section's content: the element itself, or the XML document that it carries in base64 (CSN)."""
    (data,) = section
    svar = data.find("{*}svar")
    if etree.QName(section).localname == "CSN" and svar is not None:
        return xmlgate.parse_agency(b64decode(svar.text or ""), None)
    return data


def _rows(element: _Element, depth: int) -> Iterator[tuple[int, str, str]]:
    """Depth, name and value of what stands below, in document order, attributes first.

    Left out: the agency's echo of the question, and whatever holds no value.
    """
    for name, value in element.attrib.items():
        if value.strip():
            yield depth, str(etree.QName(name).localname), str(value)
    for child in element.iterchildren(etree.Element):
        name = etree.QName(child).localname
        text = (child.text or "").strip()
        below = list(_rows(child, depth + 1)) if name not in _ECHO else []
        if text or below:
            yield depth, name, text
            yield from below
