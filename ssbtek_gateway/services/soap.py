"""A base service that speaks SOAP 1.1: the request from its WSDL through zeep, the answer checked and never altered.

zeep reads our local WSDL and builds the message; its transports are not used (docs/decisions/0002), and of the answer
nothing is deserialised: the payload is handed on as it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import zeep
from lxml import etree

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.faults import agency_fault, failure
from ssbtek_gateway.model import Data, Failure
from ssbtek_gateway.services.service import today
from ssbtek_gateway.services.transport import Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.config import Bastjanst
    from ssbtek_gateway.model import EncodedPayload, Outcome, Question, XmlPayload
    from ssbtek_gateway.services.transport import Reply

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_OK = 200
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class SoapSpec:
    """What is particular to one SOAP base service; pure functions, no I/O."""

    wsdl: str
    """Relative to wsdl/; it has one service, one port and one operation."""
    schema: str
    """Relative to xsd/; it holds the answer's element."""
    limit: Callable[[Question, date], str | None]
    """What keeps this service from being asked, in Swedish (field, rule, what would pass), given today's date."""
    message: Callable[[Question], Mapping[str, Any]]
    """The request element's content, as zeep takes it."""
    persons: Callable[[_Element], Iterable[str]]
    """The person or persons, twelve digits each, that an answer says it is about."""
    payload: Callable[[_Element], XmlPayload | EncodedPayload]
    """The answer element, made into what the section carries."""


class SoapService:
    """A `BaseService` over SOAP. Make it on the running event loop."""

    def __init__(self, spec: SoapSpec, settings: Bastjanst, clock: Callable[[], date] = today) -> None:
        self._spec = spec
        self._clock = clock
        self._client = zeep.Client(str(resources.wsdl(spec.wsdl)))
        operations = self._client.service._binding.all()  # noqa: SLF001 - zeep's own way to list them
        ((self._operation, binding),) = operations.items()
        self._answer_tag = binding.output.body.qname.text
        self._headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{binding.soapaction}"',
            "Accept": "text/xml",
        }
        self._schema = xmlgate.schema(resources.xsd(spec.schema))
        self._transport = Transport(settings)

    async def ask(self, question: Question) -> Outcome:
        limit = self._spec.limit(question, self._clock())
        if limit is not None:
            return failure("OGILTIG_FRAGA", limit, reason="a limit of this base service")
        try:
            reply = await self._transport.post(self.request(question), self._headers)
        except TransportError as error:
            return error.failure
        return self._outcome(reply, question)

    async def ping(self) -> Failure | None:
        return await self._transport.ping()

    async def close(self) -> None:
        await self._transport.close()

    def request(self, question: Question) -> bytes:
        """The SOAP envelope that asks `question`, UTF-8."""
        envelope = self._client.create_message(self._client.service, self._operation, **self._spec.message(question))
        return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)

    def _outcome(self, reply: Reply, question: Question) -> Outcome:  # noqa: PLR0911 - one way out for each finding
        if reply.status not in {_OK, _SERVER_ERROR}:
            return agency_fault(f"HTTP-status {reply.status}.", reason=f"HTTP {reply.status}")
        try:
            answer = _body(xmlgate.parse_agency(reply.body, reply.charset))
            if answer.tag == f"{{{ENVELOPE}}}Fault":
                return agency_fault(reason="SOAP fault")
            if answer.tag != self._answer_tag:
                return failure("OGILTIGT_SVAR", reason="not the element that the WSDL names")
            # On its own, with every namespace in scope: libxml2 checks part of a tree without its ancestors' prefixes.
            answer = xmlgate.parse_agency(etree.tostring(answer, encoding="UTF-8", with_tail=False), None)
        except xmlgate.XmlError as error:
            if reply.status == _SERVER_ERROR:
                return agency_fault("HTTP-status 500.", reason="HTTP 500 without a SOAP fault")
            return failure("OGILTIGT_SVAR", reason=error.reason)
        if not self._schema.validate(answer):
            return failure("OGILTIGT_SVAR", reason=f"schema: {self._schema.error_log[0].type_name}")
        if any(person != question.person.reveal() for person in self._spec.persons(answer)):
            return failure("FEL_PERSON", reason="the answer is about another person")
        return Data(self._spec.payload(answer))


def text(element: _Element) -> str:
    """An element's text as one: `.text` alone ends where a comment begins."""
    return str(element.xpath("string()"))


def _body(envelope: _Element) -> _Element:
    """The one element in the one Body of a SOAP 1.1 envelope. Raises `XmlError`."""
    bodies = envelope.findall(f"{{{ENVELOPE}}}Body") if envelope.tag == f"{{{ENVELOPE}}}Envelope" else []
    elements = list(bodies[0].iterchildren(etree.Element)) if len(bodies) == 1 else []
    if len(elements) != 1:
        raise xmlgate.XmlError("", "not a SOAP 1.1 envelope with one element in one Body")
    return elements[0]
