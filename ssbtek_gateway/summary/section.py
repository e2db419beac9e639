"""One section of the typed answer: who answered and how, its data, and which of that has been told of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.contracts.ssbtek1 import SSBTEK1
from ssbtek_gateway.summary.words import money

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

NS = f"{{{SSBTEK1.namespace}}}"
_XS = "{http://www.w3.org/2001/XMLSchema}"
# What says nothing about the person: the question repeated, whose answer it is, and what the overview tells.
_NOT_INFORMATION = frozenset(
    (
        *("Fraga", "Schemaversion", "Referensnummer", "LagParagraf", "IdentitetsbeteckningFysiskPerson"),
        *("StatusSokandeinformationKod", "StatusSokandeinformationKodText", "Sekretessmarkering"),
        *("OrganisationsnummerIngivare", "NamnIngivare", "KontonamnHandlaggare", "From", "Tom", "Syfte", "Paragraf"),
        *("OrganisationsnummerPersonuppgiftsbitrade", "NamnPersonuppgiftsbitrade", "IdentificationNumber"),
        *("SvarandeOrganisation", "StatusSvarandeOrganisation"),
        *("GemensamtFragaEkbistand", "GemensamtSvarEkbistand", "schemaVersion", "Status", "sekel", "sekretess"),
        *("lopnummer", "personnummer", "utlamnare", "avvikelser", "tomma", "error", "resultat", "felresultat"),
        *("korrelationsid", "correlationid"),
    )
)


@dataclass(frozen=True, slots=True, repr=False)
class Svarande:
    """One who answered, as the overview has it. `skal` only where it cannot be told."""

    organisation: str
    bedomning: str
    skal: str


class Section:
    """What stands in a section of `svarsdata`. Whatever is read of its data by `text` has been told of."""

    def __init__(self, element: _Element) -> None:
        self.kod = str(etree.QName(element).localname)
        self.data = element.find(f"{NS}data")
        self.agare = element.findtext(f"{NS}oversikt/{NS}agare", "")
        self.support = element.findtext(f"{NS}oversikt/{NS}support", "")
        self.svarande = [
            Svarande(*(said(one, f"{NS}{name}") for name in ("organisation", "bedomning", "skal")))
            for one in element.iterfind(f"{NS}oversikt/{NS}svarande")
        ]
        self._element = element
        self._told: set[_Element] = set()

    def each(self, path: str) -> list[_Element]:
        """The elements at `path` in its data; none where it has no data."""
        return [] if self.data is None else self.data.findall(path)

    def text(self, element: _Element, path: str) -> str:
        """What the first element at `path` says, in one line; nothing where there is none."""
        found = element.find(path)
        if found is not None:
            self._told.add(found)
        return said(element, path)

    def first(self, element: _Element, *paths: str) -> str:
        """The first text that there is at any of them, such as words, and else the code that they stand for."""
        texts = [self.text(element, path) for path in paths]
        return next(filter(None, texts), "")

    def coded(self, element: _Element, name: str) -> str:
        """The words of LEFI's code `name`, or the code."""
        return self.first(element, *(f"{{*}}{name}/{{*}}{part}" for part in ("beskrivning", "id", "kod")))

    def money(self, element: _Element, name: str) -> str:
        """LEFI's amount `name` in words of money; nothing where there is none."""
        text, valuta = (self.text(element, f"{{*}}{name}/{{*}}{part}") for part in ("summa", "valuta"))
        return money(text, valuta) if text else ""

    def error(self, part: str = "") -> str:
        """Why the section, or a part of it, has no data, in the gateway's words."""
        way = f"{NS}data/{NS}{part}/{NS}error" if part else f"{NS}error"
        return " ".join(said(text, ".") for text in self._element.iterfind(f"{way}/{NS}felmeddelande"))

    def left(self) -> list[_Element]:
        """What has a value and of which nothing has been told: the highest elements of that kind."""
        if self.data is None:
            return []
        shown = {above for one in self._told for above in one.iterancestors()}
        untold = (self._highest(one, shown) for one in _informing(self.data) if one not in self._told)
        return list(dict.fromkeys(untold))

    def _highest(self, element: _Element, shown: set[_Element]) -> _Element:
        """The highest element above one of which nothing is told either."""
        above = element.getparent()
        if above is None or above is self.data or above in shown:
            return element
        return self._highest(above, shown)


def _informing(element: _Element) -> Iterator[_Element]:
    """The elements below that have a value of their own."""
    for child in element.iterchildren(etree.Element):
        if etree.QName(child).localname not in _NOT_INFORMATION:
            values = [child.text, *(value for name, value in child.attrib.items() if name not in _NOT_INFORMATION)]
            if any(str(value or "").strip() for value in values):
                yield child
            yield from _informing(child)


def said(element: _Element, path: str) -> str:
    """The text of the first element at `path`, in one line."""
    found = element.find(path)
    return "" if found is None else " ".join("".join(map(str, found.itertext())).split())


@cache
def terms() -> Mapping[str, str]:
    """What the elements with Försäkringskassan's information are, in Swedish, as their schema says."""
    schema = xmlgate.parse_own(resources.xsd("services/fk/lefi_online.xsd").read_bytes())
    return {
        element.attrib["name"]: said(element, f"{_XS}annotation/{_XS}documentation").partition(".")[0]
        for kind in ("LefiFormansinformation", "LefiExternFormansinformationSvar")
        for element in schema.iterfind(f"{_XS}complexType[@name='{kind}']/{_XS}sequence/{_XS}element")
        if element.find(f"{_XS}annotation") is not None
    }
