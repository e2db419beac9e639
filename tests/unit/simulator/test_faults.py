from __future__ import annotations

import gzip
import time
from copy import deepcopy
from datetime import date

import pytest
from lxml import etree
from unit.simulator.driver import Got, envelope, post, question, valid

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator import AGENCIES, faults
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.faults import Fault, parse_fault
from ssbtek_gateway.simulator.personas import load

FIRST, TODAY = date(2026, 2, 1), date(2026, 3, 31)
PERSONAS = load(today=TODAY)
PERSON = "191212121212"

every_service = pytest.mark.parametrize("service", AGENCIES)


def ask(service: str, fault: str = "", *, person: str = PERSON, patience: int = 50) -> Got:
    chosen = dict([parse_fault(f"{service}={fault}")]) if fault else {}
    app = Simulator(PERSONAS, chosen, lambda: TODAY)
    return post(app, f"/{service.lower()}", question(service, person, FIRST, TODAY), patience=patience)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("XY=hang", "SERVICE is one of AF, SO, CSN"),
        ("hang", "write SERVICE=KIND"),
        ("af=hang", "SERVICE is one of"),
        ("AF=", "KIND is one of comments, doctype"),
        ("AF=explode", "KIND is one of"),
        ("AF=hang:3", "only slow takes a number"),
        ("AF=slow", "write slow:SECONDS"),
        ("AF=slow:", "write slow:SECONDS"),
        ("AF=slow:long", "write slow:SECONDS"),
        ("AF=slow:-1", "write slow:SECONDS"),
        ("AF=slow:nan", "write slow:SECONDS"),
        ("AF=slow:inf", "write slow:SECONDS"),
    ],
)
def test_a_fault_that_is_none_is_explained(text: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        parse_fault(text)


def test_faults_as_they_are_written() -> None:
    assert parse_fault("AF=slow:0.5") == ("AF", Fault("slow", 0.5))
    assert parse_fault("CSN=fault-pnr") == ("CSN", Fault("fault-pnr"))
    assert len({*faults.REPLIES, *faults.CONDUCTS}) == 16


def test_a_fault_is_of_its_own_service_only() -> None:
    app = Simulator(PERSONAS, dict([parse_fault("AF=http503")]), lambda: TODAY)
    body = {service: question(service, PERSON, TODAY, TODAY) for service in AGENCIES}
    assert [post(app, f"/{service.lower()}", body[service]).status for service in AGENCIES] == [503, 200, 200]


def test_a_wrong_question_is_refused_before_any_fault() -> None:
    app = Simulator(PERSONAS, dict([parse_fault("AF=garbage")]), lambda: TODAY)
    assert "schema" in post(app, "/af", envelope("<a/>")).faultstring()


@every_service
def test_slow_is_late_and_good(service: str) -> None:
    begun = time.monotonic()
    got = ask(service, "slow:0.05")
    assert time.monotonic() - begun >= 0.05
    assert got.body == ask(service).body


@every_service
def test_hang_says_nothing_until_the_peer_goes_away(service: str) -> None:
    assert ask(service, "hang", patience=0) == Got()


@every_service
def test_reset_breaks_the_connection_without_a_word(service: str) -> None:
    assert ask(service, "reset") == Got(reset=True)


@every_service
def test_fault_is_a_soap_fault(service: str) -> None:
    assert PERSON not in ask(service, "fault").faultstring()


@every_service
def test_fault_pnr_tells_too_much(service: str) -> None:
    text = ask(service, "fault-pnr").faultstring()
    assert PERSON in text
    assert "ORA-" in text


@pytest.mark.parametrize(("kind", "status"), [("http503", 503), ("garbage", 200)])
def test_html_where_xml_should_be(kind: str, status: int) -> None:
    got = ask("SO", kind)
    assert got.status == status
    assert got.headers["content-type"].startswith("text/html")
    assert b"<html>" in got.body


@every_service
def test_truncated_ends_before_its_length(service: str) -> None:
    got, good = ask(service, "truncated"), ask(service)
    assert not got.whole
    assert int(got.headers["content-length"]) == len(good.body)
    assert got.body == good.body[: len(good.body) // 2]


@every_service
def test_invalid_is_xml_that_the_schema_refuses(service: str) -> None:
    assert not valid(service, ask(service, "invalid").answer())


@every_service
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


def test_soap12() -> None:
    got = ask("AF", "soap12")
    assert got.headers["content-type"].startswith("application/soap+xml")
    assert got.root().tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"


@every_service
def test_doctype_carries_a_bomb_that_the_gate_refuses(service: str) -> None:
    got = ask(service, "doctype")
    assert b"<!ENTITY e9" in got.body
    assert b"&e9;" in got.body
    with pytest.raises(xmlgate.XmlError):
        got.root()


def test_huge_goes_on_until_the_peer_goes_away() -> None:
    got = ask("CSN", "huge", patience=40)
    assert not got.whole
    assert "content-length" not in got.headers
    assert len(got.body) > 2_000_000


def test_redirect() -> None:
    got = ask("AF", "redirect")
    assert got.status == 307
    assert got.headers["location"].startswith("https://")


@every_service
def test_gzip_is_the_good_answer_compressed(service: str) -> None:
    got = ask(service, "gzip")
    assert got.headers["content-encoding"] == "gzip"
    assert gzip.decompress(got.body) == ask(service).body


@every_service
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
