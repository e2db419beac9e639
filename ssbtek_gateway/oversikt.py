"""The svarsöversikt: what the published contract cannot say, in a header block of our own (docs/svarsoversikt.md).

Per section and answering organisation whether it answered, found nothing or cannot be told, so that nobody reads a
silence as zero. It tells about the answers and repeats nothing of them but the names of those who answered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.model import Bedomning, Failure, Oversikt, Verdict
from ssbtek_gateway.services import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from ssbtek_gateway.model import Outcome

# Whose answers a section holds, where they are several and known beforehand.
_ORGANISATIONS = {"FK": ("FK", "PM")}
NAMESPACE = "urn:ssbtek-gateway:svarsoversikt:1"


def of(outcomes: Mapping[str, Outcome], seconds: Mapping[str, float], began: datetime) -> dict[str, Oversikt]:
    """An overview of each outcome, in the order given.

    `seconds` is how long after `began` each base service's was clear; one that was not asked is left out of it.
    """
    return {kod: _of(kod, outcome, seconds.get(kod, 0), began) for kod, outcome in outcomes.items()}


def _of(kod: str, outcome: Outcome, seconds: float, began: datetime) -> Oversikt:
    entry = REGISTRY[kod]
    tidpunkt = began + timedelta(seconds=seconds)
    return Oversikt(entry.agare, entry.support, tidpunkt, round(1000 * seconds), _judged(kod, outcome))


def written(oversikter: Mapping[str, Oversikt], last_day: date | None) -> bytes:
    """The element `svarsoversikt` (xsd/svarsoversikt), UTF-8: a section for each overview, in the order given.

    `last_day` is that of the question's version, where one is set.
    """
    root = etree.Element(f"{{{NAMESPACE}}}svarsoversikt", nsmap={"oversikt": NAMESPACE})
    if last_day is not None:
        root.set("stanger", last_day.isoformat())
    for kod, oversikt in oversikter.items():
        tag = f"{{{NAMESPACE}}}sektion"
        sektion = etree.SubElement(root, tag, kod=kod, millisekunder=str(oversikt.millisekunder))
        etree.SubElement(sektion, f"{{{NAMESPACE}}}agare").text = oversikt.agare
        if oversikt.support:
            etree.SubElement(sektion, f"{{{NAMESPACE}}}support").text = oversikt.support
        for judged in oversikt.svarande:
            said = {"organisation": judged.organisation, "bedomning": judged.verdict, "skal": judged.skal}
            etree.SubElement(sektion, f"{{{NAMESPACE}}}svarande", {name: text for name, text in said.items() if text})
    return etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def _judged(kod: str, outcome: Outcome) -> tuple[Bedomning, ...]:
    if isinstance(outcome, Failure):
        skal = f"{outcome.kalla} {outcome.felkod}"
        return tuple(Bedomning(one, Verdict.KAN_EJ_AVGORAS, skal) for one in _ORGANISATIONS.get(kod, (kod,)))
    return outcome.bedomningar
