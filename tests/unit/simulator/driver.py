"""Drives an ASGI app without sockets, and writes questions by hand: none of it comes from the simulator itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ssbtek_gateway import resources, xmlgate

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.simulator.app import Simulator

AF = "{http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2}"
SO = "{http://INT014.UBPService.Schemas}"
CSN = "{http://schema.csn.se/v4.0/kommunfraga}"
TYPER = "{http://schema.csn.se/v4.0/csntyper}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
SCHEMAS = {
    "AF": "services/af/ersattningsstod.xsd",
    "SO": "services/so/ubps.xsd",
    "CSN": "services/csn/kommunfraga.xsd",
}


@dataclass
class Got:
    """What the app sent. `whole` is False where it never ended its answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False
    reset: bool = False

    def root(self) -> _Element:
        return xmlgate.parse_agency(self.body, "utf-8")

    def answer(self) -> _Element:
        """The agency's own element. Demands HTTP 200."""
        assert self.status == 200, self.body.decode()
        return next(self.root().iterchildren(f"{SOAP}Body"))[0]

    def faultstring(self) -> str:
        """The text of the SOAP fault. Demands HTTP 500."""
        assert self.status == 500
        assert self.root().find(f"{SOAP}Body/{SOAP}Fault") is not None
        return self.root().findtext(".//faultstring", "")


def post(
    app: Simulator, path: str, body: bytes = b"", *, method: str = "POST", media: str = "text/xml", patience: int = 50
) -> Got:
    """Send one request; the peer goes away after `patience` messages of answer."""
    scope = {"type": "http", "method": method, "path": path, "headers": [(b"content-type", media.encode())]}
    return asyncio.run(_request(scope, body, app, patience))


async def _request(scope: dict[str, Any], body: bytes, app: Simulator, patience: int) -> Got:
    got = Got()
    gone = asyncio.Event()
    # In two pieces, as a network may deliver it.
    asked: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[:700], "more_body": True},
        {"type": "http.request", "body": body[700:]},
    ]
    sent = 0

    async def receive() -> MutableMapping[str, Any]:
        if asked:
            return asked.pop(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal sent
        sent += 1
        if message["type"] == "http.response.start":
            got.status = message["status"]
            got.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            got.body += message["body"]
            got.whole = not message.get("more_body", False)
        if sent >= patience:
            gone.set()

    def abort() -> None:
        got.reset = True
        gone.set()

    if patience == 0:
        gone.set()
    await app({**scope, "extensions": {"ssbtek.reset": {"abort": abort}}}, receive, send)
    return got


def valid(service: str, element: _Element) -> bool:
    return xmlgate.schema(resources.xsd(SCHEMAS[service])).validate(element)


def envelope(content: str) -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP[1:-1]}"><s:Header/><s:Body>{content}</s:Body></s:Envelope>'.encode()


def question(service: str, person: str, first: date, last: date) -> bytes:
    """A question to `service`, with an envelope around it."""
    return envelope({"AF": af, "SO": so, "CSN": csn}[service](person, first, last))


def af(person: str, first: date, last: date, *, inkludera: str = "", test: str = "") -> str:
    return (
        f'<FragaMeddelande xmlns="{AF[1:-1]}">{inkludera}<Fraga>{test}'
        "<OrganisationsnummerForIngivare>162021004748</OrganisationsnummerForIngivare><NamnPaIngivare>Umeå</NamnPaIngivare>"
        "<KontonamnForHandlaggare>h1</KontonamnForHandlaggare><Referensnummer>r1</Referensnummer>"
        f"<From>{first}</From><Tom>{last}</Tom><SyfteMedFraga>s1</SyfteMedFraga><LagParagraf>l1</LagParagraf>"
        f"<IdentitetsbeteckningFysiskPerson>{person}</IdentitetsbeteckningFysiskPerson></Fraga></FragaMeddelande>"
    )


def so(person: str, first: date, last: date) -> str:
    return (
        f'<u:GetUnemploymentBenefitPaymentRequest xmlns:u="{SO[1:-1]}">'
        "<u:OrganisationsnummerIngivare>162021004748</u:OrganisationsnummerIngivare><u:NamnIngivare>Umeå</u:NamnIngivare>"
        "<u:KontonamnHandlaggare>h1</u:KontonamnHandlaggare><u:Referensnummer>r1</u:Referensnummer>"
        f"<u:From>{first}</u:From><u:Tom>{last}</u:Tom><u:Syfte>s1</u:Syfte><u:Paragraf>l1</u:Paragraf>"
        f"<u:IdentificationNumber>{person}</u:IdentificationNumber></u:GetUnemploymentBenefitPaymentRequest>"
    )


def csn(person: str, first: date, last: date, *, hushall: str = "a1") -> str:
    return (
        f'<k:SBNUppgEkBistandBegar xmlns:k="{CSN[1:-1]}" xmlns="http://www.sambruk.se/SBNyttomeddelanden"'
        ' SchemaVersion="4.0"><Kommun>202100-4748</Kommun><AppNamn>prov</AppNamn><AppVersion>1</AppVersion>'
        f"<HushallsId>{hushall}</HushallsId><FromDatum>{first:%Y%m%d}</FromDatum><TomDatum>{last:%Y%m%d}</TomDatum>"
        f"<HushallsMedlemsIdSekel>{person[:2]}</HushallsMedlemsIdSekel><HushallsMedlemsId>{person[2:]}</HushallsMedlemsId>"
        "</k:SBNUppgEkBistandBegar>"
    )
