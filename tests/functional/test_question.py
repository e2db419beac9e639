"""A question over mutual TLS, from the published WSDL to the combined answer, and what each party may ask."""

from __future__ import annotations

import json
import re
import sqlite3
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from harness import ALLT, running_agencies, running_gateway
from lxml import etree

from ssbtek_gateway.client import TEST_ASKER, FaultError
from ssbtek_gateway.config import KODER
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.model import PersonId

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Gateway
    from lxml.etree import _Element

    from ssbtek_gateway.client import Answer

CONNECTED = ("AF", "CSN", "SO")


def outcomes(answer: Answer) -> dict[str, str]:
    """`DATA`, or `kalla felkod`, for each section in the answer's order."""
    return {etree.QName(section).localname: outcome(section) for section in answer.sections}


def outcome(section: _Element) -> str:
    # From version 11 on SKV's data stand in its parts.
    if section.find("{*}data") is not None or section.find("{*}foretagsinformation") is not None:
        return "DATA"
    return f"{section.findtext('{*}error/{*}kalla')} {section.findtext('{*}error/{*}felkod')}"


def rows(gateway: Gateway) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(gateway.audit)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM audit ORDER BY id")]


@pytest.mark.parametrize("version", CONTRACTS)
def test_all_seven_sections_come_in_the_contracts_order(ssbtek: Gateway, version: str) -> None:
    assert list(outcomes(ssbtek.ask(version=version)).items()) == [
        (kod, "DATA") for kod in ("AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV")
    ]


def test_a_service_that_is_not_connected_says_so_in_its_section(pki: Path, tmp_path: Path, agencies: int) -> None:
    with running_gateway(pki, tmp_path, agencies, connected=["AF", "SO"]) as gateway:
        answered = outcomes(gateway.ask())
    assert answered == dict.fromkeys(KODER, "SSBT EJ_ANSLUTEN") | {"AF": "DATA", "SO": "DATA"}


def test_each_version_answers_in_its_own_namespace_and_refuses_the_others(ssbtek: Gateway, question: str) -> None:
    newer = question.replace("ssbt/10", "ssbt/11")
    assert b'"http://schema.forsakringskassan.se/integration/ssbt/11"' in ssbtek.post(newer.encode(), version="11")[1]
    status, body = ssbtek.post(newer.encode(), version="10")
    assert status == 500
    assert b"OKAND_VERSION" in body


def test_skv_without_its_question_block_fails_alone_and_names_the_field(ssbtek: Gateway, question: str) -> None:
    newer = question.replace("ssbt/10", "ssbt/11").encode()
    skv = etree.fromstring(ssbtek.post(newer, version="11")[1]).find(".//{*}svarsdata/{*}SKV")
    assert skv is not None
    assert skv.findtext("{*}error/{*}felkod") == "OGILTIG_FRAGA"
    assert "SKV/fraga" in skv.xpath("string()")


def test_skv_answers_part_by_part_from_version_11(ssbtek: Gateway) -> None:
    skv = ssbtek.ask(["SKV"], version="11").values["svarsdata"]["SKV"]
    assert json.loads(skv["foretagsinformation"]["data"])["foretag"]["foretagId"] == ALLT.reveal()
    assert skv["individuppgifter"]["error"]["felkod"] == "404"


def test_fk_is_asked_for_the_registered_actor_only(ssbtek: Gateway) -> None:
    answer = ssbtek.ask(["AF", "FK"], asker=replace(TEST_ASKER, aktorsid="../../v8/aktorer/TEST-01"))
    assert outcomes(answer) == {"AF": "DATA", "FK": "SSBT EJ_BEHORIG"}


def test_a_lefi_question_about_another_person_stops_the_whole_question(ssbtek: Gateway, question: str) -> None:
    other = b64encode(b'{"personnummer": "199006022397"}').decode()
    status, body = ssbtek.post(re.sub("(<ssbt:lefiJsonFraga>)[^<]*", rf"\g<1>{other}", question).encode())
    assert status == 500
    assert b"OGILTIG_FRAGA" in body
    assert b"199006022397" not in body


