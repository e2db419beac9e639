"""Skatteverket, Beskattningsuppgifter: a document, XML in a text over SOAP (version 10), or JSON in parts (version 11).

The inner question of the first and how the operator calls Skatteverket for the second are not public: one is a
template, the other a path for each part, both configured (docs/assumptions.md).
"""

from __future__ import annotations

import asyncio
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from ssbtek_gateway import xmlgate
from ssbtek_gateway.faults import failure
from ssbtek_gateway.model import Data, Failure, PartsPayload
from ssbtek_gateway.services import rest
from ssbtek_gateway.services.service import judged, same_person, undecided
from ssbtek_gateway.services.soap import SoapService, SoapSpec, text
from ssbtek_gateway.services.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

    from ssbtek_gateway.config import Skv
    from ssbtek_gateway.model import Bedomning, Outcome, PersonId, Question

_PERSON = "{*}IdentitetsbeteckningFysiskPerson"
# Where the JSON that has been seen names the person it is about.
_PERSON_KEYS = ("identitet", "kontohavare")
_NOT_FOUND = "404"
_MEANINGS = {
    _NOT_FOUND: (
        "Skatteverket svarade att uppgiften inte finns (HTTP-status 404).",
        "Har andra delar svarat betyder det att inget fanns att lämna ut; annars går det inte att avgöra.",
    )
}


class SkvService:
    """A `BaseService` with two faces. Make it on the running event loop. Raises `ValueError` for a bad template."""

    def __init__(self, settings: Skv) -> None:
        self._settings = settings
        self._xml = SoapService(_spec(template(settings)), settings)
        self._transport = Transport(settings)

    def refusal(self, question: Question) -> Failure | None:
        if question.skv_dokument:
            return self._xml.refusal(question)
        if self._settings.delar_url is None:
            return failure("EJ_ANSLUTEN", reason="no delar_url in the configuration")
        if question.skv is None:
            detalj = "SKV/fraga: saknas. Ange ar och vilka delar frågan gäller."
            return failure("OGILTIG_FRAGA", detalj, reason="no fraga")
        if not question.skv.delar:
            return failure("OGILTIG_FRAGA", "SKV/fraga: minst en del ska vara true.", reason="no part asked for")
        return None

    async def ask(self, question: Question) -> Outcome:
        if question.skv_dokument:
            return await self._xml.ask(question)
        refused = self.refusal(question)
        if refused is not None:
            return refused
        assert question.skv is not None  # noqa: S101 - else it is refused
        body = rest.written({"identitet": question.person.reveal(), "ar": question.skv.ar})
        answers = await asyncio.gather(*(self._part(part, body, question.person) for part in question.skv.delar))
        parts = dict(zip(question.skv.delar, answers, strict=True))
        return Data(PartsPayload(parts), tuple(_judge_parts(parts)))

    async def test(self) -> tuple[bool, Failure | None]:
        called, failed = await self._xml.test()
        if failed is None and self._settings.delar_url is not None:
            failed = await self._transport.ping(self._settings.delar_url)
        return called, failed

    async def close(self) -> None:
        await self._xml.close()
        await self._transport.close()

    async def _part(self, part: str, body: bytes, person: PersonId) -> bytes | Failure:
        url = f"{self._settings.delar_url}{getattr(self._settings.delar, part)}"
        answer = await rest.ask(self._transport, url, body, _MEANINGS)
        if isinstance(answer, Failure):
            return answer
        value = answer.value
        named = [value.get(key) for key in _PERSON_KEYS] if isinstance(value, dict) else []
        if not all(same_person(number, person) for number in named if isinstance(number, str)):
            answer.drop()
            return failure("FEL_PERSON", reason="the answer is about another person")
        return answer.body


def connect(settings: Skv) -> SkvService:
    """Call on the running event loop."""
    return SkvService(settings)


def template(settings: Skv) -> Template:
    """The inner question. Raises `ValueError` naming what is wrong with it."""
    file = settings.forfragan or files(__package__) / "skv_forfragan.xml"
    found = Template(file.read_text(encoding="utf-8"))
    try:
        xmlgate.parse_own(found.substitute(dict.fromkeys(_SLOTS, "0")).encode())
    except KeyError as error:
        raise ValueError(f"forfragan: there is no slot {error}; there are {', '.join(_SLOTS)}") from None
    except (ValueError, xmlgate.XmlError) as error:
        raise ValueError(f"forfragan: {error}") from None
    return found


_SLOTS = (
    "personidentitet",
    "organisationsnummer",
    "namn",
    "handlaggare",
    "arendeidentitet",
    "syfte",
    "lagtext",
    "from_datum",
    "tom_datum",
)


def _spec(forfragan: Template) -> SoapSpec:
    def message(question: Question) -> dict[str, Any]:
        period = question.perioder["SKV"]
        values = {
            "personidentitet": question.person.reveal(),
            "organisationsnummer": question.ingivare.organisationsnummer,
            "namn": question.ingivare.namn,
            "handlaggare": question.handlaggare,
            "arendeidentitet": question.arendeidentitet,
            "syfte": question.syfte,
            "lagtext": question.lagtext,
            "from_datum": period.from_datum.isoformat(),
            "tom_datum": period.tom_datum.isoformat(),
        }
        quoted = {slot: escape(value, {'"': "&quot;"}) for slot, value in values.items()}
        return {"forfragan": forfragan.substitute(quoted)}

    return SoapSpec(
        wsdl="services/skv.wsdl",
        schema="services/skv/beskattningsuppgifter.xsd",
        message=message,
        persons=_persons,
        judge=_judge,
        content=_document,
        fault_code="{http://beskattningws.ws.service.bs.zg.rsv.se/}Exception/MeddelandeKod",
    )


def _document(answer: _Element) -> _Element:
    """The document in `svar`. Raises `XmlError` where it is not one."""
    (svar,) = answer.iterchildren("svar")
    return xmlgate.parse_agency_text(text(svar))


def _persons(document: _Element) -> list[str]:
    return [text(element) for element in document.iter(_PERSON)]


def _judge(document: _Element) -> list[Bedomning]:
    """Status codes are not public and missing amounts come as 0, so only a Kapitaluppgift counts as an answer."""
    found = next(document.iter("{*}Kapitaluppgift"), None) is not None
    if not found and next(document.iter("{*}Personuppgift"), None) is not None:
        return [undecided("SKV", "Personuppgift utan Kapitaluppgift")]
    return [judged("SKV", found=found)]


def _judge_parts(parts: Mapping[str, bytes | Failure]) -> Iterator[Bedomning]:
    """404 beside data in another part means nothing found (inferred); alone it cannot be told from a fault."""
    answered = any(isinstance(part, bytes) for part in parts.values())
    for name, part in parts.items():
        if isinstance(part, Failure) and not (answered and part.felkod == _NOT_FOUND):
            yield undecided(f"SKV {name}", f"{part.kalla} {part.felkod}")
        else:
            yield judged(f"SKV {name}", found=isinstance(part, bytes))
