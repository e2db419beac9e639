"""A base service that speaks SOAP 1.1: the request from its WSDL through zeep, the answer checked and never altered.

zeep reads our local WSDL and builds the message; its transports are not used (docs/decisions/0002), and of the answer
nothing is deserialised: the payload is handed on as it came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import zeep
from lxml import etree

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.faults import agency_fault, failure
from ssbtek_gateway.model import Data, Failure, XmlPayload
from ssbtek_gateway.services.security import ServiceSecurity
from ssbtek_gateway.services.service import same_person, today
from ssbtek_gateway.services.template import Templates
from ssbtek_gateway.services.transport import Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.config import SoapBastjanst
    from ssbtek_gateway.model import Bedomning, EncodedPayload, Outcome, Question
    from ssbtek_gateway.services.transport import Reply

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_ENVELOPE, _BODY, _FAULT = (f"{{{ENVELOPE}}}{name}" for name in ("Envelope", "Body", "Fault"))
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_OK = 200
_FIRST_ERROR = 400
_SERVER_ERROR = 500
# An agency's code that may be passed on: short, and too short to be somebody's number.
_CODE = re.compile(r"[A-Za-z_.-]{0,20}[0-9]{0,8}(?<=.)", re.ASCII)


@dataclass(frozen=True, slots=True)
class SoapSpec:
    """What is particular to one SOAP base service; pure functions, no I/O."""

    wsdl: str
    """Relative to wsdl/; it has one service and one port."""
    schema: str
    """Relative to xsd/; it holds the answer's element."""
    message: Callable[[Question], Mapping[str, Any]]
    """The request element's content, as zeep takes it; bytes are its last element, written already."""
    persons: Callable[[Any], Iterable[str]]
    """The numbers, as the agency spells them, of whom an answer says it is about."""
    judge: Callable[[Any], Iterable[Bedomning]]
    """What the answer lets one conclude, per answering organisation or system."""
    operation: str = ""
    """Which of the WSDL's operations asks, where there are several."""
    payload: Callable[[Any], EncodedPayload] | None = None
    """What the section carries, where that is not the answer element itself."""
    unknown: Callable[[Any], int] = lambda _content: 0
    """How many things in an answer are new to us."""
    limit: Callable[[Question, date], str | None] | None = None
    """What keeps this service from being asked, in Swedish (field, rule, what would pass), given today's date."""
    content: Callable[[_Element], Any] = lambda answer: answer
    """What `persons`, `judge`, `payload` and `unknown` read of the answer element. Raises `XmlError`."""
    test: Mapping[str, Any] | None = None
    """The request element's content for a test of the service's own, about no real person."""
    test_operation: str = ""
    """Which operation makes that test, where it is another than `operation`."""
    korrelationsid: str = ""
    """Path of the question's korrelationsid in an answer, where the agency repeats it."""
    fault_code: str = ""
    """Path of the agency's own code in a fault's detail, where its schema has one."""
    meanings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Our Swedish texts for the codes that the agency documents."""


@dataclass(frozen=True, slots=True)
class _Operation:
    """One of a WSDL's: a request's HTTP headers, the answer's element, and the requests that zeep has built."""

    name: str
    headers: Mapping[str, str]
    answer_tag: str
    templates: Templates


