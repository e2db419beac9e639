"""Sveriges a-kassor, Unemployment Benefit Payment Service: one question, an answer per a-kassa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbtek_gateway.model import XmlPayload
from ssbtek_gateway.services.soap import SoapSpec, text

if TYPE_CHECKING:
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.config import Bastjanst
    from ssbtek_gateway.model import Question

_PERSON = "{http://INT014.UBPService.Schemas}IdentificationNumber"


def spec(_settings: Bastjanst) -> SoapSpec:
    return SoapSpec(
        wsdl="services/so.wsdl",
        schema="services/so/ubps.xsd",
        limit=_limit,
        message=_message,
        persons=_persons,
        payload=XmlPayload,
    )


def _limit(_question: Question, _today: date) -> str | None:
    return None


def _message(question: Question) -> dict[str, Any]:
    period = question.perioder["SO"]
    return {
        "OrganisationsnummerIngivare": question.ingivare.organisationsnummer,
        "NamnIngivare": question.ingivare.namn,
        "KontonamnHandlaggare": question.handlaggare,
        "Referensnummer": question.arendeidentitet,
        "From": period.from_datum,
        "Tom": period.tom_datum,
        "Syfte": question.syfte,
        "Paragraf": question.lagtext,
        # Two parallel lists: the n-th number and the n-th name are one biträde.
        "OrganisationsnummerPersonuppgiftsbitrade": [party.organisationsnummer for party in question.bitraden],
        "NamnPersonuppgiftsbitrade": [party.namn for party in question.bitraden],
        "IdentificationNumber": question.person.reveal(),
    }


def _persons(answer: _Element) -> list[str]:
    return [text(element) for element in answer.iterfind(_PERSON)]
