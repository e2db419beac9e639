"""Migrationsverket, uppehålls- och arbetstillstånd. Its elements stand in no namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbtek_gateway.services.service import judged
from ssbtek_gateway.services.soap import SoapService, SoapSpec, text

if TYPE_CHECKING:
    from lxml.etree import _Element

    from ssbtek_gateway.config import SoapBastjanst
    from ssbtek_gateway.model import Bedomning, Question


def connect(settings: SoapBastjanst) -> SoapService:
    """Call on the running event loop."""
    return SoapService(SPEC, settings)


def _message(question: Question) -> dict[str, Any]:
    query: dict[str, Any] = {
        "personnummer": question.person.reveal(),
        "ingivare": {
            "handlaggare": question.handlaggare,
            "namn": question.ingivare.namn,
            "organisationsnummer": question.ingivare.organisationsnummer,
        },
    }
    if question.korrelationsid is not None:
        query["korrelationsid"] = question.korrelationsid
    return {"query": query}


def _persons(answer: _Element) -> list[str]:
    return [text(element) for element in answer.iterfind("response/personnummer")]


def _judge(answer: _Element) -> list[Bedomning]:
    return [judged("MIV", found=answer.find("response/svarCollection/svar") is not None)]


SPEC = SoapSpec(
    wsdl="services/miv.wsdl",
    schema="services/miv/ssbtek.xsd",
    message=_message,
    persons=_persons,
    judge=_judge,
    korrelationsid="response/korrelationsid",
    fault_code="{http://schema.migrationsverket.se/ssbtek/1/}SSBTEKSoapException/faultCode",
)
