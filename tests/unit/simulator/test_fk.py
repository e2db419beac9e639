from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest
from unit.simulator import driver
from unit.simulator.driver import EVERY_GROUP, FK, FRAGA, Got, lefi_flaws, post

from ssbtek_gateway import resources
from ssbtek_gateway.simulator import lefi
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.personas import load

FIRST, TODAY = date(2026, 1, 31), date(2026, 3, 31)
PERSONAS = load(today=TODAY)
NUMBERS = {alias: persona.person.reveal() for alias, persona in PERSONAS.items()}
SIMULATOR = Simulator(PERSONAS, today=lambda: TODAY)
ANSWERED = sorted(NUMBERS.keys() - {"fel-i-transport"})


def send(body: bytes, path: str = FRAGA, app: Simulator = SIMULATOR) -> Got:
    return post(app, path, body, media="application/json")


def ask(
    alias: str, groups: dict[str, list[str]] | None = None, first: date = FIRST, last: date = TODAY
) -> dict[str, Any]:
    got = send(driver.fk(NUMBERS[alias], first, last, groups))
    document: dict[str, Any] = got.json()
    assert got.headers["content-type"] == "application/json"
    return document


def days(payments: list[dict[str, Any]], name: str) -> list[str]:
    return [payment[name] for payment in payments]


@pytest.mark.parametrize("alias", ANSWERED)
def test_every_answer_follows_the_schema(alias: str) -> None:
    assert lefi_flaws(ask(alias)) == []


@pytest.mark.parametrize("alias", ["allt", "pensionar", "fel-i-svar"])
@pytest.mark.parametrize("name", EVERY_GROUP)
def test_every_answer_to_a_single_group_follows_the_schema(alias: str, name: str) -> None:
    for code in EVERY_GROUP[name]:
        assert lefi_flaws(ask(alias, {name: [code]})) == []


@pytest.mark.parametrize("alias", sorted(set(ANSWERED) - {"fel-i-svar"}))
def test_both_utlamnare_are_available(alias: str) -> None:
    said = [(one["utlamnare"]["kod"], one["tillstand"]["kod"]) for one in ask(alias)["utlamnare"]]
    assert said == [("FK", "OK"), ("PM", "OK")]


def test_nothing_found_is_empty_where_something_was_asked() -> None:
    answer = ask("inget")
    del answer["utlamnare"]
    assert answer == {
        "formansinformation": {},
        "ansprak": [],
        "beslut": [],
        "preliminaraUtbetalningar": [],
        "utbetalningar": [],
        "ovrigInformation": [],
    }


def test_the_person_is_filled_in() -> None:
    (person,) = ask("allt", {"ovrigInformation": ["FK:GEPI"]})["formansinformation"]["generellPersoninformation"]
    assert person["personnummer"] == NUMBERS["allt"]


def test_ten_digits_are_a_person_too() -> None:
    got = send(driver.fk(NUMBERS["allt"][2:], FIRST, TODAY, {"formansinformation": ["FK:SJP"]}))
    assert "sjukpenningarende" in got.json()["formansinformation"]
    unknown = send(driver.fk("0102030405", FIRST, TODAY))
    assert unknown.json()["formansinformation"] == {}


@pytest.mark.parametrize(
    ("name", "code", "keys"),
    [
        (name, code, keys)
        for name in ("formansinformation", "ovrigInformation")
        for code, (_, keys) in lefi.GROUPS[name].items()
        if keys
    ],
)
def test_a_code_brings_its_keys_and_no_other(name: str, code: str, keys: tuple[str, ...]) -> None:
    # Two kinds stand with the pensioner.
    answer = ask("pensionar" if code in {"FK:AP", "FK:BTI"} else "allt", {name: [code]})
    assert set(answer) - {"avvikelser"} == {"utlamnare", "formansinformation"}
    assert answer["formansinformation"]
    assert set(answer["formansinformation"]) <= set(keys)


def test_the_table_has_every_code_of_the_contract() -> None:
    assert {name: sorted(groups) for name, groups in lefi.GROUPS.items()} == {
        name: sorted(codes) for name, codes in EVERY_GROUP.items()
    }


def test_every_key_of_the_contract_is_of_one_code_or_of_none() -> None:
    both = (lefi.GROUPS["formansinformation"], lefi.GROUPS["ovrigInformation"])
    keys = [key for groups in both for _, found in groups.values() for key in found]
    assert len(keys) == len(set(keys))
    schema = json.loads(resources.xsd("services/fk/lefi-9.schema.json").read_bytes())
    assert set(schema["$defs"]["LefiFormansinformation"]["properties"]) - lefi.KEYS == {
        "arbetsskadeegenlivrantearende",
        "arbetsskadeefterlevandearende",
        "efterlevandepensionsarende",
        "intjanandebehallning",
        "intjanandeuppgift",
        "levnadsintygsuppgift",
    }


@pytest.mark.parametrize("code", ["FK:BST", "FK:EJO", "FK:ET"])
def test_a_code_whose_key_is_unknown_brings_nothing(code: str) -> None:
    assert ask("allt", {"formansinformation": [code]})["formansinformation"] == {}


