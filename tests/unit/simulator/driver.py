"""Drives an ASGI app without sockets, and writes questions by hand: none of it comes from the simulator itself."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator

from ssbtek_gateway import resources, xmlgate

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.simulator.app import Simulator
    from ssbtek_gateway.simulator.control import Control

    App = Simulator | Control

AF = "{http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2}"
SO = "{http://INT014.UBPService.Schemas}"
CSN = "{http://schema.csn.se/v4.0/kommunfraga}"
TNS = "{http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1}"
TNS_PERSON = "{http://schema.transportstyrelsen.se/ssbtek/person/1}"
MIV = "{http://schema.migrationsverket.se/ssbtek/1/}"
SKV = "{http://beskattningws.ws.service.bs.zg.rsv.se/}"
TYPER = "{http://schema.csn.se/v4.0/csntyper}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
SCHEMAS = {
    "AF": "services/af/ersattningsstod.xsd",
    "SO": "services/so/ubps.xsd",
    "CSN": "services/csn/kommunfraga.xsd",
    "SKV": "services/skv/beskattningsuppgifter.xsd",
    "TNS": "services/tns/hamtauppgifter.xsd",
    "MIV": "services/miv/ssbtek.xsd",
}
# Försäkringskassan over SOAP, in our own contract.
FK_SOAP = "FK SOAP"
LEFI = "{urn:ssbtek-gateway:lefi-online:9}"
EVERY = ("AF", "SO", "CSN", "FK", "SKV", "TNS", "MIV")
FK = "/fk/lefi-extern-formansinformation/v9/aktorer/TEST-01"
FRAGA = f"{FK}/formansinformation/fraga"
PARTS = ("foretagsinformation", "individuppgifter", "skattekonto", "skatteuppgifter", "beskattningsbilagor")
_LEFI = yaml.safe_load((Path(__file__).parents[2] / "contract" / "facts" / "lefi-9.yaml").read_text(encoding="utf-8"))
# All that LEFI version 9 can be asked: the codes by property.
EVERY_GROUP: dict[str, list[str]] = {
    name: _LEFI["schemas"][kind["array of"]]["enum"]
    for name, kind in _LEFI["schemas"]["LefiExternFormansinformationFraga"]["properties"].items()
    if "array of" in kind
}


@dataclass
class Got:
    """What the app sent. `whole` is False where it never ended its answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False
    reset: bool = False
    closed: bool = False
    raw: bytes = b""  # past HTTP

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

    def json(self, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        """The document. Demands `status`."""
        assert self.status == status, self.body.decode()
        return json.loads(self.body)

    def detail(self) -> _Element:
        """What the agency says in the SOAP fault's detail. Demands HTTP 500."""
        assert self.status == 500
        (detail,) = self.root().iterfind(f"{SOAP}Body/{SOAP}Fault/detail")
        return detail[0]


def post(
    app: Simulator, path: str, body: bytes = b"", *, method: str = "POST", media: str = "text/xml", patience: int = 50
) -> Got:
    """Send one request; the peer goes away after `patience` messages of answer."""
    return asyncio.run(exchange(app, path, body, method=method, media=media, patience=patience))


async def exchange(
    app: App, path: str, body: bytes = b"", *, method: str = "POST", media: str = "text/xml", patience: int = 50
) -> Got:
    """`post` for whoever has an event loop already."""
    got = Got()
    gone = asyncio.Event()
    # In two pieces, as a network may deliver it.
    asked: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[:700], "more_body": True},
        {"type": "http.request", "body": body[700:]},
    ]
    sent = 0

    def count() -> None:
        nonlocal sent
        sent += 1
        if sent >= patience:
            gone.set()

    async def receive() -> MutableMapping[str, Any]:
        if asked:
            return asked.pop(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            got.status = message["status"]
            got.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            got.body += message["body"]
            got.whole = not message.get("more_body", False)
        count()

    def end(how: str) -> None:
        setattr(got, how, True)
        gone.set()

    def write(data: bytes) -> None:
        got.raw += data
        count()

    if patience == 0:
        gone.set()
    connection = {"write": write, "close": lambda: end("closed"), "reset": lambda: end("reset")}
    headers = [(b"content-type", media.encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    await app({**scope, "extensions": {"ssbtek.connection": connection}}, receive, send)
    return got


def valid(service: str, element: _Element) -> bool:
    path = "services/fk/lefi_online.xsd" if service == FK_SOAP else SCHEMAS[service]
    return xmlgate.schema(resources.xsd(path)).validate(element)


@cache
def _lefi(name: str) -> Draft202012Validator:
    schema = json.loads(resources.xsd("services/fk/lefi-9.schema.json").read_bytes())
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})


def lefi_flaws(document: object, name: str = "LefiExternFormansinformationSvar") -> list[str]:
    """What in a document of LEFI breaks the schema."""
    return [flaw.message for flaw in _lefi(name).iter_errors(document)]


def envelope(content: str) -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP[1:-1]}"><s:Header/><s:Body>{content}</s:Body></s:Envelope>'.encode()


