from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from unit.simulator import driver
from unit.simulator.driver import MIV, SO, envelope

from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.faults import Fault
from ssbtek_gateway.simulator.following import Following
from ssbtek_gateway.simulator.personas import FOLDER, load
from ssbtek_gateway.simulator.stored import StoredError
from ssbtek_gateway.simulator.stored import load as load_stored

if TYPE_CHECKING:
    from pathlib import Path

FIRST, TODAY = date(2026, 3, 1), date(2026, 3, 31)
PERSON, OTHER = "191212121212", "199006022397"


def answer(status: str) -> bytes:
    return envelope(f"<Answer xmlns='urn:x'>{status}</Answer>")


def write(folder: Path, name: str, request: bytes, response: bytes, toml: str = "") -> None:
    ending = "json" if request.startswith(b"{") else "xml"
    file = folder / f"{name}.request.{ending}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(request)
    (folder / f"{name}.response.{ending}").write_bytes(response)
    if toml:
        (folder / f"{name}.toml").write_text(toml)


def simulator(folder: Path) -> Simulator:
    return Simulator(load(today=TODAY), today=lambda: TODAY, stored=dict(load_stored(folder)))


def test_a_question_gets_the_answer_to_the_same_one_else_to_another_about_the_person(tmp_path: Path) -> None:
    write(tmp_path, "so/1", driver.question("SO", PERSON, FIRST, FIRST), answer("one day"))
    write(tmp_path, "so/2", driver.question("SO", PERSON, FIRST, TODAY), answer("a month"))
    app = simulator(tmp_path)
    assert driver.ask(app, "SO", PERSON, FIRST, TODAY).answer().text == "a month"
    assert driver.ask(app, "SO", PERSON, TODAY, TODAY).answer().text == "one day"
    # Of anybody else, and at any other agency, the personas know.
    assert driver.ask(app, "SO", OTHER, FIRST, TODAY).answer().tag == f"{SO}GetUnemploymentBenefitPaymentResponse"
    assert driver.valid("MIV", driver.ask(app, "MIV", PERSON, FIRST, TODAY).answer())


def test_json_goes_by_place_and_any_actor_may_ask(tmp_path: Path) -> None:
    write(tmp_path, "fk/1", driver.fk(PERSON, FIRST, TODAY), b'{"utlamnare": []}')
    write(tmp_path, "skv/v11/skattekonto/1", driver.skv11(PERSON, 2025), b'{"status": 404}', "status = 404")
    app = simulator(tmp_path)
    assert driver.ask(app, "FK", PERSON, TODAY, TODAY).json() == {"utlamnare": []}
    path = driver.FRAGA.replace("TEST-01", "NAGON")
    got = driver.post(app, path, driver.fk(PERSON, FIRST, TODAY), media="application/json")
    assert got.json() == {"utlamnare": []}
    got = driver.ask_skv11(app, "skattekonto", PERSON, 2024)
    assert (got.json(404), got.headers["content-type"]) == ({"status": 404}, "application/problem+json")
    assert driver.ask_skv11(app, "skatteuppgifter", OTHER, 2024).status == 404


def test_a_fault_has_status_500_and_the_korrelationsid_is_that_of_the_question(tmp_path: Path) -> None:
    fault = "<s:Fault xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><faultcode>s:Server</faultcode></s:Fault>"
    write(tmp_path, "af/1", driver.question("AF", PERSON, FIRST, TODAY), envelope(fault))
    miv = f"<m:r xmlns:m='{MIV[1:-1]}'><korrelationsid>stored</korrelationsid></m:r>"
    write(tmp_path, "miv/1", driver.question("MIV", PERSON, FIRST, TODAY), envelope(miv))
    app = simulator(tmp_path)
    assert driver.ask(app, "AF", PERSON, FIRST, TODAY).status == 500
    assert driver.ask(app, "MIV", PERSON, FIRST, TODAY).answer().findtext("korrelationsid") == "k1"


