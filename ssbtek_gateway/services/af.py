"""Arbetsförmedlingen, AFLI ersättningsstöd version 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbtek_gateway.model import XmlPayload
from ssbtek_gateway.services.soap import SoapSpec, text

if TYPE_CHECKING:
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.config import Bastjanst
    from ssbtek_gateway.model import Question

_PERSON = ".//{http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2}IdentitetsbeteckningFysiskPerson"


def spec(_settings: Bastjanst) -> SoapSpec:
    return SoapSpec(
        wsdl="services/af.wsdl",
        schema="services/af/ersattningsstod.xsd",
        limit=_limit,
        message=_message,
        persons=_persons,
        payload=XmlPayload,
    )


def _limit(question: Question, _today: date) -> str | None:
    if len(question.bitraden) > 1:
        return "personuppgiftsbitrade: Arbetsförmedlingen tar emot högst ett."
    return None


def _message(question: Question) -> dict[str, Any]:
    period = question.perioder["AF"]
    fraga = {
        "OrganisationsnummerForIngivare": question.ingivare.organisationsnummer,
        "NamnPaIngivare": question.ingivare.namn,
        "KontonamnForHandlaggare": question.handlaggare,
        "Referensnummer": question.arendeidentitet,
        "From": period.from_datum,
        "Tom": period.tom_datum,
        "SyfteMedFraga": question.syfte,
        "LagParagraf": question.lagtext,
        "IdentitetsbeteckningFysiskPerson": question.person.reveal(),
    }
    for bitrade in question.bitraden:
        fraga["OrganisationsnummerForPersonuppgiftsbitrade"] = bitrade.organisationsnummer
        fraga["NamnPaPersonuppgiftsbitrade"] = bitrade.namn
    return {"Fraga": fraga}


def _persons(answer: _Element) -> list[str]:
    return [text(element) for element in answer.iterfind(_PERSON)]
