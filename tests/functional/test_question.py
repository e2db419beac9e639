"""A question over mutual TLS, from the published WSDL to the combined answer, and what each party may ask."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from harness import ALLT, running_agencies, running_gateway
from lxml import etree

from ssbtek_gateway.client import TEST_ASKER, FaultError
from ssbtek_gateway.model import PersonId

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Gateway

    from ssbtek_gateway.client import Answer

CONNECTED = ("AF", "CSN", "SO")


def outcomes(answer: Answer) -> dict[str, str]:
    """`DATA`, or `kalla felkod`, for each section in the answer's order."""
    return {
        etree.QName(section).localname: (
            "DATA"
            if section.find("{*}data") is not None
            else f"{section.findtext('{*}error/{*}kalla')} {section.findtext('{*}error/{*}felkod')}"
        )
        for section in answer.sections
    }


def rows(gateway: Gateway) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(gateway.audit)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM audit ORDER BY id")]


def test_all_seven_sections_come_in_the_contracts_order(ssbtek: Gateway) -> None:
    assert outcomes(ssbtek.ask()) == {
        "AF": "DATA",
        "CSN": "DATA",
        "FK": "SSBT EJ_ANSLUTEN",
        "SKV": "SSBT EJ_ANSLUTEN",
        "SO": "DATA",
        "TNS": "SSBT EJ_ANSLUTEN",
        "MIV": "SSBT EJ_ANSLUTEN",
    }


def test_only_the_included_services_are_in_the_answer(ssbtek: Gateway) -> None:
    assert list(outcomes(ssbtek.ask(["SO"]))) == ["SO"]


def test_the_answer_is_about_the_person_asked(ssbtek: Gateway) -> None:
    values = ssbtek.ask(["AF"], person=PersonId("199006022397")).values
    assert values["svarsdata"]["AF"]["data"]["Svar"]["IdentitetsbeteckningFysiskPerson"] == "199006022397"


def test_a_registered_and_declared_supplier_may_ask_for_the_municipality(ssbtek: Gateway, question: str) -> None:
    declared = question.replace(
        "<ssbt:syfte>",
        "<ssbt:personuppgiftsbitrade><ssbt:organisationsnummer>165560000167</ssbt:organisationsnummer>"
        "<ssbt:namn>Testbolaget</ssbt:namn></ssbt:personuppgiftsbitrade><ssbt:syfte>",
    )
    status, body = ssbtek.post(declared.encode(), who="bitrade")
    assert (status, b"<ssbt:svarsdata>" in body) == (200, True)
    assert [row["bitrade"] for row in rows(ssbtek) if row["handelse"] == "FRAGAD"][-1] == "165560000167"


@pytest.mark.parametrize("who", ["bitrade", "grannkommun"])
def test_nobody_asks_in_anothers_name(ssbtek: Gateway, who: str) -> None:
    with pytest.raises(FaultError) as raised:
        ssbtek.ask(who=who)
    assert raised.value.felkod == "EJ_BEHORIG"
    assert rows(ssbtek)[-1]["felkod"] == "EJ_BEHORIG"


def test_a_service_that_is_not_granted_is_refused_and_shown(ssbtek: Gateway) -> None:
    asker = replace(TEST_ASKER, organisationsnummer="162120009994")
    answered = outcomes(ssbtek.ask(["AF", "FK", "SKV"], who="grannkommun", asker=asker))
    assert answered == {"AF": "DATA", "FK": "SSBT EJ_BEHORIG", "SKV": "SSBT EJ_BEHORIG"}


def test_a_purpose_outside_the_register_is_refused(ssbtek: Gateway) -> None:
    asker = replace(TEST_ASKER, organisationsnummer="162120009994", syfte="Nyfikenhet")
    with pytest.raises(FaultError, match="EJ_BEHORIG"):
        ssbtek.ask(["AF"], who="grannkommun", asker=asker)


def test_a_limit_of_one_service_fails_that_section_only_and_says_what_would_pass(ssbtek: Gateway) -> None:
    answer = ssbtek.ask(["AF", "CSN"], asker=replace(TEST_ASKER, arendeidentitet="X" * 32))
    assert outcomes(answer) == {"AF": "DATA", "CSN": "SSBT OGILTIG_FRAGA"}
    text = " ".join(answer.values["svarsdata"]["CSN"]["error"]["felmeddelande"])
    assert "arendeidentitet" in text
    assert "31" in text


