from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from unit.simulator import driver
from unit.simulator.driver import PARTS, SKV, Got, ask_skv11, envelope, post, valid

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.personas import load

if TYPE_CHECKING:
    from lxml.etree import _Element

TODAY = date(2026, 3, 31)
SIMULATOR = Simulator(load(today=TODAY), today=lambda: TODAY)
ALLT, INGET, FEL = "191212121212", "199610202385", "190301249801"
INNER = "{http://xmls.skatteverket.se/se/skatteverket/zg/instans/standardiseradInformation/1.0}"
FOLKO = "{http://xmls.skatteverket.se/se/skatteverket/zg/komponent/infoForFolkbokforing/1.0}"
BESKO = "{http://xmls.skatteverket.se/se/skatteverket/zg/komponent/infoForBeskattning/1.0}"


def inner(person: str) -> _Element:
    """The document in the answer's string, as of version 10."""
    answer = driver.ask(SIMULATOR, "SKV", person, TODAY, TODAY).answer()
    return xmlgate.parse_own(answer.findtext("svar", "").encode())


def part(name: str, *years: int, person: str = ALLT) -> Got:
    return ask_skv11(SIMULATOR, name, person, *(years or (2025,)))


def test_the_answer_is_a_document_in_a_string() -> None:
    root = inner(ALLT)
    assert root.tag == f"{INNER}SvarBeskattningsuppgifterEnligtSFS2008-975"
    (personuppgift,) = root.iterfind(f"{INNER}PersonuppgiftLista/{INNER}Personuppgift")
    assert [child.tag for child in personuppgift] == [
        f"{FOLKO}IdentitetsbeteckningFysiskPerson",
        f"{FOLKO}Fornamn",
        f"{FOLKO}Efternamn",
        f"{INNER}Kapitaluppgift",
    ]
    assert personuppgift.findtext(f"{FOLKO}IdentitetsbeteckningFysiskPerson") == ALLT
    assert [(child.tag, child.text) for child in personuppgift[-1]] == [
        (f"{BESKO}Taxeringsar", "2025"),
        (f"{BESKO}SummaIntakterPaKapital", "1834"),
        (f"{BESKO}OverskottPaKapital", "1210"),
    ]


def test_nobody_is_an_empty_list() -> None:
    (lista,) = inner(INGET)
    assert lista.tag == f"{INNER}PersonuppgiftLista"
    assert len(lista) == 0


def test_a_failure_is_a_fault_with_a_code_of_skatteverkets() -> None:
    detail = driver.ask(SIMULATOR, "SKV", FEL, TODAY, TODAY).detail()
    assert detail.tag == f"{SKV}Exception"
    assert valid("SKV", detail)
    assert 9071000 <= int(detail.findtext("MeddelandeKod", "")) <= 9071999


@pytest.mark.parametrize(
    "question",
    [
        f"<a><b><Identitetsbeteckning> {ALLT}\n</Identitetsbeteckning></b></a>",
        f'<a xmlns="urn:a"><IdentitetsbeteckningFysiskPerson>{ALLT}</IdentitetsbeteckningFysiskPerson></a>',
        f"<a><Organisationsnummer>162021004748</Organisationsnummer><Identitetsbeteckning>{ALLT}</Identitetsbeteckning></a>",
    ],
)
def test_the_person_is_found_whatever_the_rest_is_called(question: str) -> None:
    answer = post(SIMULATOR, "/skv", envelope(driver.skv("", inner=question))).answer()
    assert ALLT in answer.findtext("svar", "")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (
            "foretagsinformation",
            {
                "foretag": {
                    "foretagId": ALLT,
                    "arbetsgivarregistrerad": False,
                    "momsregistrerad": True,
                    "godkandFskatt": True,
                }
            },
        ),
        (
            "skattekonto",
            {
                "kontohavare": ALLT,
                "utbetaltBelopp": 2140,
                "bokforingsdag": "2026-02-19",
                "saldo": 312,
                "preliminarRanta": 0,
                "utbetalningskonto": "6000 000 000 000",
                "senastUppdaterad": "2026-03-30",
            },
        ),
    ],
)
def test_a_part_is_json(name: str, answer: dict[str, Any]) -> None:
    got = part(name)
    assert got.json() == answer
    assert got.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("years", "found"), [((2025,), [2025]), ((2024, 2025, 2026), [2025, 2024]), ((2024,), [2024])])
def test_skatteuppgifter_is_of_the_asked_years(years: tuple[int, ...], found: list[int]) -> None:
    answer = part("skatteuppgifter", *years).json()
    assert answer["identitet"] == ALLT
    assert [decided["beskattningsar"] for decided in answer["beslutadeSkatteuppgifter"]] == found


@pytest.mark.parametrize(
    ("name", "years", "person"),
    [
        ("skatteuppgifter", (2019,), ALLT),
        ("individuppgifter", (2025,), ALLT),
        ("beskattningsbilagor", (2025,), ALLT),
        *((name, (2025,), INGET) for name in PARTS),
        ("foretagsinformation", (2025,), FEL),
    ],
)
def test_nothing_found_is_404_and_a_problem(name: str, years: tuple[int, ...], person: str) -> None:
    got = part(name, *years, person=person)
    assert got.json(404)["status"] == 404
    assert got.headers["content-type"] == "application/problem+json"


def test_a_part_may_fail_beside_others() -> None:
    assert [part(name, person=FEL).status for name in PARTS] == [404, 500, 500, 500, 404]
    assert part("skattekonto", person=FEL).json(500)["status"] == 500


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a/>",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"identitet":"191212121212"}',
        b'{"identitet":"191212121212","ar":[]}',
        b'{"identitet":"191212121212","ar":2025}',
        b'{"identitet":"191212121212","ar":["2025"]}',
        b'{"identitet":"191212121212","ar":[true]}',
        b'{"identitet":"1912121212","ar":[2025]}',
        b'{"identitet":null,"ar":[2025]}',
        b'{"identitet":"191212121212","ar":[2025],"mer":1}',
    ],
)
def test_a_wrong_question_is_400_and_a_problem_without_values(body: bytes) -> None:
    got = post(SIMULATOR, "/skv/v11/skattekonto", body, media="application/json")
    assert got.json(400)["status"] == 400
    assert b"1912" not in got.body


@pytest.mark.parametrize(
    ("path", "method", "media", "status"),
    [
        ("/skv/v11/skattekonto", "GET", "", 405),
        ("/skv/v11/skattekonto", "POST", "text/xml", 415),
        ("/skv/v11/annat", "POST", "application/json", 404),
        ("/skv/v11", "POST", "application/json", 404),
        ("/skv", "POST", "application/json", 415),
    ],
)
def test_what_http_refuses(path: str, method: str, media: str, status: int) -> None:
    assert post(SIMULATOR, path, driver.skv11(ALLT, 2025), method=method, media=media).status == status
