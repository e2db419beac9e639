"""A base service over SOAP with a transport that stands in: it keeps what was posted and gives back what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from unit.builders import operation
from vectors.make import SOAP

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.config import Af, Bastjanst, Csn, Fk, So
from ssbtek_gateway.services import af, csn, fk_soap, miv, so, soap
from ssbtek_gateway.services.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest
    from lxml.etree import _Element

    from ssbtek_gateway.config import Bastjanst, SoapBastjanst
    from ssbtek_gateway.model import Failure, Question
    from ssbtek_gateway.services.soap import SoapService, SoapSpec
    from ssbtek_gateway.services.transport import TransportError

TODAY = date(2026, 2, 16)
SCHEMAS = {
    "AF": "services/af/ersattningsstod.xsd",
    "CSN": "services/csn/kommunfraga.xsd",
    "FK": "services/fk/lefi_online.xsd",
    "SO": "services/so/ubps.xsd",
}
ADDRESS = {"url": "https://agency.example", "authority": "ca.pem"}
SETTINGS = Af.model_validate(ADDRESS)
SPECS = {
    "AF": af.spec(SETTINGS),
    "CSN": csn.spec(Csn.model_validate(ADDRESS)),
    "FK": fk_soap.spec(Fk.model_validate(ADDRESS | {"transport": "soap", "test_aktorsid": "TEST-02"})),
    "SO": so.spec(So.model_validate(ADDRESS)),
    "MIV": miv.SPEC,
}


@dataclass
class FakeTransport:
    """`Transport` without a network."""

    settings: Bastjanst
    reply: Reply | TransportError = field(default_factory=lambda: Reply(200, None, b""))
    posted: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)
    closed: bool = False

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        assert url == self.settings.url
        self.posted.append((body, headers))
        if isinstance(self.reply, Reply):
            return self.reply
        raise self.reply

    async def ping(self, _url: str) -> Failure | None:
        return None if isinstance(self.reply, Reply) else self.reply.failure

    async def close(self) -> None:
        self.closed = True


@dataclass
class Clock:
    today: date = TODAY

    def __call__(self) -> date:
        return self.today


@dataclass
class Harness:
    kod: str
    spec: SoapSpec
    service: SoapService
    transport: FakeTransport
    clock: Clock

    def asked(self, question: Question) -> _Element:
        """The Body's element of the request for `question`, which is valid by the agency's schema."""
        element = operation(self.written(question))
        xmlgate.schema(resources.xsd(SCHEMAS[self.kod])).assertValid(element)
        return element

    def written(self, question: Question) -> bytes:
        """The request for `question`, envelope and all."""
        return self.service.request(self.spec.message(question))

    def answers(self, body: str | bytes, status: int = 200, charset: str | None = "utf-8") -> None:
        self.transport.reply = Reply(status, charset, body.encode() if isinstance(body, str) else body)


def harness(kod: str, monkeypatch: pytest.MonkeyPatch, settings: SoapBastjanst = SETTINGS) -> Harness:
    """The service `kod` as the gateway builds it, on 16 February 2026."""
    spec = SPECS[kod]
    made: list[FakeTransport] = []

    def transport(settings: Bastjanst) -> FakeTransport:
        made.append(FakeTransport(settings))
        return made[-1]

    monkeypatch.setattr(soap, "Transport", transport)
    clock = Clock()
    service = soap.SoapService(spec, settings, clock=clock)
    return Harness(kod, spec, service, made[0], clock)


def enveloped(content: str, *, header: str = "", declarations: str = "") -> str:
    return f'<s:Envelope xmlns:s="{SOAP}" {declarations}>{header}<s:Body>{content}</s:Body></s:Envelope>'


def leaves(element: _Element) -> list[tuple[str, str]]:
    """Local name and text of every element without children, in order."""
    return [(str(node.tag).partition("}")[2], node.text or "") for node in element.iter("*") if not len(node)]