def test_faults_are_played_on_stored_answers_too(tmp_path: Path) -> None:
    write(tmp_path, "so/1", driver.question("SO", PERSON, FIRST, TODAY), answer("stored"))
    app = simulator(tmp_path)
    app.faults["SO"] = Fault("flap", 1)
    got = [driver.ask(app, "SO", PERSON, FIRST, TODAY) for _ in range(2)]
    assert got[0].answer().text == "stored"
    assert got[1].reset
    app.faults["SO"] = Fault("truncated")
    assert driver.ask(app, "SO", PERSON, FIRST, TODAY).body[:20] == got[0].body[:20]
    app.faults["SO"] = Fault("fault")
    assert "Internt fel" in driver.ask(app, "SO", PERSON, FIRST, TODAY).faultstring()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("so/1.response.xml", b"<a>\n<b>\n</a>", "so/1.response.xml:3: not well-formed XML"),
        ("so/1.response.xml", b"<!DOCTYPE a><a/>", "so/1.response.xml: DOCTYPE"),
        ("so/1.response.xml", b"<a/>", "so/1.response.xml: is no SOAP 1.1 envelope"),
        ("so/1.request.xml", b"<a", "so/1.request.xml:1: not well-formed XML"),
        ("fk/1.response.json", b'{\n"a" 1}', "fk/1.response.json:2: not JSON: Expecting ':' delimiter"),
        ("fk/1.response.json", b'{"a": "\xff"}', "fk/1.response.json: not JSON in UTF-8"),
        ("fk/1.toml", b"status = ", "fk/1.toml: not TOML: Invalid value (at end of document)"),
        ("fk/1.toml", b"status = 1", "fk/1.toml: status is a number from 200 to 599"),
        ("fk/2.request.json", b"{}", "fk/2.response.json: is missing"),
    ],
)
def test_a_bad_fixture_is_named_by_file_line_and_rule(tmp_path: Path, file: str, content: bytes, said: str) -> None:
    write(tmp_path, "so/1", driver.question("SO", PERSON, FIRST, TODAY), answer("stored"))
    write(tmp_path, "fk/1", driver.fk(PERSON, FIRST, TODAY), b"{}")
    load_stored(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(StoredError) as caught:
        load_stored(tmp_path)
    assert said in str(caught.value)


def test_a_folder_without_fixtures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoredError, match=r"there is no \*\.request\.xml"):
        load_stored(tmp_path)


def test_files_are_read_again_as_they_change_and_a_bad_one_leaves_all_as_it_was(tmp_path: Path) -> None:
    people, fixtures = tmp_path / "people", tmp_path / "fixtures"
    people.mkdir()
    file = people / "inget.xml"
    file.write_bytes((FOLDER / "inget.xml").read_bytes())
    write(fixtures, "so/1", driver.question("SO", PERSON, FIRST, TODAY), answer("stored"))
    app = Simulator(load(people, TODAY), today=lambda: TODAY, stored=dict(load_stored(fixtures)))
    said: list[str] = []
    follow = Following(app, people, fixtures, said.append)

    def stored() -> str | None:
        follow()
        return driver.ask(app, "SO", PERSON, FIRST, TODAY).answer().text

    assert (stored(), said) == ("stored", [])
    response = fixtures / "so" / "1.response.xml"
    response.write_bytes(answer("changed"))
    assert (stored(), said.pop()) == ("changed", "read again: 1 personas, 1 fixtures")
    response.write_bytes(b"<a>\n")
    assert stored() == "changed"
    assert said.pop().startswith(f"not read again: {response}:2: not well-formed XML")
    assert (stored(), said) == ("changed", [])
    response.write_bytes(answer("mended"))
    (people / "ny.xml").write_text(file.read_text().replace('"inget"', '"ny"'))
    assert stored() == "changed"
    assert "the persona inget has the same personidentitet" in said.pop()
    (people / "ny.xml").rename(people / "ny.txt")
    assert stored() == "mended"


def test_a_stored_answer_is_never_printed(tmp_path: Path) -> None:
    write(tmp_path, "fk/1", driver.fk(PERSON, FIRST, TODAY), json.dumps({"x": PERSON}).encode())
    assert PERSON not in repr(load_stored(tmp_path))
