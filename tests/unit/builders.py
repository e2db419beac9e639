"""What several unit tests build: questions, answers of agencies, parts that stand in for real ones, an ASGI caller."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cryptography import x509
from vectors import make

from ssbtek_gateway import xmlgate
from ssbtek_gateway.admission import Admission
from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.audit.record import PersonKey
from ssbtek_gateway.authorisation import Register
from ssbtek_gateway.closing import Closing
from ssbtek_gateway.config import KODER, Limits, Organisation
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.flow import Flow
from ssbtek_gateway.inbound import envelope
from ssbtek_gateway.inbound.identity import Identity, Issuer
from ssbtek_gateway.model import Bedomning, Caller, Data, EncodedPayload, Verdict, XmlPayload
from ssbtek_gateway.rates import Rates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, MutableMapping
    from pathlib import Path

    from lxml.etree import _Element

    from ssbtek_gateway.audit.record import Row
    from ssbtek_gateway.audit.store import AuditStore
    from ssbtek_gateway.model import Failure, Outcome, Question
    from ssbtek_gateway.services.service import BaseService

CONTRACT = CONTRACTS["10"]
PERSON, OTHER_PERSON = make.PERSON, "194408139089"
KOMMUN, BITRADE, GRANNKOMMUN = make.KOMMUN, make.BITRADE, "162120009994"
CALLER = Caller(KOMMUN, "ab" * 32)
AF = "http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2"
SO = "http://INT014.UBPService.Schemas"
CSN = "http://schema.csn.se/v4.0/kommunfraga"
SAMBRUK = "http://www.sambruk.se/SBNyttomeddelanden"

# What the template says that nobody but the asked agencies and the caller may see again.
CONFIDENTIAL = (
    PERSON,
    PERSON[2:],
    make.lefi(PERSON),
    "Testkommunen",
    "asa01",
    "Ärende-17",
    "fråga 4711",
    "Testbolaget",
    "Handläggning",
    "SoL",
)


def operation(message: bytes | str) -> _Element:
    """The element in the Body of a question."""
    data = message.encode() if isinstance(message, str) else message
    return envelope.operation(xmlgate.parse_caller(data, None))


def question(message: bytes | str = make.TEMPLATE, **changes: Any) -> Question:  # noqa: ANN401 - any field's value
    """The question that a message asks, with `changes` to its fields."""
    element = operation(message)
    CONTRACT.check_question(element)
    return replace(CONTRACT.read_question(element), **changes)


ANSWERED = (Bedomning("test", Verdict.SVARAT),)


def data(xml: str) -> Data:
    return Data(
        XmlPayload(xmlgate.written(xmlgate.parse_agency(xml.encode(), None), f"{{{CONTRACT.namespace}}}data")), ANSWERED
    )


def encoded(name: str, content: bytes) -> Data:
    return Data(EncodedPayload(name, content), ANSWERED)


def af_answer(person: str = PERSON, *, extra: str = "") -> str:
    return (
        f'<SvarMeddelande xmlns="{AF}"><Fraga><OrganisationsnummerForIngivare>{KOMMUN}</OrganisationsnummerForIngivare>'
        "<NamnPaIngivare>T</NamnPaIngivare><KontonamnForHandlaggare>a</KontonamnForHandlaggare>"
        "<Referensnummer>r</Referensnummer><From>2026-01-01</From><Tom>2026-01-31</Tom><SyfteMedFraga>s</SyfteMedFraga>"
        f"<LagParagraf>l</LagParagraf><IdentitetsbeteckningFysiskPerson>{PERSON}</IdentitetsbeteckningFysiskPerson>"
        "</Fraga><Svar><Schemaversion>2</Schemaversion><Referensnummer>r</Referensnummer><LagParagraf>l</LagParagraf>"
        f"<IdentitetsbeteckningFysiskPerson>{person}</IdentitetsbeteckningFysiskPerson>"
        "<StatusSokandeinformationKod>0</StatusSokandeinformationKod>"
        f"<StatusSokandeinformationKodText>ok</StatusSokandeinformationKodText></Svar>{extra}</SvarMeddelande>"
    )


def so_answer(person: str = PERSON) -> str:
    return (
        f'<GetUnemploymentBenefitPaymentResponse xmlns="{SO}"><OrganisationsnummerIngivare>{KOMMUN}'
        "</OrganisationsnummerIngivare><NamnIngivare>T</NamnIngivare><KontonamnHandlaggare>a</KontonamnHandlaggare>"
        "<Referensnummer>r</Referensnummer><From>2026-01-01</From><Tom>2026-01-31</Tom><Syfte>s</Syfte>"
        f"<Paragraf>l</Paragraf><IdentificationNumber>{person}</IdentificationNumber>"
        "<ArbetsloshetsersattningLista/></GetUnemploymentBenefitPaymentResponse>"
    )


def csn_answer(person: str | None = PERSON, *, sekel: bool = True, asked: str = PERSON) -> str:
    """An answer to a question about `asked` with data about `person`; None where CSN knows nobody."""
    boxes = ("Studiemedel", "Studiehjalp", "HemutrustningsLan", "Studiestartsstod", "Omstallningsstudiestod")
    kinds = ("studiemedel", "studiehjalp", "hemutrustningslan", "studiestartsstod", "omstallningsstudiestod")
    found = ""
    if person is not None:
        century = f'sekel="{person[:2]}"' if sekel else ""
        found = (
            f'<Person personnummer="{person[2:]}" {century}><p:Studiestodstypforteckning>'
            f"{''.join(f'<t:{kind}/>' for kind in kinds)}</p:Studiestodstypforteckning>"
            f"{''.join(f'<p:{box}/>' for box in boxes)}</Person>"
        )
    return (
        f'<CSNSvar xmlns="{CSN}" xmlns:p="http://schema.csn.se/v4.0/person" xmlns:s="{SAMBRUK}" '
        'xmlns:t="http://schema.csn.se/v4.0/csntyper" schemaVersion="4.0"><GemensamtSvarEkbistand><Resultat>'
        "<ResultatKod>0</ResultatKod><ResultatText>OK</ResultatText></Resultat></GemensamtSvarEkbistand>"
        '<GemensamtFragaEkbistand SchemaVersion="4.0">'
        "<s:Kommun>202100-4748</s:Kommun><s:AppNamn>a</s:AppNamn><s:AppVersion>1</s:AppVersion>"
        "<s:HushallsId>r</s:HushallsId><s:FromDatum>20260101</s:FromDatum><s:TomDatum>20260131</s:TomDatum>"
        f"<s:HushallsMedlemsIdSekel>{asked[:2]}</s:HushallsMedlemsIdSekel>"
        f"<s:HushallsMedlemsId>{asked[2:]}</s:HushallsMedlemsId></GemensamtFragaEkbistand>"
        f"<Personer>{found}</Personer></CSNSvar>"
    )


def organisation(**changes: Any) -> Organisation:  # noqa: ANN401 - any field's value
    """A register entry for the template's ingivare that allows everything."""
    allowed = {"versioner": tuple(CONTRACTS), "bastjanster": KODER, "syften": "alla", "bitraden": (BITRADE,)}
    allowed["aktorsid"] = ("TEST-01",)
    return Organisation.model_validate({"organisationsnummer": KOMMUN, "namn": "Testkommunen", **allowed, **changes})


