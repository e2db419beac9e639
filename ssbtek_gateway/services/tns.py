"""Transportstyrelsen, fordonsinnehav."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbtek_gateway.services.service import judged, undecided
from ssbtek_gateway.services.soap import SoapService, SoapSpec

if TYPE_CHECKING:
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.config import SoapBastjanst
    from ssbtek_gateway.model import Bedomning, Question

# Its schema's SekelType.
_CENTURIES = {"19", "20"}


def connect(settings: SoapBastjanst) -> SoapService:
    """Call on the running event loop."""
    return SoapService(SPEC, settings)


def _limit(question: Question, _today: date) -> str | None:
    if question.person.reveal()[:2] not in _CENTURIES:
        return "personidentitet: Transportstyrelsen svarar om personer födda på 1900- eller 2000-talet."
    return None


def _message(question: Question) -> dict[str, Any]:
    person = question.person.reveal()
    return {"identifikation": {"sekel": person[:2], "personnummer": person[2:]}}


def _persons(_answer: _Element) -> list[str]:
    return []  # the answer names vehicles, no person


def _judge(answer: _Element) -> list[Bedomning]:
    if answer.findtext("{*}resultat", "").strip() != "OK":
        return [undecided("TNS", "resultat FEL")]
    return [judged("TNS", found=answer.find("{*}fordonsinnehav/{*}fordon") is not None)]


SPEC = SoapSpec(
    wsdl="services/tns.wsdl",
    schema="services/tns/hamtauppgifter.xsd",
    limit=_limit,
    message=_message,
    persons=_persons,
    judge=_judge,
)
