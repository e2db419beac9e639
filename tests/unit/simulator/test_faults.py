from __future__ import annotations

import gzip
import json
import re
import time
from copy import deepcopy
from datetime import date

import pytest
from lxml import etree
from unit.simulator import driver
from unit.simulator.driver import (
    EVERY,
    FK_SOAP,
    SCHEMAS,
    Got,
    ask_fk_soap,
    ask_skv11,
    envelope,
    lefi_flaws,
    post,
    question,
    valid,
)

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator import conduct
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.conduct import CONDUCTS, REPLIES
from ssbtek_gateway.simulator.faults import KINDS, Fault, fault_of, parse_fault
from ssbtek_gateway.simulator.personas import load

FIRST, TODAY = date(2026, 2, 1), date(2026, 3, 31)
PERSONAS = load(today=TODAY)
PERSON = "191212121212"
# Skatteverket is asked over REST too, and Försäkringskassan over SOAP.
SKV11 = "SKV v11"
JSON = ("FK", SKV11)
# What SOAP and JSON answers do each in their own way.
OWN = sorted(KINDS.keys() - REPLIES.keys() - CONDUCTS.keys() - {"flap"})

every_service = pytest.mark.parametrize("service", [*EVERY, SKV11, FK_SOAP])
# For what is the same whatever the good answer is.
soap_and_json = pytest.mark.parametrize("service", ["SO", "FK"])
every_soap_service = pytest.mark.parametrize("service", [*SCHEMAS, FK_SOAP])
every_json_service = pytest.mark.parametrize("service", JSON)


def ask(
    service: str, fault: str = "", *, person: str = PERSON, patience: int = 50, app: Simulator | None = None
) -> Got:
    code = service.partition(" ")[0]
    if app is None:
        app = Simulator(PERSONAS, dict([parse_fault(f"{code}={fault}")]) if fault else {}, lambda: TODAY)
    if service == SKV11:
        return ask_skv11(app, "skattekonto", person, 2025, patience=patience)
    if service == FK_SOAP:
        return ask_fk_soap(app, person, FIRST, TODAY, patience=patience)
    return driver.ask(app, service, person, FIRST, TODAY, patience=patience)


