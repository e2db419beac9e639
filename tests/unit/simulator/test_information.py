from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from information import BULLETS, FK, MISSING, PAGE, SKV10, SKV11, Bullet, Missing, page
from unit.simulator import driver
from unit.simulator.driver import EVERY_GROUP, PARTS, ask_skv11

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.personas import load

if TYPE_CHECKING:
    from lxml.etree import _Element

TODAY = date(2026, 3, 31)
FIRST, LAST = date(2026, 2, 1), TODAY + timedelta(days=30)
PERSONAS = load(today=TODAY)
SIMULATOR = Simulator(PERSONAS, today=lambda: TODAY)
FACTS = Path(__file__).parents[2] / "contract" / "facts"
YEARS = (2023, 2024, 2025, 2026)


def number(alias: str) -> str:
    return PERSONAS[alias].person.reveal()


def xml(service: str, alias: str) -> _Element:
    answer = driver.ask(SIMULATOR, service.partition(" ")[0], number(alias), FIRST, LAST).answer()
    return xmlgate.parse_own(answer.findtext("svar", "").encode()) if service == SKV10 else answer


def document(service: str, alias: str, codes: tuple[str, ...] = ()) -> dict[str, Any]:
    if service == SKV11:
        return {
            part: ask_skv11(SIMULATOR, part, number(alias), *YEARS).json()
            for part in ("skattekonto", "skatteuppgifter")
        }
    groups = {name: [code for code in every if code in codes or not codes] for name, every in EVERY_GROUP.items()}
    got = driver.post(SIMULATOR, driver.FRAGA, driver.fk(number(alias), FIRST, LAST, groups), media="application/json")
    answer: dict[str, Any] = got.json()
    return answer


def at(value: Any, path: str) -> list[Any]:  # noqa: ANN401 - JSON
    """What stands at `path`, written as `information.py` says."""
    path, _, wanted = path.partition("=")
    found = [value]
    for step in path.split("."):
        name = step.removesuffix("[*]")
        found = [one[name] for one in found if name in one]
        if step != name:
            found = [one for several in found for one in several]
    return [one for one in found if not wanted or one == wanted]


@pytest.mark.parametrize(
    "bullet", BULLETS, ids=lambda bullet: f"{bullet.section}-{bullet.service}-{bullet.information}"
)
def test_the_information_stands_in_a_personas_answer(bullet: Bullet) -> None:
    if bullet.service in {FK, SKV11}:
        assert at(document(bullet.service, bullet.persona, bullet.codes), bullet.path)
        return
    found = xml(bullet.service, bullet.persona).findall(bullet.path)
    assert any(element.text or element.attrib for element in found)


@pytest.mark.parametrize(
    "bullet",
    [bullet for bullet in BULLETS if bullet.service == FK],
    ids=lambda bullet: f"{bullet.section}-{bullet.information}",
)
def test_the_information_of_lefi_comes_with_its_codes_only(bullet: Bullet) -> None:
    others = tuple({code for codes in EVERY_GROUP.values() for code in codes} - set(bullet.codes))
    assert not at(document(FK, bullet.persona, others), bullet.path)


def test_the_persona_allt_has_something_in_every_section() -> None:
    assert {bullet.service for bullet in BULLETS if bullet.persona == "allt"} == {
        *(bullet.service for bullet in BULLETS)
    } - {"CSN"}
    assert xml("CSN", "allt").findall(".//{*}stodform")


def test_the_path_of_information_finds_and_does_not_find() -> None:
    value = {"a": [{"b": {"c": 1}}, {"b": {}}], "d": ["x"]}
    assert at(value, "a[*].b.c") == [1]
    assert at(value, "a[*].b.e") == []
    assert at(value, "d[*]=x") == ["x"]
    assert at(value, "d[*]=y") == []


@cache
def names(service: str) -> frozenset[str]:
    """Every name and code in what is public of the service's contract, in lower case."""
    file = {"AF": "af-afli-2", "SKV v10": "skv-beskattningsuppgifter", "FK": "lefi-9"}[service]
    facts = yaml.safe_load((FACTS / f"{file}.yaml").read_text(encoding="utf-8"))
    return frozenset(word.lower() for word in re.findall(r"\w+", str(facts)))


def answers(service: str) -> str:
    """Every name in the answers about every persona, in lower case."""
    if service == FK:
        return str([document(FK, alias) for alias in PERSONAS if alias != "fel-i-transport"]).lower()
    aliases = [alias for alias in PERSONAS if alias not in {"fel-i-transport", "fel-i-svar"}]
    return str([str(element.tag) for alias in aliases for element in xml(service, alias).iter("*")]).lower()


@pytest.mark.parametrize("missing", MISSING, ids=lambda missing: f"{missing.service}-{missing.information}")
def test_what_no_public_name_can_carry_stands_in_no_answer(missing: Missing) -> None:
    assert missing.reason
    assert missing.word not in answers(missing.service)


@pytest.mark.parametrize(
    "missing",
    [missing for missing in MISSING if missing.information != "arbetsskadelivränta"],
    ids=lambda missing: f"{missing.service}-{missing.information}",
)
def test_what_is_missing_is_missing_in_the_contract(missing: Missing) -> None:
    assert not [name for name in names(missing.service) if missing.word in name]


def test_arbetsskadelivranta_has_keys_and_no_code() -> None:
    assert {"arbetsskadeegenlivrantearende", "arbetsskadeefterlevandearende"} <= names(FK)
    assert not [key for key in document(FK, "allt")["formansinformation"] if key.startswith("arbetsskade")]


def test_the_parts_without_public_shape_are_never_found() -> None:
    for alias in PERSONAS.keys() - {"fel-i-transport", "fel-i-svar"}:
        for part in set(PARTS) - {"foretagsinformation", "skattekonto", "skatteuppgifter"}:
            assert ask_skv11(SIMULATOR, part, number(alias), *YEARS).status == 404


def test_the_page_says_what_this_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
