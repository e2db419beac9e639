from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from unit.simulator import driver
from unit.simulator.driver import AF, CSN, EVERY, SCHEMAS, SO, TYPER, envelope, post, question, valid

from ssbtek_gateway.simulator import AGENCIES
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.dates import shift_months, today_in_sweden
from ssbtek_gateway.simulator.personas import load

if TYPE_CHECKING:
    from lxml.etree import _Element

# Two months back from here are only 59 days, the shortest there is.
TODAY = date(2026, 3, 31)
FIRST = date(2026, 1, 31)
PERSONAS = load(today=TODAY)
NUMBERS = {alias: persona.person.reveal() for alias, persona in PERSONAS.items()}
SIMULATOR = Simulator(PERSONAS, today=lambda: TODAY)
# The persona that no agency knows.
NOBODY = "199610202385"
# The personas whose question over SOAP is answered with data, or with nothing.
ANSWERED = sorted(NUMBERS.keys() - {"fel-i-svar", "fel-i-transport"})


def ask(service: str, person: str, first: date = FIRST, last: date = TODAY) -> _Element:
    return driver.ask(SIMULATOR, service, person, first, last).answer()


def af(**parts: str) -> _Element:
    return post(SIMULATOR, "/af", envelope(driver.af(NUMBERS["allt"], FIRST, TODAY, **parts))).answer()


def texts(answer: _Element, name: str) -> list[str]:
    return [element.text or "" for element in answer.iter(f"{{*}}{name}")]


def test_the_personas_are_those_of_the_documentation() -> None:
    assert NUMBERS == {
        "allt": "191212121212",
        "arbetslos": "199006022397",
        "barn": "201812012381",
        "fel-i-svar": "190301249801",
        "fel-i-transport": "201701012393",
        "inget": "199610202385",
        "pensionar": "194408139089",
        "sambo-ett": "198201179283",
        "sambo-tva": "198001139297",
        "skyddad": "200001022391",
        "student": "199107172380",
    }


def test_the_registry_has_every_base_service() -> None:
    assert tuple(AGENCIES) == EVERY


@pytest.mark.parametrize("service", SCHEMAS)
@pytest.mark.parametrize("alias", ANSWERED)
def test_every_answer_follows_the_schema_and_names_the_person(service: str, alias: str) -> None:
    person = NUMBERS[alias]
    answer = ask(service, person)
    assert valid(service, answer)
    # In the echo, where CSN writes it in two attributes, and in Skatteverket's text; TNS names nobody, and Skatteverket
    # nobody whom it does not know.
    says = person[2:] in "".join(str(text) for text in answer.xpath("//text() | //@personnummer"))
    assert says == (service != "TNS" and (service != "SKV" or alias in {"allt", "skyddad"}))


@pytest.mark.parametrize("service", AGENCIES)
def test_an_unknown_person_is_answered_as_the_persona_inget(service: str) -> None:
    app = Simulator({}, today=lambda: TODAY)
    assert driver.ask(app, service, NOBODY, FIRST, TODAY) == driver.ask(SIMULATOR, service, NOBODY, FIRST, TODAY)


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 1), date(2026, 3, 31), date(2026, 12, 31)], ids=str)
def test_the_persona_allt_never_grows_old(today: date) -> None:
    app = Simulator(load(today=today), today=lambda: today)
    # No two months are shorter than 59 days.
    first = date.fromordinal(today.toordinal() - 59)
    for service, element in (("AF", "Beslut"), ("SO", "Utbetalningar"), ("CSN", "Utbetalning")):
        got = post(app, f"/{service.lower()}", question(service, NUMBERS["allt"], first, today))
        assert got.answer().find(f".//{{*}}{element}") is not None


