"""An answer of the typed contract as a handläggare reads it: rows of words, in Swedish. Pure functions over elements.

What is to be known first stands first: whose identity is protected, then who could not answer, then the amounts. What
has no row is counted by name, so that nothing is hidden.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from lxml import etree

from ssbtek_gateway.contracts.ssbtek1 import SSBTEK1
from ssbtek_gateway.json_xml import LEFI
from ssbtek_gateway.services import REGISTRY
from ssbtek_gateway.summary.decisions import Decision, Line, applications, decisions, suspensions
from ssbtek_gateway.summary.facts import facts
from ssbtek_gateway.summary.payments import MonthOfPayer, Payment, by_month, payments
from ssbtek_gateway.summary.section import NS, Section, said, terms
from ssbtek_gateway.summary.verdicts import KAN_EJ_AVGORAS, Verdict, payers, protected, uncertain, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lxml.etree import _Element

__all__ = ["KAN_EJ_AVGORAS", "Line", "Summary", "is_typed", "read"]

_Row = TypeVar("_Row", Decision, Line)


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """What an answer says, part by part in the order in which it is to be read. Never printed by accident."""

    skyddade: list[str]
    """Who has a protected identity, without name."""
    bedomningar: list[Verdict]
    """Those first who could not answer."""
    manader: list[MonthOfPayer]
    ofullstandiga: list[str]
    """Payers that could not tell of all that they pay."""
    utbetalningar: list[Payment]
    beslut: list[Decision]
    avstangningar: list[Line]
    ansokningar: list[Line]
    uppgifter: list[Line]
    ovrigt: list[Line]
    """What has no row above: how many there are of it, by name."""


def is_typed(sections: Iterable[_Element]) -> bool:
    """Whether they are of the typed contract."""
    return any(str(section.tag).startswith(NS) for section in sections)


def read(elements: Iterable[_Element]) -> Summary:
    """The sections of an answer in words."""
    sections = [Section(element) for element in elements]
    asked = {section.kod for section in sections}
    judged = [verdict for section in sections for verdict in verdicts(section)]
    judged += [Verdict(REGISTRY[kod].agare, "INTE TILLFRÅGAD") for kod in SSBTEK1.sections if kod not in asked]
    paid = [payment for section in sections for payment in payments(section)]
    unsure = {name for section in sections for name in uncertain(section)}

    def rows(reader: Callable[[Section], list[_Row]]) -> list[_Row]:
        found = (row for section in sections for row in reader(section))
        return [replace(row, vem=f"{row.vem} ({KAN_EJ_AVGORAS})") if row.vem in unsure else row for row in found]

    return Summary(
        skyddade=protected(sections),
        bedomningar=sorted(judged, key=lambda verdict: verdict.bedomning != KAN_EJ_AVGORAS),
        manader=by_month(paid),
        ofullstandiga=list(dict.fromkeys(name for section in sections for name in payers(section))),
        utbetalningar=sorted(paid, key=lambda payment: payment.datum),
        beslut=rows(decisions),
        avstangningar=rows(suspensions),
        ansokningar=rows(applications),
        uppgifter=rows(facts),
        # Last: what has been read of a section by then has been told of.
        ovrigt=[Line(section.agare, _counted(left)) for section in sections if (left := section.left())],
    )


def _counted(left: Iterable[_Element]) -> str:
    counts = Counter(map(_term, left))
    return ", ".join(f"{name}: {count}" for name, count in counts.items())


def _term(element: _Element) -> str:
    """What an element is called in words, where there are any: those of LEFI's schema, or its own."""
    name = str(etree.QName(element).localname)
    of_lefi = terms().get(name, name) if str(element.tag).startswith(f"{{{LEFI.namespace}}}") else name
    return said(element, "{*}informationstyp/{*}beskrivning") or of_lefi
