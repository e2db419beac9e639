"""Försäkringskassan over SOAP: the JSON question reaches it whole, and its answer is judged as the JSON that it is."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree
from unit.builders import OTHER_PERSON, PERSON, question
from unit.services.harness import Harness, enveloped, harness
from unit.services.test_fk import OK, WANTED

from ssbtek_gateway import config, jsongate
from ssbtek_gateway.json_xml import LEFI
from ssbtek_gateway.model import Data, EncodedPayload, Failure, FkFraga
from ssbtek_gateway.services import lefi
from ssbtek_gateway.services.fk import connect

if TYPE_CHECKING:
    from ssbtek_gateway.model import Outcome, Question

pytestmark = pytest.mark.anyio
NS = f"{{{LEFI.namespace}}}"
FN = "http://www.w3.org/2005/xpath-functions"
NEWS: dict[str, Any] = {
    "utlamnare": [*OK, {"utlamnare": {"kod": "NY"}, "tillstand": {"kod": "SENARE", "nytt": {"djupt": 1}}}],
    "avvikelser": [],
    "helt": "nytt",
}


@pytest.fixture
def fk(monkeypatch: pytest.MonkeyPatch) -> Harness:
    return harness("FK", monkeypatch)


def asking(wanted: object = WANTED, aktorsid: str = "TEST-01") -> Question:
    sent = wanted if isinstance(wanted, bytes) else json.dumps(wanted).encode()
    return replace(question(), fk=FkFraga("v9", aktorsid, sent, json.loads(sent)))


def answered(value: object) -> str:
    written = LEFI.written(value, lefi.SVAR, "lefi:hamtaFormansinformationResponse").decode()
    return enveloped(written, declarations=f'xmlns:lefi="{LEFI.namespace}"')


def holding(okant: str) -> str:
    tag = "hamtaFormansinformationResponse"
    inner = f'<okant>{okant.replace(">", f""" xmlns="{FN}">""", 1)}</okant>'
    return enveloped(f'<{tag} xmlns="{LEFI.namespace}">{inner}</{tag}>')


async def outcome(fk: Harness, body: str, status: int = 200) -> Outcome:
    fk.answers(body, status)
    return await fk.service.ask(asking())


def failed(found: Outcome) -> tuple[str, str]:
    assert isinstance(found, Failure)
    return found.kalla, found.felkod


def test_the_question_is_the_schemas(fk: Harness) -> None:
    element = fk.asked(asking(aktorsid='<"&å'))
    assert element.tag == f"{NS}hamtaFormansinformation"
    assert [(etree.QName(node).localname, node.text) for node in element.iter("*") if not len(node)] == [
        ("aktorsId", '<"&å'),
        ("personnummer", PERSON),
        ("from", "2024-01-31"),
        ("tom", "2026-01-31"),
        ("ansprak", "PM:AP"),
    ]


def test_what_is_new_in_a_question_goes_through_whole(fk: Harness) -> None:
    wanted = WANTED | {
        "beslut": [],
        "utbetalningar": ["FK:NY", "FK:SJP"],
        "helt": {"ny\t": [None, True, "\x00</fraga>"]},
        "okant": [{"tomma": []}],
    }
    sent = json.dumps(wanted)[:-1].encode() + b', "tal": 1.10, "storre": 12345678901234567890.5}'
    fraga = fk.asked(asking(sent)).find(f"{NS}fraga")
    assert fraga is not None
    assert LEFI.read(fraga, lefi.FRAGA) == wanted | {
        "tal": Decimal("1.10"),
        "storre": Decimal("12345678901234567890.5"),
    }
    assert fraga.findtext(f"{NS}personnummer") == PERSON


@pytest.mark.parametrize("new", [b"1e9999999999999999999", b"[" * 900 + b"]" * 900])
async def test_what_cannot_be_written_is_not_sent_and_the_field_is_named(fk: Harness, new: bytes) -> None:
    sent = json.dumps(WANTED)[:-1].encode() + b', "nytt": ' + new + b"}"
    found = await fk.service.ask(asking(sent))
    assert isinstance(found, Failure)
    assert (found.felkod, found.felmeddelande[1].partition(":")[0]) == ("OGILTIG_FRAGA", "lefiJsonFraga")
    assert fk.transport.posted == []


async def test_what_lefi_would_refuse_is_not_sent(fk: Harness) -> None:
    for asked in (replace(asking(), fk=None), asking(WANTED | {"ansprak": []})):
        assert failed(await fk.service.ask(asked)) == ("SSBT", "OGILTIG_FRAGA")
    assert fk.transport.posted == []


async def test_the_answer_is_the_json_that_it_would_have_been(fk: Harness) -> None:
    paid = {"belopp": {"summa": Decimal("12.50")}}
    found = await outcome(fk, answered({"utlamnare": OK, "formansinformation": {"underhallsskuld": [paid]}}))
    assert isinstance(found, Data)
    assert isinstance(found.payload, EncodedPayload)
    assert found.payload.name == "lefiJsonSvar"
    assert b'"summa":12.50' in found.payload.content
    assert {one.organisation: one.verdict for one in found.bedomningar} == {"FK": "SVARAT", "PM": "INGET_FUNNET"}
    assert found.unknown == 0


async def test_empty_lists_and_new_fields_and_codes_come_through_and_are_counted(fk: Harness) -> None:
    found = await outcome(fk, answered(NEWS))
    assert isinstance(found, Data)
    assert isinstance(found.payload, EncodedPayload)
    assert jsongate.parse(found.payload.content, unique=True) == NEWS
    # The same things, by the same rules, as over REST.
    assert found.unknown == 4


async def test_a_group_that_could_not_be_given_cannot_be_told(fk: Harness) -> None:
    deviation = {"formansgrupp": {"kod": "FK:ABB", "beskrivning": ""}, "avvikelse": {"kod": "OBEHORIG"}}
    found = await outcome(fk, answered({"utlamnare": OK, "avvikelser": {"formansinformation": [deviation]}}))
    assert isinstance(found, Data)
    assert ("FK:ABB", "KAN_EJ_AVGORAS") in [(one.organisation, one.verdict) for one in found.bedomningar]


@pytest.mark.parametrize(
    "okant",
    [
        "<string>ett svar</string>",
        "<array></array>",
        '<map><string key="utlamnare">alla</string></map>',
        '<map><string key="meddelande">fel</string></map>',
        '<map><array key="utlamnare"><null/></array></map>',
        '<map><map key="avvikelser"><number key="ansprak">1</number></map></map>',
        '<map><number key="nytt">1e9999999999999999999</number></map>',
        '<map><number key="nytt">NaN</number></map>',
        '<map><string key="nytt" escaped="true">\\q</string></map>',
        '<map><string key="nytt" escaped="true">\\u12</string></map>',
    ],
)
async def test_what_hides_from_the_schema_is_no_answer(fk: Harness, okant: str) -> None:
    assert failed(await outcome(fk, holding(okant))) == ("SSBT", "OGILTIGT_SVAR")


async def test_new_things_may_be_deep_and_odd(fk: Harness) -> None:
    deep = '<array key="a">' + "<array>" * 230 + "</array>" * 230 + "</array>"
    odd = '<number key="n">1E400</number><string key="s" escaped="true">\\ud800</string>'
    found = await outcome(fk, holding(f'<map>{deep}{odd}<array key="beslut"/></map>'))
    assert isinstance(found, Data)
    assert isinstance(found.payload, EncodedPayload)
    value = jsongate.parse(found.payload.content, unique=True, exact=True)
    assert (value["n"], value["s"]) == (Decimal("1E400"), "\ud800")
    assert found.unknown == 3


@pytest.mark.parametrize(
    "body",
    [
        answered({}).replace("Response", "Svar"),
        answered({}).replace("online:9", "online:8"),
        answered({"utlamnare": OK}).replace(">OK<", ">NY<"),
        answered({}).replace("hamtaFormansinformationResponse", "hamtaTillgangligaInformationstyperResponse"),
    ],
)
async def test_another_answer_is_none(fk: Harness, body: str) -> None:
    assert failed(await outcome(fk, body)) == ("SSBT", "OGILTIGT_SVAR")


def fault(status: str) -> str:
    fel = f"<status>{status}</status><fel><meddelande>{OTHER_PERSON} finns inte</meddelande></fel>"
    detail = f'<detail><lefiFel xmlns="{LEFI.namespace}">{fel}</lefiFel></detail>'
    return enveloped(
        f"<s:Fault><faultcode>s:Client</faultcode><faultstring>{OTHER_PERSON}</faultstring>{detail}</s:Fault>"
    )


@pytest.mark.parametrize("http", [200, 500])
@pytest.mark.parametrize(
    ("status", "felkod", "says"),
    [
        ("400", "400", "saknar grupp"),
        (" 403\n", "403", "företrädas"),
        ("500", "500", ""),
        (OTHER_PERSON, "FAULT", ""),
        ("", "FAULT", ""),
    ],
)
async def test_lefis_refusal_is_its_own_with_its_status_and_none_of_its_text(
    fk: Harness, status: str, felkod: str, says: str, http: int
) -> None:
    found = await outcome(fk, fault(status), http)
    assert isinstance(found, Failure)
    assert (found.kalla, found.felkod) == ("BT", felkod)
    texts = " ".join(found.felmeddelande)
    assert says in texts
    assert OTHER_PERSON not in texts + found.reason


async def test_an_http_error_is_told_as_any_soap_services(fk: Harness) -> None:
    assert failed(await outcome(fk, "<html>", 503)) == ("BT", "FAULT")


async def test_the_test_lists_what_the_configured_actor_may_ask_for(fk: Harness) -> None:
    kinds = {"ansprak": [{"kod": "PM:AP", "beskrivning": "Pension"}]}
    tag = "lefi:hamtaTillgangligaInformationstyperResponse"
    listed = LEFI.written(kinds, "LefiExternTillgangligaInformationstyper", tag).decode()
    fk.answers(enveloped(listed, declarations=f'xmlns:lefi="{LEFI.namespace}"'))
    assert await fk.service.test() == (True, None)
    ((sent, _),) = fk.transport.posted
    assert sent.endswith(
        b"TEST-02</ns0:aktorsId></ns0:hamtaTillgangligaInformationstyper></soap-env:Body></soap-env:Envelope>"
    )
    assert PERSON.encode() not in sent
    fk.answers(fault("403"), 500)
    called, refused = await fk.service.test()
    assert (called, refused and refused.felkod) == (True, "403")
    fk.answers(answered({"utlamnare": OK}))
    _, refused = await fk.service.test()
    assert refused is not None, "the answer to the other operation"


async def test_the_configuration_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    harness("FK", monkeypatch)
    settings = config.Fk(url="http://127.0.0.1/fk", allow_plain_http=True)
    assert type(connect(settings)) is not type(connect(settings.model_copy(update={"transport": "soap"})))