@pytest.mark.parametrize(
    ("service", "element", "alias", "first", "last", "count"),
    [
        ("AF", "Beslut", "allt", date(2026, 2, 1), TODAY, 1),
        ("AF", "Beslut", "allt", date(2025, 11, 30), TODAY, 2),
        ("AF", "Beslut", "allt", date(2025, 12, 1), date(2025, 12, 2), 0),
        # It begins 40 days ago, 2026-02-19: that day is inside, the day before is not.
        ("AF", "Beslut", "allt", date(2026, 2, 1), date(2026, 2, 19), 1),
        ("AF", "Beslut", "allt", date(2026, 2, 1), date(2026, 2, 18), 0),
        ("SO", "Utbetalningar", "allt", FIRST, TODAY, 2),
        ("SO", "Utbetalningar", "allt", date(2025, 1, 1), TODAY, 3),
        # Paid 7 days ago, 2026-03-24.
        ("SO", "Utbetalningar", "allt", date(2026, 3, 24), date(2026, 3, 24), 1),
        ("SO", "Utbetalningar", "allt", date(2026, 3, 25), TODAY, 0),
        # Suspended 2026-03-01 to 2026-03-05.
        ("SO", "Avstangningar", "allt", date(2026, 3, 5), TODAY, 1),
        ("SO", "Avstangningar", "allt", date(2026, 3, 6), TODAY, 0),
        # Paid 2026-03-11 and planned 2026-04-20.
        ("CSN", "Utbetalning", "allt", FIRST, TODAY, 1),
        ("CSN", "Utbetalning", "allt", FIRST, date(2026, 4, 20), 2),
        ("CSN", "Utbetalning", "allt", date(2026, 3, 12), date(2026, 4, 19), 0),
        ("CSN", "soktTid", "student", FIRST, TODAY, 2),
        ("CSN", "soktTid", "student", FIRST, date(2026, 4, 10), 3),
        # Granted to the end of the week of 2026-03-11, a Sunday: 2026-03-15.
        ("CSN", "BeviljadTid", "student", date(2026, 3, 15), TODAY, 2),
        ("CSN", "BeviljadTid", "student", date(2026, 3, 16), TODAY, 1),
    ],
)
def test_what_lies_outside_the_period_is_left_out(
    service: str, element: str, alias: str, first: date, last: date, count: int
) -> None:
    answer = ask(service, NUMBERS[alias], first, last)
    assert len(list(answer.iter(f"{{*}}{element}"))) == count
    assert valid(service, answer)


def test_af_echoes_the_question() -> None:
    answer = ask("AF", NUMBERS["allt"])
    assert texts(answer, "NamnPaIngivare") == ["Umeå"]
    assert texts(answer, "Referensnummer") == ["r1", "r1"]
    assert texts(answer, "LagParagraf") == ["l1", "l1"]


def test_af_leaves_out_what_the_question_does_not_choose() -> None:
    answer = af(inkludera='<Inkludera AkasseInfo="true" BeslutInfo="0"/>')
    assert answer.find(f".//{AF}Akassetillhorighet") is not None
    assert answer.find(f".//{AF}BeslutInfo") is None
    assert answer.find(f".//{AF}ArbetssokandeInfo") is None


def test_af_answers_a_test_without_personal_data() -> None:
    answer = af(test="<Test>true</Test>")
    assert valid("AF", answer)
    assert texts(answer, "StatusSokandeinformationKod") == ["0"]
    assert not texts(answer, "Fornamn")
    assert not texts(answer, "Akassetillhorighet")


def test_nothing_found_is_said_as_each_agency_says_it() -> None:
    af_answer, so_answer, csn_answer = (ask(service, NOBODY) for service in ("AF", "SO", "CSN"))
    assert texts(af_answer, "StatusSokandeinformationKod") == ["0"]
    assert not texts(af_answer, "ArbetssokandeInfo")
    assert len(so_answer[-1]) == 0
    assert so_answer[-1].tag == f"{SO}ArbetsloshetsersattningLista"
    assert texts(csn_answer, "ResultatKod") == ["0"]
    (person,) = csn_answer.iterfind(f"{CSN}Personer/{CSN}Person")
    assert dict(person.attrib) == {"Status": "Ej träff", "personnummer": NOBODY[2:], "sekel": NOBODY[:2]}


def test_two_a_kassor_answer_while_a_third_cannot() -> None:
    answer = ask("SO", NUMBERS["arbetslos"])
    kassor = list(answer.iter(f"{SO}Arbetsloshetsersattning"))
    assert [len(texts(kassa, "Utbetalningar")) for kassa in kassor] == [3, 0, 0]
    assert [len(texts(kassa, "Avstangningar")) for kassa in kassor] == [0, 1, 0]
    assert [len(texts(kassa, "AnsoktOmErsattning")) for kassa in kassor] == [1, 1, 0]
    assert texts(answer, "BeslutOmRattTillErsattning") == ["2025-12-20", ""]
    assert texts(answer, "StatusSvarandeOrganisation") == ["OK", "OK", "Kan inte svara"]


