"""Skatteverket: a document in a text in version 10, parts from version 11 on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest
from lxml import etree
from unit.builders import question
from unit.services.harness import enveloped

from ssbtek_gateway import xmlgate
from ssbtek_gateway.config import Skv
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.model import Data, Failure, PartsPayload, SkvFraga
from ssbtek_gateway.services import skv, soap
from ssbtek_gateway.services.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ssbtek_gateway.model import Outcome

pytestmark = pytest.mark.anyio
NAMESPACE = "http://beskattningws.ws.service.bs.zg.rsv.se/"
INNER = "http://xmls.skatteverket.se/se/skatteverket/zg/instans/standardiseradInformation/1.0"
FOLKO = "http://xmls.skatteverket.se/se/skatteverket/zg/komponent/infoForFolkbokforing/1.0"
SETTINGS = {"url": "https://skv.example", "authority": "ca.pem", "delar_url": "https://skv.example/v11"}


@dataclass
class FakeTransport:
    """Answers by the last step of the address."""

    replies: dict[str, Reply] = field(default_factory=dict)
    posted: list[tuple[str, bytes]] = field(default_factory=list)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:  # noqa: ARG002 - as Transport has
        self.posted.append((url, body))
        return self.replies[url.rpartition("/")[2]]


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> FakeTransport:
    made = FakeTransport()
    for module in (skv, soap):
        monkeypatch.setattr(module, "Transport", lambda _settings: made)
    return made


def document(person: str = "191212121212", inside: str = "<Kapitaluppgift/>") -> str:
    return (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<Svar xmlns="{INNER}" xmlns:f="{FOLKO}"><PersonuppgiftLista>'
        f"<Personuppgift><f:IdentitetsbeteckningFysiskPerson>{person}</f:IdentitetsbeteckningFysiskPerson>"
        f"{inside}</Personuppgift></PersonuppgiftLista></Svar>"
    )


async def ask_xml(transport: FakeTransport, svar: str) -> Outcome:
    body = (
        f'<k:BeskattningsuppgifterResponse xmlns:k="{NAMESPACE}"><svar>{svar}</svar></k:BeskattningsuppgifterResponse>'
    )
    transport.replies["skv.example"] = Reply(200, "utf-8", enveloped(body).encode())
    return await skv.connect(Skv.model_validate(SETTINGS)).ask(question())


async def ask_parts(*parts: str, settings: Mapping[str, object] = SETTINGS) -> Outcome:
    wanted = replace(question(), skv=SkvFraga((2024, 2025), parts), skv_dokument=False)
    return await skv.connect(Skv.model_validate(settings)).ask(wanted)


@pytest.mark.parametrize("quoting", [escape, "<![CDATA[{}]]>".format])
async def test_the_text_is_handed_on_exactly(transport: FakeTransport, quoting: object) -> None:
    outcome = await ask_xml(transport, quoting(document()))  # type: ignore[operator]
    assert isinstance(outcome, Data)
    written = CONTRACTS["10"].write_answer(question(), {"SKV": outcome})
    assert xmlgate.parse_agency(written, None).findtext(".//{*}SKV/*/svar") == document()


async def test_the_inner_question_is_the_template_with_its_slots_filled_and_quoted(
    transport: FakeTransport, tmp_path: Path
) -> None:
    template = tmp_path / "forfragan.xml"
    template.write_text('<q a="${handlaggare}">${personidentitet} ${from_datum} $$</q>', encoding="utf-8")
    service = skv.connect(Skv.model_validate({**SETTINGS, "forfragan": template}))
    transport.replies["skv.example"] = Reply(500, None, b"")
    await service.ask(replace(question(), handlaggare='"><&'))
    sent = xmlgate.parse_agency(transport.posted[0][1], None).findtext(".//forfragan")
    inner = etree.fromstring(sent or "")
    assert (inner.get("a"), inner.text) == ('"><&', "191212121212 2026-01-01 $")


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("<q>${person}</q>", "person"),
        ("<q>", "well-formed"),
        ("<q>$</q>", "placeholder"),
        ("<!DOCTYPE q><q/>", "DOCTYPE"),
    ],
)
@pytest.mark.usefixtures("transport")
async def test_a_bad_template_stops_the_start_and_says_why(tmp_path: Path, template: str, says: str) -> None:
    file = tmp_path / "forfragan.xml"
    file.write_text(template, encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        skv.connect(Skv.model_validate({**SETTINGS, "forfragan": file}))


@pytest.mark.parametrize(
    ("svar", "felkod"),
    [
        (document("199006022397"), "FEL_PERSON"),
        (document("1990<!-- -->06022397"), "FEL_PERSON"),
        ("inte XML", "OGILTIGT_SVAR"),
        ("", "OGILTIGT_SVAR"),
        ('<!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>', "OGILTIGT_SVAR"),
    ],
)
async def test_a_document_about_another_or_none_at_all_is_not_handed_on(
    transport: FakeTransport, svar: str, felkod: str
) -> None:
    outcome = await ask_xml(transport, escape(svar))
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("SSBT", felkod)


@pytest.mark.parametrize(
    ("svar", "verdict"),
    [
        (document(), "SVARAT"),
        (document(inside=""), "KAN_EJ_AVGORAS"),
        (f'<Svar xmlns="{INNER}"><PersonuppgiftLista/></Svar>', "INGET_FUNNET"),
    ],
)
async def test_only_a_kapitaluppgift_is_an_answer(transport: FakeTransport, svar: str, verdict: str) -> None:
    outcome = await ask_xml(transport, escape(svar))
    assert isinstance(outcome, Data)
    assert [bedomning.verdict for bedomning in outcome.bedomningar] == [verdict]


@pytest.mark.parametrize(("code", "felkod"), [("9071001", "9071001"), ("", "FAULT"), ("191212121212", "FAULT")])
async def test_skatteverkets_own_code_is_passed_on_and_nothing_longer(
    transport: FakeTransport, code: str, felkod: str
) -> None:
    detail = f'<detail><k:Exception xmlns:k="{NAMESPACE}"><MeddelandeKod>{code}</MeddelandeKod></k:Exception></detail>'
    fault = f"<s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring>{detail}</s:Fault>"
    transport.replies["skv.example"] = Reply(500, None, enveloped(fault).encode())
    outcome = await skv.connect(Skv.model_validate(SETTINGS)).ask(question())
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("BT", felkod)


async def test_only_the_parts_asked_for_are_asked_each_on_its_own(transport: FakeTransport) -> None:
    konto = b'{ "kontohavare": "191212121212", "saldo": 1.10 }'
    transport.replies |= {
        "skattekonto": Reply(200, None, konto),
        "skatteuppgifter": Reply(200, None, b'{"identitet": "199006022397"}'),
        "individuppgifter": Reply(404, None, b"{}"),
        "beskattningsbilagor": Reply(200, None, b"<html>"),
    }
    outcome = await ask_parts(*transport.replies)
    assert isinstance(outcome, Data)
    assert isinstance(outcome.payload, PartsPayload)
    said = {
        name: part if isinstance(part, bytes) else f"{part.kalla} {part.felkod}"
        for name, part in outcome.payload.parts.items()
    }
    assert said == {
        "skattekonto": konto,
        "skatteuppgifter": "SSBT FEL_PERSON",
        "individuppgifter": "BT 404",
        "beskattningsbilagor": "SSBT OGILTIGT_SVAR",
    }
    assert [url for url, _ in transport.posted] == [f"https://skv.example/v11/{part}" for part in said]
    assert {body for _, body in transport.posted} == {
        json.dumps({"identitet": "191212121212", "ar": [2024, 2025]}).encode()
    }
    verdicts = {bedomning.organisation: bedomning.verdict for bedomning in outcome.bedomningar}
    # 404 beside data elsewhere means that nothing was found.
    assert verdicts == {
        "SKV skattekonto": "SVARAT",
        "SKV skatteuppgifter": "KAN_EJ_AVGORAS",
        "SKV individuppgifter": "INGET_FUNNET",
        "SKV beskattningsbilagor": "KAN_EJ_AVGORAS",
    }


async def test_no_part_and_no_address_are_told(transport: FakeTransport) -> None:
    none = await ask_parts()
    unknown = await ask_parts("skattekonto", settings={**SETTINGS, "delar_url": None})
    assert isinstance(none, Failure)
    assert isinstance(unknown, Failure)
    assert (none.felkod, unknown.felkod) == ("OGILTIG_FRAGA", "EJ_ANSLUTEN")
    assert "SKV/fraga" in none.felmeddelande[1]
    assert not transport.posted