class SoapService:
    """A `BaseService` over SOAP. Make it on the running event loop."""

    def __init__(self, spec: SoapSpec, settings: SoapBastjanst, clock: Callable[[], date] = today) -> None:
        self._spec = spec
        self._clock = clock
        self._client = zeep.Client(str(resources.wsdl(spec.wsdl)))
        self._question = self._operation(spec.operation)
        self._test = self._operation(spec.test_operation) if spec.test_operation else self._question
        self._schema = xmlgate.schema(resources.xsd(spec.schema))
        self._security = ServiceSecurity.load(settings.signering) if settings.signering else None
        self._transport = Transport(settings)
        self._url = settings.url

    def refusal(self, question: Question) -> Failure | None:
        limit = self._spec.limit(question, self._clock()) if self._spec.limit else None
        return failure("OGILTIG_FRAGA", limit, reason="a limit of this base service") if limit else None

    async def ask(self, question: Question) -> Outcome:
        refused = self.refusal(question)
        if refused is not None:
            return refused
        try:
            reply = await self._send(self._spec.message(question), self._question)
        except TransportError as error:
            return error.failure
        outcome = self._outcome(reply, question)
        if isinstance(outcome, Failure) and outcome.kalla == "SSBT":
            # Whatever came, it is not the answer to this question, so the next on this connection may not be either.
            reply.drop()
        return outcome

    def _outcome(self, reply: Reply, question: Question) -> Outcome:
        try:
            answer = self._checked(reply, self._question)
            if isinstance(answer, Failure):
                return answer
            content = self._spec.content(answer)
            if not all(same_person(number, question.person) for number in self._spec.persons(content)):
                return failure("FEL_PERSON", reason="the answer is about another person")
            if self._is_crossed(answer, question):
                detalj = "Svaret bar en annan frågas korrelationsid."
                return failure("FEL_PERSON", detalj, reason="the answer repeats another korrelationsid")
            bedomningar = tuple(self._spec.judge(content))
        except xmlgate.XmlError as error:
            return failure("OGILTIGT_SVAR", reason=error.reason)
        carried = self._spec.payload(content) if self._spec.payload else None
        payload = carried or XmlPayload(xmlgate.written(answer, question.data_tag))
        return Data(payload, bedomningar, self._spec.unknown(content))

    def _is_crossed(self, answer: _Element, question: Question) -> bool:
        """Whether the answer says that it is another question's; one that repeats nothing does not."""
        asked = question.korrelationsid if self._spec.korrelationsid else None
        if asked is None:
            return False
        repeated = "".join(map(text, answer.iterfind(self._spec.korrelationsid))).strip()
        return repeated not in {"", asked.strip()}

    async def test(self) -> tuple[bool, Failure | None]:
        if self._spec.test is None:
            return False, await self._transport.ping(self._url)
        try:
            answer = self._checked(await self._send(self._spec.test, self._test), self._test)
        except TransportError as error:
            return error.connected, error.failure
        return True, answer if isinstance(answer, Failure) else None

    async def close(self) -> None:
        await self._transport.close()

    def request(self, message: Mapping[str, Any], operation: _Operation | None = None) -> bytes:
        """The SOAP envelope around a request element's content, UTF-8."""
        templates = (operation or self._question).templates
        written = b"".join(value for value in message.values() if isinstance(value, bytes))
        if not written:
            return templates.fill(message)
        skipping = {name: zeep.xsd.SkipValue if isinstance(value, bytes) else value for name, value in message.items()}
        # Before the closing tags of the request element, of Body and of Envelope.
        before, *closing = templates.fill(skipping).rsplit(b"</", 3)
        return b"</".join([before + written, *closing])

    def build(self, operation: str, message: Mapping[str, Any]) -> str:
        """The same by zeep, which `request` fills in for but for the first of a shape."""
        envelope = self._client.create_message(self._client.service, operation, **message)
        return _DECLARATION + etree.tostring(envelope, encoding="unicode")

    def _operation(self, name: str) -> _Operation:
        operations = self._client.service._binding.all()  # noqa: SLF001 - zeep's own way to list them
        (name,) = [name] if name else operations
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{operations[name].soapaction}"',
            "Accept": "text/xml",
        }
        answer_tag = operations[name].output.body.qname.text
        return _Operation(name, headers, answer_tag, Templates(partial(self.build, name)))

    def _send(self, message: Mapping[str, Any], operation: _Operation) -> Awaitable[Reply]:
        request = self.request(message, operation)
        if self._security is None:
            return self._transport.post(self._url, request, operation.headers)
        return self._send_signed(self._security, request, operation)

    async def _send_signed(self, security: ServiceSecurity, request: bytes, operation: _Operation) -> Reply:
        reply = await self._transport.post(self._url, await security.signed(request), operation.headers)
        return await security.verified(reply)

    def _checked(self, reply: Reply, operation: _Operation) -> _Element | Failure:
        """The answer element, valid, or why there is none."""
        if reply.status not in {_OK, _SERVER_ERROR}:
            answered = reply.status < _FIRST_ERROR
            return failure("OGILTIGT_SVAR", reason=f"HTTP {reply.status}") if answered else _refusal(reply)
        try:
            answer = _body(xmlgate.parse_agency(reply.body, reply.charset))
            if answer.tag == _FAULT:
                return self._fault(answer)
            if reply.status == _SERVER_ERROR:
                return _refusal(reply)
            if answer.tag != operation.answer_tag:
                return failure("OGILTIGT_SVAR", reason="not the element that the WSDL names")
        except xmlgate.XmlError as error:
            wrong = failure("OGILTIGT_SVAR", reason=error.reason)
            return _refusal(reply) if reply.status == _SERVER_ERROR else wrong
        if not self._schema.validate(answer):
            # libxml2 checks part of a tree without its ancestors' prefixes, which a value (xsi:type) may use: once more
            # on its own, with every namespace in scope.
            answer = xmlgate.parse_agency(etree.tostring(answer, encoding="UTF-8", with_tail=False), None)
            if not self._schema.validate(answer):
                return failure("OGILTIGT_SVAR", reason=f"schema: {self._schema.error_log[0].type_name}")
        return answer

    def _fault(self, fault: _Element) -> Failure:
        """What the agency said. Its texts are not passed on: they may hold anything."""
        code = fault.findtext(f"detail/{self._spec.fault_code}", "").strip() if self._spec.fault_code else ""
        if code in self._spec.meanings:
            return Failure("BT", code, self._spec.meanings[code], "SOAP fault")
        return agency_fault(code if _CODE.fullmatch(code) else "FAULT", reason="SOAP fault")


def _refusal(reply: Reply) -> Failure:
    return agency_fault(detalj=f"HTTP-status {reply.status}.", reason=f"HTTP {reply.status}")


def text(element: _Element) -> str:
    """An element's text as one: `.text` alone ends where a comment begins."""
    return str(element.xpath("string()")) if len(element) else element.text or ""


def _body(envelope: _Element) -> _Element:
    """The one element in the one Body of a SOAP 1.1 envelope. Raises `XmlError`."""
    bodies = list(envelope.iterchildren(_BODY)) if envelope.tag == _ENVELOPE else []
    elements = list(bodies[0].iterchildren(etree.Element)) if len(bodies) == 1 else []
    if len(elements) != 1:
        raise xmlgate.XmlError("", "not a SOAP 1.1 envelope with one element in one Body")
    return elements[0]