def test_every_agency_may_fail_in_its_answer() -> None:
    person = NUMBERS["fel-i-svar"]
    assert texts(ask("AF", person), "StatusSokandeinformationKod") == ["99"]
    assert texts(ask("AF", person), "AktivitetsRapportMeddelande") == ["502"]
    assert texts(ask("SO", person), "StatusSvarandeOrganisation") == ["Kan inte svara"]
    assert texts(ask("CSN", person), "ResultatKod") == ["-1103"]
    assert not texts(ask("CSN", person), "Person")
    assert texts(ask("TNS", person), "resultat") == ["FEL"]
    for service in ("AF", "SO", "CSN", "TNS"):
        assert valid(service, ask(service, person))


@pytest.mark.parametrize(
    ("alias", "vehicles"),
    [("allt", ["ABC12A", "XYZ987"]), ("pensionar", ["DEF456"]), ("inget", []), ("student", [])],
)
def test_tns_lists_vehicles(alias: str, vehicles: list[str]) -> None:
    answer = ask("TNS", NUMBERS[alias])
    assert texts(answer, "resultat") == ["OK"]
    assert len(texts(answer, "fordonsinnehav")) == 1
    assert texts(answer, "regnr") == vehicles


def test_tns_says_all_its_failures_and_no_vehicles() -> None:
    answer = ask("TNS", NUMBERS["fel-i-svar"])
    assert not texts(answer, "fordonsinnehav")
    assert texts(answer, "felkod") == ["1", "2"]


def test_miv_answers_in_elements_without_namespace() -> None:
    answer = ask("MIV", NUMBERS["allt"])
    assert answer.findtext("response/korrelationsid") == "k1"
    assert answer.findtext("response/correlationid") == "k1"
    assert answer.findtext("response/personnummer") == NUMBERS["allt"]
    assert [one.text for one in answer.iterfind("response/svarCollection/svar/giltighetstid")] == [
        "TIDBEGRANSAT",
        "PERMANENT",
    ]


def test_miv_has_a_correlationid_where_the_question_has_no_korrelationsid() -> None:
    body = envelope(driver.miv(NUMBERS["allt"], korrelationsid=""))
    answer = post(SIMULATOR, "/miv", body).answer()
    assert valid("MIV", answer)
    assert answer.findtext("response/correlationid")
    assert answer.find("response/korrelationsid") is None


def test_miv_knows_nothing_of_most() -> None:
    answer = ask("MIV", NOBODY)
    assert len(answer.findall("response/svarCollection")) == 1
    assert answer.find("response/svarCollection/svar") is None


def test_miv_fails_with_a_fault_of_its_own() -> None:
    detail = driver.ask(SIMULATOR, "MIV", NUMBERS["fel-i-svar"], FIRST, TODAY).detail()
    assert detail.tag == f"{driver.MIV}SSBTEKSoapException"
    assert valid("MIV", detail)
    assert detail.findtext("faultString")


def test_the_student_has_all_five_forms_of_support() -> None:
    assert texts(ask("CSN", NUMBERS["student"]), "stodform") == ["GRUND", "SH", "HUT", "SSSTÖD", "OSS"]


def test_a_protected_person_has_no_name() -> None:
    assert texts(ask("AF", NUMBERS["skyddad"]), "Sekretessmarkering") == ["true"]
    assert ask("CSN", NUMBERS["skyddad"]).xpath("//@sekretess") == ["Ja"]
    fk = driver.ask(SIMULATOR, "FK", NUMBERS["skyddad"], FIRST, TODAY).json()
    (information,) = fk["formansinformation"]["generellPersoninformation"]
    assert information == {"skyddad": True, "personnummer": NUMBERS["skyddad"]}
    for service in SCHEMAS:
        said = etree.tostring(ask(service, NUMBERS["skyddad"]), encoding="unicode").lower()
        assert "fornamn>" not in said
        assert "efternamn>" not in said


@pytest.mark.parametrize(
    ("first", "last", "kod"),
    [
        (date(2026, 1, 31), date(2026, 4, 30), "0"),
        (date(2026, 1, 30), TODAY, "-1006"),
        (FIRST, date(2026, 5, 1), "-1006"),
        (TODAY, date(2026, 3, 30), "-1006"),
    ],
)
def test_csn_refuses_a_period_outside_its_limits(first: date, last: date, kod: str) -> None:
    answer = ask("CSN", NUMBERS["student"], first, last)
    assert texts(answer, "ResultatKod") == [kod]
    assert bool(texts(answer, "Person")) == (kod == "0")
    assert texts(answer, "HushallsId") == ["a1"]


