"""Försäkringskassan over SOAP says what it says over REST, in our own contract."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from unit.simulator import driver
from unit.simulator.driver import EVERY_GROUP, FK_SOAP, LEFI, envelope, fk_soap, post, valid
from unit.simulator.test_stored import simulator, write

from ssbtek_gateway import json_xml
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.faults import Fault
from ssbtek_gateway.simulator.personas import FOLDER, PersonaError, load

if TYPE_CHECKING:
    from pathlib import Path

FIRST, TODAY = date(2026, 1, 31), date(2026, 3, 31)
PERSONAS = load(today=TODAY)
NUMBERS = {alias: persona.person.reveal() for alias, persona in PERSONAS.items()}
SIMULATOR = Simulator(PERSONAS, today=lambda: TODAY)
ANSWERED = sorted(NUMBERS.keys() - {"fel-i-transport"})
GROUP = {"formansinformation": ["FK:SJP"]}
TYPES = "hamtaTillgangligaInformationstyper"


def said(alias: str, groups: dict[str, list[str]] | None = None) -> Any:  # noqa: ANN401 - JSON
    """The answer over SOAP as JSON, by the gateway's reader, which the simulator does not use."""
    answer = post(SIMULATOR, "/fk", envelope(fk_soap(NUMBERS[alias], FIRST, TODAY, groups))).answer()
    assert valid(FK_SOAP, answer)
    return json_xml.LEFI.read(answer, "LefiExternFormansinformationSvar")


@pytest.mark.parametrize("alias", ANSWERED)
def test_every_answer_is_the_one_over_rest(alias: str) -> None:
    rest = post(SIMULATOR, driver.FRAGA, driver.fk(NUMBERS[alias], FIRST, TODAY), media="application/json").json()
    assert said(alias) == rest


def test_a_group_brings_its_own_and_nothing_found_is_empty_and_there() -> None:
    assert set(said("allt", GROUP)["formansinformation"]) == {"sjukpenningarende"}
    assert said("inget", {"beslut": ["PM:AP"]})["beslut"] == []


@pytest.mark.parametrize(
    ("wrong", "status", "text"),
    [
        (fk_soap(NUMBERS["allt"], FIRST, TODAY, aktor="TEST-03"), "403", "Aktören"),
        (f'<{TYPES} xmlns="{LEFI[1:-1]}"><aktorsId>TEST-03</aktorsId></{TYPES}>', "403", "Aktören"),
        (fk_soap(NUMBERS["allt"], FIRST, TODAY, {}), "400", "förmånsgrupp"),
        (fk_soap(NUMBERS["allt"], TODAY, FIRST), "400", "två år"),
        (fk_soap(NUMBERS["allt"], date(2024, 1, 1), TODAY), "400", "två år"),
        (
            fk_soap(NUMBERS["allt"], FIRST, TODAY).replace(
                "</fraga>", '<okant><map xmlns="http://www.w3.org/2005/xpath-functions"/></okant></fraga>'
            ),
            "400",
            "LEFI version 9",
        ),
    ],
)
def test_what_rest_refuses_is_refused_with_its_status(wrong: str, status: str, text: str) -> None:
    got = post(SIMULATOR, "/fk", envelope(wrong))
    assert valid(FK_SOAP, got.detail())
    assert got.detail().findtext(f"{LEFI}status") == status
    assert text in got.detail().findtext(f"{LEFI}fel/{LEFI}meddelande", "")
    assert text in got.faultstring()


@pytest.mark.parametrize(
    "wrong",
    [
        "<a/>",
        fk_soap("0", FIRST, TODAY),
        fk_soap(NUMBERS["allt"], FIRST, TODAY, {"formansinformation": ["FK:NY"]}),
        f'<{TYPES}Response xmlns="{LEFI[1:-1]}"/>',
    ],
)
def test_what_the_schema_refuses(wrong: str) -> None:
    assert "schema" in post(SIMULATOR, "/fk", envelope(wrong)).faultstring()


def test_the_kinds_of_information_that_may_be_asked_for() -> None:
    asked = f'<{TYPES} xmlns="{LEFI[1:-1]}"><aktorsId>TEST-01</aktorsId></{TYPES}>'
    answer = post(SIMULATOR, "/fk", envelope(asked)).answer()
    assert valid(FK_SOAP, answer)
    kinds = {name: [one.findtext(f"{LEFI}kod") for one in answer.iterchildren(f"{LEFI}{name}")] for name in EVERY_GROUP}
    assert kinds == EVERY_GROUP
    for kind in ("fault-pnr", "invalid", "comments"):
        app = Simulator(PERSONAS, {"FK": Fault(kind)}, lambda: TODAY)
        assert post(app, "/fk", envelope(asked)).body


@pytest.mark.parametrize(
    ("value", "rule"),
    [("2026-02-30", "from has a value that XML cannot say"), ("\\u0000", "has a character that XML cannot hold")],
)
def test_a_persona_that_xml_cannot_hold_is_named_without_its_values(tmp_path: Path, value: str, rule: str) -> None:
    file = tmp_path / "allt.xml"
    text = (FOLDER / "allt.xml").read_text(encoding="utf-8")
    assert '"from": "${-4m:1}"' in text
    file.write_text(text.replace('"from": "${-4m:1}"', f'"from": "{value}"', 1), encoding="utf-8")
    with pytest.raises(PersonaError, match=rule) as caught:
        load(tmp_path, TODAY)
    assert value not in str(caught.value)


def test_stored_answers_in_xml_are_for_soap_and_in_json_for_rest(tmp_path: Path) -> None:
    asked = fk_soap(NUMBERS["allt"], FIRST, TODAY)
    stored = envelope(f'<hamtaFormansinformationResponse xmlns="{LEFI[1:-1]}" tomma="beslut"/>')
    write(tmp_path, "fk/2", envelope(asked), stored)
    write(tmp_path, "fk/1", driver.fk(NUMBERS["allt"], FIRST, TODAY), b'{"beslut": []}')
    app = simulator(tmp_path)
    # Not the same question: any about the person, in their own language.
    other = fk_soap(NUMBERS["allt"], TODAY, TODAY)
    assert post(app, "/fk", envelope(other)).answer().get("tomma") == "beslut"
    assert driver.ask(app, "FK", NUMBERS["allt"], TODAY, TODAY).body == json.dumps({"beslut": []}).encode()