@dataclass
class FakeService:
    """A base service that notes in `events` that it was asked and does what it is told."""

    outcome: Outcome | Exception
    name: str = "service"
    events: list[str] = field(default_factory=list)

    def refusal(self, question: Question) -> Failure | None:  # noqa: ARG002 - the protocol's signature
        return None

    async def ask(self, question: Question) -> Outcome:  # noqa: ARG002 - the protocol's signature
        self.events.append(f"{self.name} asked")
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def test(self) -> tuple[bool, Failure | None]:
        self.events.append(f"{self.name} tested")
        return True, None

    async def close(self) -> None:
        self.events.append(f"{self.name} closed")


@dataclass
class FakeAudit:
    """An audit that notes in `events` when a row is durable, or that fails at the events in `fails_at`."""

    events: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    fails_at: frozenset[str] = frozenset()

    async def append(self, row: Row) -> None:
        await asyncio.sleep(0)
        if row["handelse"] in self.fails_at:
            raise AuditError("OperationalError")
        self.rows.append(row)
        self.events.append(f"{row['handelse']} durable")


def identity(pki: Path) -> Identity:
    """The callers of the development certificates."""
    return Identity([Issuer(x509.load_pem_x509_certificate((pki / "ca.pem").read_bytes()))])


def flow(
    services: Mapping[str, BaseService] | None = None,
    audit: FakeAudit | None = None,
    organisations: Iterable[Organisation] | None = None,
    limits: Limits | None = None,
    closing: Closing | None = None,
) -> Flow:
    store: AuditStore = audit or FakeAudit()  # type: ignore[assignment] # all that a flow uses of a store
    registered = [organisation()] if organisations is None else list(organisations)
    limits = limits or Limits()
    closing = closing or Closing(dict.fromkeys(CONTRACTS))
    key = PersonKey("test-1", b"k" * 32)
    parts = (Register(registered), services or {}, store, key, Rates(registered), Admission(limits), limits, closing)
    return Flow(*parts)


@dataclass
class Got:
    """What an application answered."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def fault(self) -> tuple[str, str, str]:
        """Fault code without prefix, felkod, and every felmeddelande with a line each."""
        root = xmlgate.parse_agency(self.body, None)
        texts = [element.text or "" for element in root.iter("{*}felmeddelande")]
        code = root.findtext(".//faultcode", "").rpartition(":")[2]
        return code, root.findtext(".//{*}felkod", ""), "\n".join(texts)


Events = list[dict[str, Any]]


async def call(
    app: Callable[..., Any],
    path: str = "/ssbt/10",
    *,
    body: bytes | Events = b"",
    method: str = "POST",
    query: str = "",
    headers: Mapping[str, str | None] | list[tuple[str, str]] = MappingProxyType({}),
    certificate: bytes | None = None,
    http_version: str = "1.1",
) -> Got:
    """Send one request straight to an ASGI application.

    `headers` as a mapping changes the usual ones (None leaves one out); as pairs they are the only ones. `body` may be
    the events that come; after the last one nothing comes any more.
    """
    usual = {"host": "127.0.0.1", "content-type": "text/xml; charset=utf-8"}
    if method == "POST" and "content-length" not in dict(headers):
        usual |= {"content-length": str(len(body))} if isinstance(body, bytes) else {"transfer-encoding": "chunked"}
    pairs = headers if isinstance(headers, list) else {**usual, **headers}.items()
    scope = {
        "type": "http",
        "http_version": http_version,
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs if value is not None],
        "extensions": {"ssbtek.certificate": certificate},
    }
    events = _events([{"type": "http.request", "body": body}] if isinstance(body, bytes) else body)
    got = Got()

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert got.status == 0
            got.status = message["status"]
            got.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            got.body += message["body"]

    async with asyncio.timeout(10):  # a wait without a bound of its own fails here instead of hanging the suite
        await app(scope, events.__anext__, send)
    return got


async def _events(events: Events) -> AsyncIterator[dict[str, Any]]:
    for event in events:
        yield event
    await asyncio.Event().wait()
