"""Centrala studiestödsnämnden, Kommunfråga 4.0. The Sambruk question's schema is not public (docs/assumptions.md)."""

from __future__ import annotations

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date
from typing import TYPE_CHECKING, Any

from lxml import etree

from ssbtek_gateway.model import EncodedPayload
from ssbtek_gateway.services.service import judged, plain_code, undecided
from ssbtek_gateway.services.soap import SoapService, SoapSpec, text

if TYPE_CHECKING:
    from lxml.etree import _Element

    from ssbtek_gateway.config import Csn
    from ssbtek_gateway.model import Bedomning, Question

_MEMBER = ("HushallsMedlemsIdSekel", "HushallsMedlemsId")
_SAMBRUK = "{http://www.sambruk.se/SBNyttomeddelanden}"
_PERSON_NAMESPACE = "{http://schema.csn.se/v4.0/person}"
_NAMESPACE = "{http://schema.csn.se/v4.0/kommunfraga}"
# ResultatKod (domain facts, section 4): handled, not in the system, and which systems could not be reached.
_OK, _NOT_KNOWN = "0", "-2"
_SYSTEMS = ("Studiemedel", "Studiehjalp", "HemutrustningsLan", "Studiestartsstod", "Omstallningsstudiestod")
_AWAY = {
    "-1101": {"HemutrustningsLan"},
    "-1102": {"Studiemedel", "Studiehjalp"},
    "-1103": set(_SYSTEMS),
    "-1104": {"Omstallningsstudiestod"},
}
# CSN answers -1005 to 32 characters or more (domain facts, section 4).
_LONGEST_ID = 31
# The schema's type `sekel`.
_CENTURIES = {"18", "19", "20"}
# CSN answers -1006 to a period that reaches further back or ahead.
_MONTHS_BACK, _MONTHS_AHEAD = 2, 1


def connect(settings: Csn) -> SoapService:
    """Call on the running event loop."""
    return SoapService(spec(settings), settings)


def spec(settings: Csn) -> SoapSpec:
    """What is particular to CSN."""

    def message(question: Question) -> dict[str, Any]:
        return _message(question, settings)

    return SoapSpec(
        wsdl="services/csn.wsdl",
        schema="services/csn/kommunfraga.xsd",
        limit=_limit,
        message=message,
        persons=_persons,
        payload=_payload,
        judge=_judge,
    )


def _limit(question: Question, today: date) -> str | None:
    for field, value in (("arendeidentitet", question.arendeidentitet), ("handlaggare", question.handlaggare)):
        if len(value) > _LONGEST_ID:
            return f"{field}: får vara högst {_LONGEST_ID} tecken i en fråga till CSN."
    if question.person.is_samordningsnummer:
        return "personidentitet: CSN kan inte svara om ett samordningsnummer."
    if question.person.reveal()[:2] not in _CENTURIES:
        return "personidentitet: CSN svarar om personer födda på 1800-, 1900- eller 2000-talet."
    period = question.perioder["CSN"]
    earliest, latest = months(today, -_MONTHS_BACK), months(today, _MONTHS_AHEAD)
    if period.from_datum < earliest or period.tom_datum > latest:
        return f"tidsperiod: CSN svarar för perioder från {earliest} till {latest}. Ange en egen tidsperiod för CSN."
    return None


def months(day: date, months: int) -> date:
    """`day` moved by whole months; a day that the month lacks becomes its last. No day is beyond the calendar."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return date.max if months > 0 else date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _message(question: Question, settings: Csn) -> dict[str, Any]:
    period = question.perioder["CSN"]
    number = question.ingivare.organisationsnummer
    person = question.person.reveal()
    return {
        "SchemaVersion": settings.schema_version,
        "Kommun": f"{number[2:8]}-{number[8:]}",
        "AppNamn": settings.app_namn,
        "AppVersion": settings.app_version,
        "HandlaggareId": question.handlaggare,
        "ArendeId": question.arendeidentitet,
        "HushallsId": question.arendeidentitet,
        "FromDatum": f"{period.from_datum:%Y%m%d}",
        "TomDatum": f"{period.tom_datum:%Y%m%d}",
        "HushallsMedlemsIdSekel": person[:2],
        "HushallsMedlemsId": person[2:],
    }


def _persons(answer: _Element) -> list[str]:
    """Whom the question that CSN repeats was about, which counts where it found nobody, and whom it found."""
    century, number = (text(next(answer.iter(f"{_SAMBRUK}{name}"))) for name in _MEMBER)
    # sekel is optional in the answer; without it the ten digits are all that CSN says.
    return [f"{century}{number}"] + [
        f"{person.get('sekel', century)}{person.get('personnummer')}"
        for person in answer.iterfind(f"{_NAMESPACE}Personer/{_NAMESPACE}Person")
    ]


def _judge(answer: _Element) -> list[Bedomning]:
    """Each of CSN's systems on its own: one can be away while the others answer (ResultatKod)."""
    code = "".join(text(element) for element in answer.iter(f"{_NAMESPACE}ResultatKod")).strip()
    away = _AWAY.get(code)
    if code == _NOT_KNOWN:
        return [judged("CSN", found=False)]
    if code != _OK and away is None:
        return [undecided("CSN", f"ResultatKod {plain_code(code)}")]
    # Person / system / Arenden / Arende
    found = {arende.getparent().getparent().tag for arende in answer.iter(f"{_PERSON_NAMESPACE}Arende")}  # type: ignore[union-attr]
    return [
        undecided(f"CSN {system}", f"ResultatKod {code}")
        if away is not None and system in away
        else judged(f"CSN {system}", found=f"{_PERSON_NAMESPACE}{system}" in found)
        for system in _SYSTEMS
    ]


def _payload(answer: _Element) -> EncodedPayload:
    """The `CSNSvar` element as a document of its own (contract type `CsnSvarsData`)."""
    return EncodedPayload("svar", etree.tostring(answer, encoding="UTF-8", xml_declaration=True, with_tail=False))