@pytest.mark.parametrize(
    ("codes", "first", "last", "found"),
    [
        (["FK:BOB", "FK:SJP"], FIRST, TODAY, ["2026-03-04", "2026-03-11"]),
        (["FK:SJP"], FIRST, TODAY, ["2026-03-04"]),
        (["FK:BOB"], date(2025, 12, 1), TODAY, ["2025-12-11", "2026-03-11"]),
        (["FK:BOB"], date(2026, 3, 11), date(2026, 3, 11), ["2026-03-11"]),
        (["FK:BOB"], date(2026, 3, 12), TODAY, []),
        (["FK:ABB"], FIRST, TODAY, []),
    ],
)
def test_payments_of_fk_are_of_the_group_and_the_period(
    codes: list[str], first: date, last: date, found: list[str]
) -> None:
    answer = ask("allt", {"utbetalningar": codes}, first, last)
    assert days(answer["formansinformation"]["utbetalningsuppgift"], "datum") == found
    assert "preliminarautbetalningar" not in answer["formansinformation"]


def test_preliminary_payments_of_fk_stand_apart() -> None:
    answer = ask("allt", {"preliminaraUtbetalningar": ["FK:ABB"]})
    assert days(answer["formansinformation"]["preliminarautbetalningar"], "datum") == ["2026-03-31"]
    assert "preliminaraUtbetalningar" not in answer


@pytest.mark.parametrize(
    ("codes", "first", "last", "found", "rows"),
    [
        (["PM:AP", "PM:BTI", "PM:EF"], FIRST, TODAY, ["2026-03-09", "2026-02-07"], 5),
        (["PM:BTI"], FIRST, TODAY, ["2026-03-09"], 1),
        (["PM:AP"], date(2026, 2, 8), TODAY, ["2026-03-09"], 2),
        (["PM:AP"], date(2026, 3, 10), TODAY, [], 0),
    ],
)
def test_payments_of_pm_are_of_the_group_and_the_period(
    codes: list[str], first: date, last: date, found: list[str], rows: int
) -> None:
    answer = ask("pensionar", {"utbetalningar": codes}, first, last)
    assert days(answer["utbetalningar"], "utbetalningsdatum") == found
    assert sum(len(payment["utbetalningsrader"]) for payment in answer["utbetalningar"]) == rows
    assert {
        row["formansgrupp"]["kod"] for payment in answer["utbetalningar"] for row in payment["utbetalningsrader"]
    } <= set(codes)
    assert "formansinformation" not in answer


def test_preliminary_payments_of_pm_lie_ahead() -> None:
    groups = {"preliminaraUtbetalningar": ["PM:AP"]}
    assert ask("pensionar", groups)["preliminaraUtbetalningar"] == []
    later = ask("pensionar", groups, FIRST, date(2026, 4, 30))
    assert days(later["preliminaraUtbetalningar"], "utbetalningsdatum") == ["2026-04-08"]


@pytest.mark.parametrize("name", ["ansprak", "beslut"])
@pytest.mark.parametrize("code", ["PM:AP", "PM:BTI", "PM:EF"])
def test_claims_and_decisions_of_pm_are_of_the_group(name: str, code: str) -> None:
    answer = ask("pensionar", {name: [code]})
    assert [one["formansgrupp"]["kod"] for one in answer[name]] == [code]
    assert set(answer) == {"utlamnare", "avvikelser", name}


@pytest.mark.parametrize("code", ["PM:LINT", "PM:PBH", "PM:PU"])
def test_other_information_of_pm_is_of_the_type(code: str) -> None:
    answer = ask("pensionar", {"ovrigInformation": [code]})
    assert [one["informationstyp"]["kod"] for one in answer["ovrigInformation"]] == [code]


def test_a_trap_no_deviations_may_be_an_empty_array() -> None:
    assert ask("pensionar")["avvikelser"] == []
    assert "avvikelser" not in ask("allt")


def test_a_utlamnare_that_does_not_answer_brings_nothing() -> None:
    answer = ask("fel-i-svar")
    assert [one["tillstand"]["kod"] for one in answer["utlamnare"]] == ["FELANDE", "OTILLGANGLIG"]
    assert set(answer) == {"utlamnare", "avvikelser"}