def can(service: str, kind: str) -> bool:
    try:
        fault_of(service.partition(" ")[0], kind)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("XY=hang", "SERVICE is one of AF, SO, CSN, FK, SKV, TNS, MIV"),
        ("hang", "write SERVICE=KIND"),
        ("af=hang", "SERVICE is one of"),
        ("AF=", "KIND is one of bad-chunk, charset"),
        ("AF=explode", "KIND is one of"),
        ("AF=hang:3", "only slow and flap take a number"),
        ("AF=slow", "write slow:SECONDS"),
        ("AF=slow:", "write slow:SECONDS"),
        ("AF=slow:long", "write slow:SECONDS"),
        ("AF=slow:-1", "write slow:SECONDS"),
        ("AF=slow:nan", "write slow:SECONDS"),
        ("AF=slow:inf", "write slow:SECONDS"),
        ("AF=flap", "write flap:N"),
        ("AF=flap:0", "write flap:N"),
        ("AF=flap:0.5", "write flap:N"),
        ("SO=korrelationsid", "has no korrelationsid"),
        ("FK=other-person", "does not say whom it is about"),
        ("TNS=other-person", "does not say whom it is about"),
    ],
)
def test_a_fault_that_is_none_is_explained(text: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        parse_fault(text)


def test_faults_as_they_are_written() -> None:
    assert parse_fault("AF=slow:0.5") == ("AF", Fault("slow", 0.5))
    assert parse_fault("CSN=fault-pnr") == ("CSN", Fault("fault-pnr"))
    for text in ("slow:0.5", "flap:2", "hang"):
        assert str(fault_of("AF", text)) == text


def test_every_kind_can_be_played_and_is_described() -> None:
    for kind in OWN:
        assert all(ask(service, kind).status for service in (*EVERY, SKV11, FK_SOAP) if can(service, kind))
    assert REPLIES.keys() | CONDUCTS.keys() | {"flap"} <= KINDS.keys()
    assert all(0 < len(text) < 90 for text in KINDS.values())


def test_a_fault_is_of_its_own_service_only() -> None:
    app = Simulator(PERSONAS, dict([parse_fault("SKV=http503")]), lambda: TODAY)
    statuses = {service: driver.ask(app, service, PERSON, FIRST, TODAY).status for service in EVERY}
    assert statuses == {**dict.fromkeys(EVERY, 200), "SKV": 503}
    assert ask_skv11(app, "skattekonto", PERSON, 2025).status == 503


def test_a_persona_may_carry_a_fault_for_each_service() -> None:
    person = "201701012393"
    assert ask("AF", person=person, patience=0) == Got()
    assert ask("SO", person=person) == Got(reset=True)
    assert not ask("CSN", person=person).whole
    assert ask("FK", person=person).status == 503
    assert b"<html>" in ask("SKV", person=person).body
    assert b"<html>" in ask(SKV11, person=person).body
    assert ask("TNS", person=person, patience=0) == Got()
    assert ask("MIV", person=person).status == 307


def test_a_fault_of_the_service_comes_before_the_personas_own() -> None:
    assert ask("FK", "redirect", person="201701012393").status == 307


def test_a_wrong_question_is_refused_before_any_fault() -> None:
    app = Simulator(PERSONAS, dict([parse_fault("AF=garbage")]), lambda: TODAY)
    assert "schema" in post(app, "/af", envelope("<a/>")).faultstring()


@every_service
def test_slow_is_late_and_good(service: str) -> None:
    begun = time.monotonic()
    got = ask(service, "slow:0.05")
    assert time.monotonic() - begun >= 0.05
    assert got == ask(service)


@every_service
def test_slow_ends_as_the_peer_goes_away(service: str) -> None:
    assert ask(service, "slow:300", patience=0) == Got()


@every_service
def test_hang_says_nothing_until_the_peer_goes_away(service: str) -> None:
    assert ask(service, "hang", patience=0) == Got()


@every_service
def test_reset_breaks_the_connection_without_a_word(service: str) -> None:
    assert ask(service, "reset") == Got(reset=True)


@every_soap_service
def test_fault_is_a_soap_fault(service: str) -> None:
    assert PERSON not in ask(service, "fault").faultstring()


def test_fault_is_said_as_each_rest_service_says_it() -> None:
    felsvar = ask("FK", "fault").json(500)
    assert lefi_flaws(felsvar, "LefiFelsvar") == []
    assert felsvar["meddelande"]
    assert ask(SKV11, "fault").json(500)["status"] == 500
    assert PERSON.encode() not in ask("FK", "fault").body + ask(SKV11, "fault").body


@every_json_service
def test_fault_pnr_over_rest_tells_too_much(service: str) -> None:
    got = ask(service, "fault-pnr")
    assert got.json(500)
    assert PERSON.encode() in got.body
    assert b"ORA-" in got.body


@every_soap_service
def test_fault_pnr_tells_too_much(service: str) -> None:
    text = ask(service, "fault-pnr").faultstring()
    assert PERSON in text
    assert "ORA-" in text


@soap_and_json
@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_a_status_and_nothing_else(service: str, status: int) -> None:
    got = ask(service, f"http{status}")
    assert (got.status, got.body, got.whole) == (status, b"", True)
    assert got.headers.get("retry-after") == ("99999" if status == 429 else None)


@soap_and_json
def test_answers_that_are_no_answers(service: str) -> None:
    empty, text = ask(service, "empty"), ask(service, "not-xml")
    assert (empty.status, empty.body) == (200, b"")
    assert text.status == 200
    assert text.headers["content-type"] == ask(service).headers["content-type"]
    with pytest.raises(xmlgate.XmlError):
        text.root()


@every_service
@pytest.mark.parametrize(("kind", "status"), [("http503", 503), ("garbage", 200)])
def test_html_where_the_answer_should_be(service: str, kind: str, status: int) -> None:
    got = ask(service, kind)
    assert got.status == status
    assert got.headers["content-type"].startswith("text/html")
    assert b"<html>" in got.body


@every_service
def test_truncated_ends_before_its_length(service: str) -> None:
    got, good = ask(service, "truncated"), ask(service)
    assert not got.whole
    assert got.closed
    assert int(got.headers["content-length"]) == len(good.body)
    assert got.body == good.body[: len(good.body) // 2]


@soap_and_json
@pytest.mark.parametrize(
    ("kind", "begins", "ends"),
    [
        ("hangheaders", b"HTTP/1.1 200 OK\r\n", b"\r\nx-mer: "),
        ("bad-chunk", b"HTTP/1.1 200 OK\r\n", b"\r\n"),
        ("too-long", b"HTTP/1.1 200 OK\r\n", b""),
        ("too-short", b"HTTP/1.1 200 OK\r\n", b""),
        ("extra", b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n"),
    ],
)
def test_what_http_does_not_allow(service: str, kind: str, begins: bytes, ends: bytes) -> None:
    got, good = ask(service, kind, patience=1), ask(service)
    assert got.raw.startswith(begins)
    assert got.raw.endswith(ends)
    assert (got.status, got.closed) == (0, False)
    head, _, body = got.raw.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: ([0-9]+)", head)
    promised = int(length[1]) if length else 0
    match kind:
        case "hangheaders":
            assert body == b""
        case "bad-chunk":
            assert b"transfer-encoding: chunked" in head
            assert body == b"zz\r\n" + good.body + b"\r\n"
        case "too-long" | "too-short":
            assert (body, promised - len(body)) == (good.body, {"too-long": 10, "too-short": -10}[kind])
        case "extra":
            assert body[:promised] == good.body
            assert body[promised:].startswith(b"HTTP/1.1 500")


@soap_and_json
def test_drip_ends_with_the_whole_answer(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct, "_DRIP_SECONDS", 0)
    whole = ask(service, "extra", patience=1).raw.rpartition(b"HTTP/1.1 500")[0]
    assert ask(service, "drip", patience=len(whole)).raw == whole


@soap_and_json
def test_http09_is_the_answer_alone(service: str) -> None:
    got = ask(service, "http09")
    assert (got.raw, got.closed, got.status) == (ask(service).body, True, 0)


@soap_and_json
def test_close_says_nothing(service: str) -> None:
    assert ask(service, "close") == Got(closed=True)


@soap_and_json
def test_flap_is_good_and_broken_by_turns(service: str) -> None:
    code = service.partition(" ")[0]
    app = Simulator(PERSONAS, dict([parse_fault(f"{code}=flap:2")]), lambda: TODAY)
    got = [ask(service, app=app) for _ in range(6)]
    assert got == [ask(service)] * 2 + [Got(reset=True)] * 2 + [ask(service)] * 2
    assert app.asked == {code: 6}


@every_soap_service
def test_invalid_is_xml_that_the_schema_refuses(service: str) -> None:
    assert not valid(service, ask(service, "invalid").answer())
    assert not valid(service, ask(service, "invalid", person="199610202385").answer())


def test_invalid_is_json_that_the_schema_refuses() -> None:
    assert lefi_flaws(ask("FK", "invalid").json())
    broken, good = ask(SKV11, "invalid").json(), ask(SKV11).json()
    assert broken.keys() == good.keys()
    assert all(type(broken[name]) is not type(good[name]) for name in good)


@pytest.mark.parametrize("service", ["AF", "SO", "CSN"])
@pytest.mark.parametrize("person", [PERSON, "194408139089", "200001022391", "201701012393", "189001019802"])
def test_other_person_is_a_valid_answer_about_somebody_else(service: str, person: str) -> None:
    got = ask(service, "other-person", person=person)
    answer = got.answer()
    assert valid(service, answer)
    path = {
        "AF": "//*[local-name()='Svar']/*[local-name()='IdentitetsbeteckningFysiskPerson']/text()",
        "SO": "//*[local-name()='IdentificationNumber']/text()",
        "CSN": "//@personnummer",
    }[service]
    (number,) = answer.xpath(path)
    assert number[-10:] != person[-10:]
    assert got.body.count(person[2:].encode()) == (0 if service == "SO" else 1)


@pytest.mark.parametrize("service", ["SKV", SKV11, "MIV"])
def test_other_person_where_the_answer_echoes_no_question(service: str) -> None:
    got = ask(service, "other-person")
    assert got.status == 200
    assert PERSON.encode() not in got.body
    assert got.body.replace(b"194408139089", PERSON.encode()) == ask(service).body
    if service in SCHEMAS:
        assert valid(service, got.answer())


def test_other_person_is_nobody_where_the_answer_names_nobody() -> None:
    nobody = "199610202385"
    assert ask("SKV", "other-person", person=nobody) == ask("SKV", person=nobody)
    assert ask(SKV11, "other-person", person=nobody) == ask(SKV11, person=nobody)


def test_soap12() -> None:
    got = ask("AF", "soap12")
    assert got.headers["content-type"].startswith("application/soap+xml")
    assert got.root().tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"


def test_korrelationsid_is_anothers() -> None:
    got, good = ask("MIV", "korrelationsid"), ask("MIV")
    assert valid("MIV", got.answer())
    assert got.answer().findtext("response/korrelationsid") != good.answer().findtext("response/korrelationsid") == "k1"


@every_soap_service
def test_fault200_is_the_fault_as_if_all_were_well(service: str) -> None:
    got = ask(service, "fault200")
    assert (got.status, got.body) == (200, ask(service, "fault").body)


def test_fault200_over_rest() -> None:
    assert lefi_flaws(ask("FK", "fault200").json(), "LefiFelsvar") == []
    assert ask(SKV11, "fault200").json()["status"] == 500


@soap_and_json
def test_longfault(service: str) -> None:
    got = ask(service, "longfault")
    assert got.status == 500
    assert 5_000_000 < len(got.body) < 6_000_000


@every_soap_service
def test_two_bodies(service: str) -> None:
    first, second = ask(service, "two-bodies").root()
    assert etree.tostring(first) == etree.tostring(second)


@every_json_service
def test_two_documents(service: str) -> None:
    assert ask(service, "two-bodies").body == ask(service).body * 2


@every_soap_service
def test_xxe_names_a_file(service: str) -> None:
    got = ask(service, "xxe")
    assert b'SYSTEM "file:///etc/passwd"' in got.body
    with pytest.raises(xmlgate.XmlError):
        got.root()


@every_json_service
def test_xxe_is_what_python_takes_and_json_does_not(service: str) -> None:
    assert str(ask(service, "xxe").json()["mer"]) == "nan"


@soap_and_json
def test_charset_lies(service: str) -> None:
    got, good = ask(service, "charset"), ask(service)
    assert got.body == good.body
    assert got.headers["content-type"].endswith("; charset=iso-8859-1")


@soap_and_json
def test_utf_16_is_what_it_says(service: str) -> None:
    got, good = ask(service, "utf-16"), ask(service)
    assert got.headers["content-type"].endswith("; charset=utf-16")
    assert got.body.decode("utf-16").replace("UTF-16", "UTF-8", 1) == good.body.decode()


@soap_and_json
def test_a_gzip_bomb_grows_a_thousandfold(service: str) -> None:
    got = ask(service, "gzip-bomb")
    assert got.headers["content-encoding"] == "gzip"
    assert len(gzip.decompress(got.body)) > 900 * len(got.body)


@every_json_service
def test_soap12_where_json_should_be(service: str) -> None:
    got = ask(service, "soap12")
    assert got.headers["content-type"].startswith("application/soap+xml")
    assert b":Envelope" in got.body


@every_json_service
def test_doctype_is_json_of_a_depth_that_no_reader_reaches(service: str) -> None:
    got = ask(service, "doctype")
    with pytest.raises(RecursionError):
        json.loads(got.body)


@every_soap_service
def test_doctype_carries_a_bomb_that_the_gate_refuses(service: str) -> None:
    got = ask(service, "doctype")
    assert b"<!ENTITY e9" in got.body
    assert b"&e9;" in got.body
    with pytest.raises(xmlgate.XmlError):
        got.root()


@every_service
def test_huge_goes_on_until_the_peer_goes_away(service: str) -> None:
    got = ask(service, "huge", patience=40)
    assert not got.whole
    assert "content-length" not in got.headers
    assert len(got.body) > 2_000_000


@soap_and_json
def test_redirect(service: str) -> None:
    for kind, status, where in (("", 307, "https://"), ("-loop", 307, "?"), ("-file", 302, "file:///etc/passwd")):
        got = ask(service, f"redirect{kind}")
        assert got.status == status
        assert got.headers["location"].startswith(where)


@every_service
def test_gzip_is_the_good_answer_compressed(service: str) -> None:
    got = ask(service, "gzip")
    assert got.headers["content-encoding"] == "gzip"
    assert gzip.decompress(got.body) == ask(service).body


@every_json_service
def test_comments_is_json_that_is_easily_damaged(service: str) -> None:
    got, good = ask(service, "comments"), ask(service)
    assert got.json() == good.json()
    assert got.body != good.body
    # Whoever reads and writes it loses these.
    assert got.body.startswith(b"\r\n\t{")
    assert got.body.isascii()
    if service == "FK":
        assert b'"summa": 312000.00,' in got.body
        assert b"\\u00e4" in got.body


def test_a_failure_in_the_answer_bears_faults_too() -> None:
    person = "190301249801"
    for kind in (*OWN, *REPLIES, "truncated"):
        for service in ("SKV", SKV11, "MIV"):
            assert not can(service, kind) or ask(service, kind, person=person).status


@every_soap_service
def test_comments_is_valid_and_easily_damaged(service: str) -> None:
    got = ask(service, "comments")
    answer = got.answer()
    assert valid(service, answer)
    assert len(list(answer.iter(etree.Comment))) == 2
    assert len(list(answer.iter(etree.PI))) == 1
    (kind,) = answer.xpath("//@xsi:type", namespaces={"xsi": "http://www.w3.org/2001/XMLSchema-instance"})
    assert kind == "xsd:string"
    # The prefix is declared on the envelope: whoever takes the element alone loses it.
    assert got.body.index(b"xmlns:xsd=") < got.body.index(b"<soap:Body>")
    alone = xmlgate.parse_own(etree.tostring(deepcopy(answer)))
    assert "xsd" not in {prefix for element in alone.iter("*") for prefix in element.nsmap}


def test_comments_stay_valid_where_no_text_can_bear_a_type() -> None:
    app = Simulator(PERSONAS, dict([parse_fault("CSN=comments")]), lambda: TODAY)
    # Refused for its period (-1006): an answer without a person.
    answer = post(app, "/csn", question("CSN", PERSON, date(2020, 1, 1), TODAY)).answer()
    assert valid("CSN", answer)
    assert len(list(answer.iter(etree.Comment))) == 1
