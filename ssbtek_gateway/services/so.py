"""Sveriges a-kassor, Unemployment Benefit Payment Service: one question, an answer per a-kassa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbtek_gateway.services.service import judged, undecided
from ssbtek_gateway.services.soap import SoapService, SoapSpec, text

if TYPE_CHECKING:
    from lxml.etree import _Element

    from ssbtek_gateway.config import So
    from ssbtek_gateway.model import Bedomning, Question

_NS = "{http://INT014.UBPService.Schemas}"
_PERSON = f"{_NS}IdentificationNumber"


def connect(settings: So) -> SoapService:
    """Call on the running event loop."""
    return SoapService(spec(settings), settings)


def spec(settings: So) -> SoapSpec:
    """What is particular to SO."""
    return SoapSpec(
        wsdl="services/so.wsdl",
        schema="services/so/ubps.xsd",
        message=_message,
        persons=_persons,
        judge=lambda answer: _judge(answer, settings.status_ok),
    )


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


def _judge(answer: _Element, status_ok: tuple[str, ...]) -> list[Bedomning]:
    kassor = list(answer.iter(f"{_NS}Arbetsloshetsersattning"))
    return [_judge_kassa(kassa, status_ok) for kassa in kassor] or [judged("SO", found=False)]


def _judge_kassa(kassa: _Element, status_ok: tuple[str, ...]) -> Bedomning:
    name = kassa.findtext(f"{_NS}SvarandeOrganisation", "").strip()
    data = ("Utbetalningar", "Avstangningar", "AnsoktOmErsattning")
    found = any(kassa.find(f"{_NS}{part}") is not None for part in data)
    if found or kassa.findtext(f"{_NS}StatusSvarandeOrganisation", "").strip() in status_ok:
        return judged(name, found=found)
    return undecided(name, "StatusSvarandeOrganisation")