@pytest.mark.parametrize(
    ("alias", "groups", "found"),
    [
        ("fel-i-svar", {"formansinformation": ["FK:BOB"]}, {"formansinformation": [("FK:BOB", "INTERNT_FEL")]}),
        ("fel-i-svar", {"formansinformation": ["FK:SJP"]}, {"formansinformation": [("FK:SJP", "OBEHORIG")]}),
        ("fel-i-svar", {"utbetalningar": ["PM:AP", "PM:EF"]}, {"utbetalningar": [("PM:AP", "INTERNT_FEL")]}),
        ("fel-i-svar", {"beslut": ["PM:AP"]}, {}),
        ("fel-i-svar", {"ovrigInformation": ["FK:SGI"]}, {"ovrigInformation": [("FK:SGI", "INTERNT_FEL")]}),
        ("skyddad", {"ovrigInformation": ["FK:SKUP", "FK:GEPI"]}, {"ovrigInformation": [("FK:SKUP", "OBEHORIG")]}),
    ],
)
def test_deviations_are_of_what_was_asked(
    alias: str, groups: dict[str, list[str]], found: dict[str, list[tuple[str, str]]]
) -> None:
    deviations = ask(alias, groups)["avvikelser"]
    group = {"ovrigInformation": "ovrigInformationstyp"}
    assert found == {
        name: [(one[group.get(name, "formansgrupp")]["kod"], one["avvikelse"]["kod"]) for one in some]
        for name, some in deviations.items()
    }


def changed(**properties: object) -> bytes:
    question = json.loads(driver.fk(NUMBERS["allt"], FIRST, TODAY, {"formansinformation": ["FK:SJP"]}))
    return json.dumps({**question, **properties}).encode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "JSON"),
        (b"[]", "JSON"),
        (b"[" * 100_000, "JSON"),
        ("{}".encode("utf-16"), "LEFI"),
        (b"{}", "LEFI"),
        (changed(personnummer="19121212-1212"), "LEFI"),
        (changed(personnummer="191212121212\n"), "LEFI"),
        (changed(personnummer=191212121212), "LEFI"),
        (changed(formansinformation="FK:SJP"), "LEFI"),
        (changed(formansinformation=["FK:XYZ"]), "LEFI"),
        (changed(formansinformation=["PM:AP"]), "LEFI"),
        (changed(mer=1), "LEFI"),
        (changed(period={"from": "2026-01-31"}), "LEFI"),
        (changed(period={"from": "2026-02-31", "tom": "2026-03-01"}), "datum"),
        (changed(formansinformation=[]), "förmånsgrupp"),
        (driver.fk(NUMBERS["allt"], FIRST, TODAY, {"ansprak": []}), "förmånsgrupp"),
        (driver.fk(NUMBERS["allt"], TODAY, FIRST), "omvänd"),
        (driver.fk(NUMBERS["allt"], date(2024, 3, 30), TODAY), "två år"),
    ],
)
def test_a_wrong_question_is_400_without_values(body: bytes, text: str) -> None:
    got = send(body)
    felsvar = got.json(400)
    assert text in felsvar["meddelande"]
    assert datetime.fromisoformat(felsvar["timestamp"]).tzinfo is not None
    assert lefi_flaws(felsvar, "LefiFelsvar") == []
    assert b"1912" not in got.body


@pytest.mark.parametrize("last", [date(2026, 3, 31), date(2024, 3, 31)])
def test_two_years_are_not_too_long(last: date) -> None:
    assert send(driver.fk(NUMBERS["allt"], date(2024, 3, 31), last)).status == 200


@pytest.mark.parametrize("path", ["formansinformation/fraga", "tillgangligaInformationstyper"])
def test_an_unknown_actor_is_403_whatever_is_asked(path: str) -> None:
    where = FK.replace("TEST-01", "TEST-03")
    method = "POST" if path.endswith("fraga") else "GET"
    got = post(SIMULATOR, f"{where}/{path}", b"[]", method=method, media="application/json")
    assert "Aktören" in got.json(403)["meddelande"]
    assert lefi_flaws(got.json(403), "LefiFelsvar") == []


def test_the_actors_are_told() -> None:
    app = Simulator(PERSONAS, today=lambda: TODAY, aktorer=("TEST-03",))
    body = driver.fk(NUMBERS["allt"], FIRST, TODAY)
    assert send(body, FRAGA, app).status == 403
    assert send(body, FRAGA.replace("TEST-01", "TEST-03"), app).status == 200
    assert send(body, FRAGA.replace("TEST-01", "TEST-02")).status == 200


def test_the_kinds_of_information_that_may_be_asked_for() -> None:
    answer = post(SIMULATOR, f"{FK}/tillgangligaInformationstyper", method="GET").json()
    assert lefi_flaws(answer, "LefiExternTillgangligaInformationstyper") == []
    assert {name: [one["kod"] for one in kinds] for name, kinds in answer.items()} == EVERY_GROUP


@pytest.mark.parametrize(
    ("path", "method", "media", "status"),
    [
        (FRAGA, "GET", "application/json", 405),
        (FRAGA, "POST", "text/xml", 415),
        (f"{FK}/tillgangligaInformationstyper", "POST", "application/json", 405),
        (FRAGA.replace("v9", "v8"), "POST", "application/json", 404),
        (f"{FRAGA}/", "POST", "application/json", 404),
        ("/fk", "POST", "application/json", 415),
        ("/fk", "GET", "", 405),
        ("/fk/", "POST", "text/xml", 404),
    ],
)
def test_what_http_refuses(path: str, method: str, media: str, status: int) -> None:
    got = post(SIMULATOR, path, driver.fk(NUMBERS["allt"], FIRST, TODAY), method=method, media=media)
    assert got.status == status