def test_csn_cannot_answer_about_a_samordningsnummer() -> None:
    answer = ask("CSN", "199006622397")
    assert texts(answer, "ResultatKod") == ["-1004"]


def test_csn_amounts_stand_in_their_own_namespace() -> None:
    assert ask("CSN", NUMBERS["allt"]).find(f".//{TYPER}utbetdatum") is not None


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/af", b"<a", "välformad"),
        ("/af", b"<!DOCTYPE a><a/>", "DTD"),
        ("/af", b"<a/>", "SOAP 1.1-kuvert"),
        ("/af", envelope(""), "ett enda element"),
        ("/af", envelope("<a/><b/>"), "ett enda element"),
        ("/so", question("AF", NOBODY, FIRST, TODAY), "schema"),
        ("/af", question("AF", "19121212121", FIRST, TODAY), "schema"),
        ("/so", question("SO", "1912-2121212", FIRST, TODAY), "schema"),
        ("/csn", envelope(driver.csn(NOBODY, FIRST, TODAY, hushall="x" * 32)), "schema"),
        ("/csn", question("CSN", NOBODY, FIRST, TODAY).replace(b"20260131", b"20260231"), "datum"),
        ("/tns", question("TNS", "189001019802", FIRST, TODAY), "schema"),
        ("/miv", question("MIV", "1912-2121212", FIRST, TODAY), "personidentitet"),
        ("/skv", question("SKV", "1912-2121212", FIRST, TODAY), "personidentitet"),
        ("/skv", envelope(driver.skv("", inner="<F><Organisation>162021004748</Organisation></F>")), "personidentitet"),
        ("/skv", envelope(driver.skv("", inner="ingen XML")), "personidentitet"),
        ("/skv", envelope(driver.skv("", inner="<!DOCTYPE F><F><Identitetsbeteckning/></F>")), "personidentitet"),
    ],
)
def test_a_wrong_question_gets_a_fault_in_swedish_without_values(path: str, body: bytes, text: str) -> None:
    got = post(SIMULATOR, path, body)
    assert text in got.faultstring()
    assert got.root().findtext(".//faultcode") == "soap:Client"
    assert "19121212121" not in got.faultstring()


@pytest.mark.parametrize("service", SCHEMAS)
def test_an_answer_is_in_the_schema_but_is_no_question(service: str) -> None:
    body = post(SIMULATOR, f"/{service.lower()}", question(service, NOBODY, FIRST, TODAY)).body
    assert "schema" in post(SIMULATOR, f"/{service.lower()}", body).faultstring()


def test_an_answer_that_the_schema_refuses_never_leaves() -> None:
    persona = load(today=TODAY)["allt"]
    persona.held["AF"].remove(persona.held["AF"][-1])
    got = post(Simulator({"allt": persona}, today=lambda: TODAY), "/af", question("AF", NUMBERS["allt"], FIRST, TODAY))
    assert "inte följer schemat" in got.faultstring()


@pytest.mark.parametrize(
    ("path", "method", "media", "body", "status"),
    [
        ("/af", "GET", "", b"", 405),
        ("/fk/af", "POST", "text/xml", b"", 404),
        ("/", "GET", "", b"", 404),
        ("/af", "POST", "application/json", b"{}", 415),
        ("/af", "POST", "text/xml", b" " * 1_000_001, 413),
    ],
)
def test_what_http_refuses(path: str, method: str, media: str, body: bytes, status: int) -> None:
    assert post(SIMULATOR, path, body, method=method, media=media).status == status


def test_today_is_the_swedish_calendars_unless_told() -> None:
    today = today_in_sweden()
    answer = post(
        Simulator(load()), "/so", question("SO", NUMBERS["arbetslos"], shift_months(today, -2), today)
    ).answer()
    assert len(texts(answer, "Utbetalningar")) == 3


def test_the_charset_of_the_header_counts() -> None:
    body = question("AF", NUMBERS["allt"], FIRST, TODAY).decode().encode("latin-1")
    answer = post(SIMULATOR, "/af", body, media="text/xml; charset=ISO-8859-1").answer()
    assert texts(answer, "NamnPaIngivare") == ["Umeå"]