def test_the_question_is_recorded_before_the_answer_without_the_number(ssbtek: Gateway) -> None:
    ssbtek.ask(CONNECTED)
    asked, answered = rows(ssbtek)[-2:]
    assert (asked["handelse"], answered["handelse"]) == ("FRAGAD", "BESVARAD")
    assert asked["incident"] == answered["incident"]
    assert (asked["ingivare"], asked["handlaggare"], asked["version"]) == ("162021004748", "test01", "10")
    assert json.loads(answered["bastjanster"]) == dict.fromkeys(CONNECTED, "DATA")
    assert re.fullmatch("[0-9a-f]{64}", asked["person"])
    files = ssbtek.audit.parent.glob("audit.sqlite*")
    assert not any(ALLT.reveal().encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("hang", "SSBT TIMEOUT"),
        ("slow:30", "SSBT TIMEOUT"),
        ("reset", "SSBT ANSLUTNING"),
        ("fault", "BT FAULT"),
        ("fault-pnr", "BT FAULT"),
        ("http503", "BT FAULT"),
        ("garbage", "SSBT OGILTIGT_SVAR"),
        ("truncated", "SSBT OGILTIGT_SVAR"),
        ("invalid", "SSBT OGILTIGT_SVAR"),
        ("other-person", "SSBT FEL_PERSON"),
        ("soap12", "SSBT OGILTIGT_SVAR"),
        ("doctype", "SSBT OGILTIGT_SVAR"),
        ("huge", "SSBT OGILTIGT_SVAR"),
        ("redirect", "SSBT OGILTIGT_SVAR"),
        ("gzip", "SSBT OGILTIGT_SVAR"),
    ],
)
def test_a_failing_service_costs_the_others_nothing(pki: Path, tmp_path: Path, fault: str, expected: str) -> None:
    with (
        running_agencies(pki, f"SO={fault}") as agencies,
        running_gateway(pki, tmp_path, agencies, bastjanst="seconds = 1") as gateway,
    ):
        answer = gateway.ask(CONNECTED)
    assert outcomes(answer) == {"AF": "DATA", "CSN": "DATA", "SO": expected}
    assert ALLT.reveal() not in str(answer.values["svarsdata"]["SO"]["error"] or "")


def test_what_an_agency_wrote_comes_through_with_its_comments_and_prefixes(
    pki: Path, tmp_path: Path, question: str
) -> None:
    with running_agencies(pki, "SO=comments") as agencies, running_gateway(pki, tmp_path, agencies) as gateway:
        status, body = gateway.post(question.encode())
    section = re.search(b"<ssbt:SO>.*</ssbt:SO>", body, re.DOTALL)
    assert status == 200
    assert section is not None
    # The simulator declares the prefix on its Envelope only and uses it in a value only.
    assert b'xsi:type="xsd:string"' in section[0]
    assert b'xmlns:xsd="http://www.w3.org/2001/XMLSchema"' in section[0]
    assert b"<!--" in section[0]
    assert b"<?" in section[0]


def test_agencies_that_are_away_or_not_whom_we_trust(
    pki: Path, tmp_path: Path, unused_port: int, stranger: int
) -> None:
    for port, expected in ((unused_port, "SSBT ANSLUTNING"), (stranger, "SSBT TLS")):
        folder = tmp_path / str(port)
        folder.mkdir()
        with running_gateway(pki, folder, port) as gateway:
            assert outcomes(gateway.ask(CONNECTED)) == dict.fromkeys(CONNECTED, expected)


def test_the_whole_question_has_one_deadline(pki: Path, tmp_path: Path) -> None:
    with (
        running_agencies(pki, "SO=hang") as agencies,
        running_gateway(pki, tmp_path, agencies, extra="limits.question_seconds = 1") as gateway,
    ):
        assert outcomes(gateway.ask(CONNECTED)) == {"AF": "DATA", "CSN": "DATA", "SO": "SSBT TIMEOUT"}