def test_personas_whose_agencies_fail_in_their_own_ways(ssbtek: Gateway) -> None:
    in_band = outcomes(ssbtek.ask(person=PersonId("190301249801")))
    assert {kod for kod, outcome in in_band.items() if outcome == "DATA"} >= {"AF", "CSN", "FK", "SO", "TNS"}
    assert in_band["MIV"].startswith("BT ")


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
    assert json.loads(answered["bastjanster"]) == {"AF": "SVARAT", "CSN": "SVARAT+INGET_FUNNET", "SO": "SVARAT"}
    assert re.fullmatch("[0-9a-f]{64}", asked["person"])
    files = ssbtek.audit.parent.glob("audit.sqlite*")
    assert not any(ALLT.reveal().encode() in path.read_bytes() for path in files)


def test_a_fault_of_its_own_at_every_service(pki: Path, tmp_path: Path) -> None:
    faults = {
        "AF=hang": "SSBT TIMEOUT",
        "SO=reset": "SSBT ANSLUTNING",
        "CSN=truncated": "SSBT OGILTIGT_SVAR",
        "FK=http503": "BT 503",
        "SKV=other-person": "SSBT FEL_PERSON",
        "TNS=slow:30": "SSBT TIMEOUT",
        "MIV=redirect": "SSBT OGILTIGT_SVAR",
    }
    with (
        running_agencies(pki, *faults) as agencies,
        running_gateway(pki, tmp_path, agencies, bastjanst="seconds = 1") as gateway,
    ):
        assert outcomes(gateway.ask()) == {fault.partition("=")[0]: expected for fault, expected in faults.items()}


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
        running_gateway(
            pki, tmp_path, agencies, extra="limits = { question_seconds = 1, assembly_seconds = 0.2 }"
        ) as gateway,
    ):
        assert outcomes(gateway.ask(CONNECTED)) == {"AF": "DATA", "CSN": "DATA", "SO": "SSBT TIMEOUT"}


def test_a_service_that_failed_too_often_is_answered_for_without_asking(pki: Path, tmp_path: Path) -> None:
    guard = "seconds = 0.5\nsparr_efter = 1"
    with (
        running_agencies(pki, "SO=hang") as agencies,
        running_gateway(pki, tmp_path, agencies, bastjanst=guard, connected=["AF", "SO"]) as gateway,
    ):
        assert [outcomes(gateway.ask(["AF", "SO"])) for _ in range(2)] == [
            {"AF": "DATA", "SO": "SSBT TIMEOUT"},
            {"AF": "DATA", "SO": "SSBT SPARRAD"},
        ]


def test_announced_maintenance_stands_in_the_section(ssbtek: Gateway, pki: Path, tmp_path: Path, agencies: int) -> None:
    assert outcomes(ssbtek.ask(["SO"])) == {"SO": "DATA"}
    closed = "underhall = [{ fran = 2020-01-01T00:00:00, till = 2199-01-01T04:00:00 }]"
    with running_gateway(pki, tmp_path, agencies, bastjanst=closed, connected=["SO"]) as gateway:
        answer = gateway.ask(["SO"])
    assert outcomes(answer) == {"SO": "SSBT UNDERHALL"}
    texts = answer.values["svarsdata"]["SO"]["error"]["felmeddelande"]
    assert "Underhållet pågår till 2199-01-01 04.00." in texts


def test_an_organisation_above_its_rate_is_refused_and_recorded(
    pki: Path, tmp_path: Path, agencies: int, question: str
) -> None:
    with running_gateway(pki, tmp_path, agencies, connected=["SO"], organisation="per_dygn = 1") as gateway:
        assert gateway.post(question.encode())[0] == 200
        status, body = gateway.post(question.encode())
        assert (status, b"<ssbt:felkod>FOR_MANGA</ssbt:felkod>" in body) == (500, True)
        assert rows(gateway)[-1]["felkod"] == "FOR_MANGA"
