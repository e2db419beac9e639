"""Arbetsförmedlingen, AFLI ersättningsstöd version 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbtek_gateway.services.service import judged, plain_code, today, undecided
from ssbtek_gateway.services.soap import SoapService, SoapSpec, text

if TYPE_CHECKING:
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.config import Af, AfTest
    from ssbtek_gateway.model import Bedomning, Question

_NS = "{http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2}"
_PERSON = f"{_NS}IdentitetsbeteckningFysiskPerson"
_STATUS = f"{_NS}Svar/{_NS}StatusSokandeinformationKod"
_REPORT = f"{_NS}AktivitetsRapportMeddelande"
# Domain facts, section 4: handled normally; and the report's own technical fault, beside other data.
_NORMAL, _REPORT_FAULT = "0", "502"


def connect(settings: Af) -> SoapService:
    """Call on the running event loop."""
    return SoapService(spec(settings), settings)


def spec(settings: Af) -> SoapSpec:
    """What is particular to AF."""
    return SoapSpec(
        wsdl="services/af.wsdl",
        schema="services/af/ersattningsstod.xsd",
        limit=_limit,
        message=_message,
        persons=_persons,
        judge=_judge,
        test=_test(settings.test) if settings.test else None,
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


def _test(configured: AfTest) -> dict[str, Any]:
    """AF's own test: its flag `Test` with a test number (schema type `Fraga`)."""
    day = today()
    return {
        "Fraga": {
            "Test": True,
            "OrganisationsnummerForIngivare": configured.organisationsnummer,
            "NamnPaIngivare": configured.namn,
            "KontonamnForHandlaggare": "test",
            "Referensnummer": "test",
            "From": day,
            "Tom": day,
            "SyfteMedFraga": "Anslutningstest",
            "LagParagraf": "-",
            "IdentitetsbeteckningFysiskPerson": configured.personidentitet,
        }
    }


def _persons(answer: _Element) -> list[str]:
    return [text(element) for element in answer.iter(_PERSON)]


def _judge(answer: _Element) -> list[Bedomning]:
    status = answer.findtext(_STATUS, "").strip()
    if status != _NORMAL:
        return [undecided("AF", f"StatusSokandeinformationKod {plain_code(status)}")]
    data = ("ArbetssokandeInfo", "BeslutInfo", "Akassetillhorighet")
    found = any(answer.find(f"{_NS}Svar/{_NS}{name}") is not None for name in data)
    verdicts = [judged("AF", found=found)]
    if any(text(report).strip() == _REPORT_FAULT for report in answer.iter(_REPORT)):
        verdicts.append(undecided("AF aktivitetsrapport", f"AktivitetsRapportMeddelande {_REPORT_FAULT}"))
    return verdicts