def question(service: str, person: str, first: date, last: date) -> bytes:
    """A question to `service`, with an envelope around it where it is SOAP."""
    if service == "FK":
        return fk(person, first, last)
    if service in {"SKV", "TNS", "MIV"}:
        return envelope({"SKV": skv, "TNS": tns, "MIV": miv}[service](person))
    return envelope({"AF": af, "SO": so, "CSN": csn}[service](person, first, last))


def ask(app: Simulator, service: str, person: str, first: date, last: date, *, patience: int = 50) -> Got:
    """Ask `service` as it is asked; Skatteverket as in version 10."""
    body = question(service, person, first, last)
    if service == "FK":
        return post(app, FRAGA, body, media="application/json", patience=patience)
    return post(app, f"/{service.lower()}", body, patience=patience)


def ask_fk_soap(app: Simulator, person: str, first: date, last: date, *, patience: int = 50) -> Got:
    """Ask Försäkringskassan over SOAP, about everything."""
    return post(app, "/fk", envelope(fk_soap(person, first, last)), patience=patience)


def ask_skv11(app: Simulator, part: str, person: str, *years: int, patience: int = 50) -> Got:
    """Ask for one of Skatteverket's parts, as in version 11."""
    return post(app, f"/skv/v11/{part}", skv11(person, *years), media="application/json", patience=patience)


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


def tns(person: str) -> str:
    return (
        f'<h:HamtaUppgifter xmlns:h="{TNS[1:-1]}" xmlns="{TNS_PERSON[1:-1]}"><h:identifikation>'
        f"<sekel>{person[:2]}</sekel><personnummer>{person[2:]}</personnummer></h:identifikation></h:HamtaUppgifter>"
    )


def miv(person: str, *, korrelationsid: str = "<korrelationsid>k1</korrelationsid>") -> str:
    return (
        f'<m:findByPersonnummer xmlns:m="{MIV[1:-1]}"><query>{korrelationsid}<personnummer>{person}</personnummer>'
        "<ingivare><handlaggare>h1</handlaggare><namn>Umeå</namn><organisationsnummer>162021004748</organisationsnummer>"
        "</ingivare></query></m:findByPersonnummer>"
    )


def skv(person: str, *, inner: str = "") -> str:
    inner = inner or (
        '<?xml version="1.0" encoding="UTF-8"?><F xmlns="urn:x"><Organisationsnummer>162021004748</Organisationsnummer>'
        f"<IdentitetsbeteckningFysiskPerson>{person}</IdentitetsbeteckningFysiskPerson></F>"
    )
    escaped = inner.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<s:BeskattningsuppgifterRequest xmlns:s="{SKV[1:-1]}"><forfragan>{escaped}</forfragan>'
        "</s:BeskattningsuppgifterRequest>"
    )


def skv11(person: str, *years: int) -> bytes:
    return json.dumps({"identitet": person, "ar": years}).encode()


def fk_soap(
    person: str, first: date, last: date, groups: dict[str, list[str]] | None = None, *, aktor: str = "TEST-01"
) -> str:
    asked = EVERY_GROUP if groups is None else groups
    kinds = "".join(f"<{name}>{code}</{name}>" for name, codes in asked.items() for code in codes)
    return (
        f'<hamtaFormansinformation xmlns="{LEFI[1:-1]}"><aktorsId>{aktor}</aktorsId><fraga><personnummer>{person}'
        f"</personnummer><period><from>{first}</from><tom>{last}</tom></period>{kinds}</fraga></hamtaFormansinformation>"
    )


def fk(person: str, first: date, last: date, groups: dict[str, list[str]] | None = None) -> bytes:
    period = {"from": first.isoformat(), "tom": last.isoformat()}
    return json.dumps({"personnummer": person, "period": period, **(groups or EVERY_GROUP)}).encode()
