"""Any base service over SOAP: what becomes of each answer, and that nothing of it is quoted."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from unit.builders import AF, CONTRACT, OTHER_PERSON, PERSON, af_answer, question, so_answer
from unit.services.harness import Harness, enveloped, harness
from vectors.make import SOAP, arabic

from ssbtek_gateway import xmlgate
from ssbtek_gateway.faults import failure
from ssbtek_gateway.model import Data, Failure, XmlPayload
from ssbtek_gateway.services import REGISTRY
from ssbtek_gateway.services.transport import TransportError

if TYPE_CHECKING:
    from ssbtek_gateway.model import Outcome

pytestmark = pytest.mark.anyio
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
SECRET = f"{OTHER_PERSON} ORA-00942"
FAULT = f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{SECRET}</faultstring></s:Fault>"
GOOD = af_answer()


@pytest.fixture
def af(monkeypatch: pytest.MonkeyPatch) -> Harness:
    return harness("AF", monkeypatch)


async def outcome(af: Harness, body: str | bytes, status: int = 200, charset: str | None = "utf-8") -> Outcome:
    af.answers(body, status, charset)
    return await af.service.ask(question())


def said(found: Outcome) -> tuple[str, str]:
    assert isinstance(found, Failure)
    texts = " ".join((*found.felmeddelande, found.reason))
    assert not [secret for secret in (PERSON, OTHER_PERSON, "ORA", "Testkommunen", "agency.example") if secret in texts]
    return found.kalla, found.felkod


async def test_a_question_is_posted_as_soap_1_1(af: Harness) -> None:
    await outcome(af, enveloped(GOOD))
    ((body, headers),) = af.transport.posted
    assert headers == {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""', "Accept": "text/xml"}
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?><')
    assert body.count(PERSON.encode()) == 1


@pytest.mark.parametrize(
    "body",
    [
        enveloped(GOOD),
        enveloped(GOOD, header="<s:Header/>"),
        enveloped(f"<!-- före -->{GOOD}<?efter?>"),
        f'<?xml version="1.0" encoding="utf-8"?><!-- c -->\n{enveloped(GOOD)}\n',
    ],
)
async def test_a_good_answer_is_data(af: Harness, body: str) -> None:
    found = await outcome(af, body)
    assert isinstance(found, Data)
    assert isinstance(found.payload, XmlPayload)
    assert xmlgate.parse_agency(found.payload.content, None).find(f"{{{AF}}}Svar") is not None


async def test_what_an_envelope_declares_stays_in_scope(af: Harness) -> None:
    typed = GOOD.replace("<Svar>", '<Svar xsi:type="q:Svar">')
    body = enveloped(typed, declarations=f'xmlns:q="{AF}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"')
    found = await outcome(af, body)
    assert isinstance(found, Data)
    assert isinstance(found.payload, XmlPayload)
    assert xmlgate.parse_agency(found.payload.content, None).nsmap["q"] == AF
    assert CONTRACT.invalid_sections(CONTRACT.write_answer(question(), {"AF": found})) == set()


async def test_comments_and_instructions_are_kept(af: Harness) -> None:
    found = await outcome(af, enveloped(GOOD.replace("<Svar>", "<!-- c --><Svar><?p i?>")))
    answer = CONTRACT.write_answer(question(), {"AF": found})
    assert b"<!-- c -->" in answer
    assert b"<?p i?>" in answer


@pytest.mark.parametrize("status", [200, 500])
async def test_a_fault_is_the_agencys(af: Harness, status: int) -> None:
    assert said(await outcome(af, enveloped(FAULT), status)) == ("BT", "FAULT")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 415, 429, 501, 502, 503, 504])
async def test_an_http_error_is_the_agencys_and_is_named(af: Harness, status: int) -> None:
    found = await outcome(af, f"<html>{SECRET}</html>", status)
    assert said(found) == ("BT", "FAULT")
    assert isinstance(found, Failure)
    assert f"HTTP-status {status}." in found.felmeddelande


@pytest.mark.parametrize("status", [201, 202, 204, 206])
async def test_another_success_than_200_is_no_answer(af: Harness, status: int) -> None:
    assert said(await outcome(af, enveloped(GOOD), status)) == ("SSBT", "OGILTIGT_SVAR")


@pytest.mark.parametrize("body", ["", f"<html>{SECRET}</html>", SECRET, enveloped(GOOD)])
async def test_http_500_without_a_fault_is_the_agencys_too(af: Harness, body: str) -> None:
    assert said(await outcome(af, body, 500)) == ("BT", "FAULT")


REFERRING = enveloped(GOOD.replace(">ok<", ">&e;<"))
BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)) + '<!ENTITY e "&e9;">'
UNREADABLE: dict[str, str | bytes] = {
    "empty": "",
    "text": SECRET,
    "html": f"<!DOCTYPE html><html><body>{SECRET}<br></body></html>",
    "xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{SECRET}</body></html>',
    "json": f'{{"person": "{SECRET}"}}',
    "truncated": enveloped(GOOD)[:-30],
    "two documents": enveloped(GOOD) * 2,
    "doctype": f"<!DOCTYPE x>{enveloped(GOOD)}",
    "entity from a file": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>{REFERRING}',
    "entity bomb": f'<!DOCTYPE x [<!ENTITY e0 "ha">{BOMB}]>{REFERRING}',
    "compressed": gzip.compress(enveloped(GOOD).encode()),
    "no envelope": GOOD,
    "soap 1.2": enveloped(GOOD).replace(SOAP, SOAP12),
    "soap 1.2 fault": enveloped(FAULT).replace(SOAP, SOAP12),
    "no body": f'<s:Envelope xmlns:s="{SOAP}"/>',
    "empty body": enveloped(""),
    "text in body": enveloped(SECRET),
    "two bodies": enveloped(f"{GOOD}</s:Body><s:Body>{GOOD}"),
    "two answers": enveloped(GOOD * 2),
    "answer and fault": enveloped(GOOD + FAULT),
    "another agency's answer": enveloped(so_answer()),
    "another namespace": enveloped(GOOD.replace("/v2", "/v1")),
    "another element": enveloped(GOOD.replace("SvarMeddelande", "Svar")),
    "breaks the schema": enveloped(GOOD.replace("<From>2026", f"<From>{SECRET}2026")),
    "lacks an element": enveloped(GOOD.replace("<Schemaversion>2</Schemaversion>", "")),
    "has an element too many": enveloped(GOOD.replace("<Schemaversion>", "<Okand/><Schemaversion>")),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_is_our_finding(af: Harness, name: str) -> None:
    assert said(await outcome(af, UNREADABLE[name])) == ("SSBT", "OGILTIGT_SVAR")


async def test_the_question_sent_back_is_no_answer(af: Harness) -> None:
    assert said(await outcome(af, af.written(question()))) == ("SSBT", "OGILTIGT_SVAR")


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (enveloped(GOOD.replace(">ok<", ">å<")).encode("iso-8859-1"), "utf-8"),
        (enveloped(GOOD).encode("utf-16"), "utf-8"),
        (enveloped(GOOD).encode(), "utf-7"),
        (f'<?xml version="1.0" encoding="iso-8859-1"?>{enveloped(GOOD)}'.encode(), "utf-8"),
    ],
)
async def test_a_charset_that_is_not_true_is_our_finding(af: Harness, body: bytes, charset: str) -> None:
    assert said(await outcome(af, body, charset=charset)) == ("SSBT", "OGILTIGT_SVAR")


@pytest.mark.parametrize(
    ("encoding", "charset"), [("iso-8859-1", "ISO-8859-1"), ("utf-8", None), ("utf-16", None), ("utf-8-sig", "utf-8")]
)
async def test_other_encodings_are_read(af: Harness, encoding: str, charset: str | None) -> None:
    found = await outcome(af, enveloped(GOOD.replace(">ok<", ">åäö<")).encode(encoding), charset=charset)
    assert "åäö" in CONTRACT.write_answer(question(), {"AF": found}).decode()


@pytest.mark.parametrize(
    "answer",
    [
        af_answer(OTHER_PERSON),
        af_answer(arabic(PERSON)),
        GOOD.replace(f">{PERSON}<", f">{OTHER_PERSON}<", 1),
        af_answer(f"{OTHER_PERSON[:4]}<!-- -->{OTHER_PERSON[4:]}"),
    ],
    ids=["in the answer", "Arabic digits", "in the echo", "comment in the number"],
)
async def test_an_answer_about_somebody_else_is_not_handed_on(af: Harness, answer: str) -> None:
    assert said(await outcome(af, enveloped(answer))) == ("SSBT", "FEL_PERSON")


@pytest.mark.parametrize("cut", ["<!-- c -->", "<?p i?>", "<![CDATA[]]>"])
async def test_a_number_is_read_whole(af: Harness, cut: str) -> None:
    assert isinstance(await outcome(af, enveloped(af_answer(f"{PERSON[:4]}{cut}{PERSON[4:]}"))), Data)


async def test_an_a_kassas_answer_about_somebody_else_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    so = harness("SO", monkeypatch)
    so.answers(enveloped(so_answer(OTHER_PERSON)))
    assert said(await so.service.ask(question())) == ("SSBT", "FEL_PERSON")
    so.answers(enveloped(so_answer()))
    assert isinstance(await so.service.ask(question()), Data)


@pytest.mark.parametrize(
    ("asked", "repeated", "is_data"),
    [
        ("fråga 4711", "<korrelationsid>fråga 4711</korrelationsid>", True),
        ("fråga 4711", "<korrelationsid> fråga <!-- -->4711\n</korrelationsid>", True),
        ("fråga 4711", "<korrelationsid>fråga 4712</korrelationsid>", False),
        ("fråga 4711", "<korrelationsid/>", True),
        ("fråga 4711", "", True),
        (None, "<korrelationsid>fråga 4712</korrelationsid>", True),
    ],
)
async def test_an_answer_to_another_question_is_not_handed_on(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, repeated: str, *, is_data: bool
) -> None:
    miv = harness("MIV", monkeypatch)
    miv.answers(
        enveloped(
            f"<m:findByPersonnummerResponse xmlns:m='http://schema.migrationsverket.se/ssbtek/1/'><response>{repeated}"
            f"<correlationid>1</correlationid><personnummer>{PERSON}</personnummer></response>"
            "</m:findByPersonnummerResponse>"
        )
    )
    answered = await miv.service.ask(question(korrelationsid=asked))
    assert isinstance(answered, Data) or said(answered) == ("SSBT", "FEL_PERSON")
    assert isinstance(answered, Data) is is_data


@pytest.mark.parametrize("felkod", ["TIMEOUT", "ANSLUTNING", "TLS", "OGILTIGT_SVAR"])
async def test_what_the_transport_found_is_the_outcome(af: Harness, felkod: str) -> None:
    af.transport.reply = TransportError(failure(felkod, reason="redirect"))
    assert await af.service.ask(question()) == failure(felkod, reason="redirect")
    assert await af.service.test() == (False, failure(felkod, reason="redirect"))


async def test_a_test_asks_no_question_and_close_closes(af: Harness) -> None:
    assert await af.service.test() == (False, None)
    await af.service.close()
    assert af.transport.posted == []
    assert af.transport.closed


@pytest.mark.parametrize("kod", ["AF", "CSN", "SO"])
@pytest.mark.parametrize("text", ["<&>\"'", "]]>", "å\u2028🙂", "a\tb", " ", "%s{}$", "x" * 31])
def test_any_text_makes_a_valid_request(monkeypatch: pytest.MonkeyPatch, kod: str, text: str) -> None:
    element = harness(kod, monkeypatch).asked(question(handlaggare=text, arendeidentitet=text))
    assert [node.text for node in element.iter("*")].count(text) == (3 if kod == "CSN" else 2)


def test_the_registry_names_every_section_of_the_contract() -> None:
    assert tuple(REGISTRY) == CONTRACT.sections
