from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from ssbtek_gateway.simulator.dates import expand, shift_months, span
from ssbtek_gateway.simulator.faults import Fault
from ssbtek_gateway.simulator.personas import FOLDER, PersonaError, load

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 3, 31)

PERSONA = """<?xml version="1.0" encoding="UTF-8"?>
<persona xmlns="urn:ssbtek-gateway:persona" alias="prov" personidentitet="191212121212">
  <beskrivning>En person.</beskrivning>
  <SO>
    <ArbetsloshetsersattningLista xmlns="http://INT014.UBPService.Schemas">
      <Arbetsloshetsersattning>
        <SvarandeOrganisation>Provkassan</SvarandeOrganisation>
        <StatusSvarandeOrganisation>OK</StatusSvarandeOrganisation>
        <Avstangningar>
          <!-- ${this is no text} -->
          <AvstangdFrom>${-30d}</AvstangdFrom>
          <AvstangdTom>${-1m:31}</AvstangdTom>
        </Avstangningar>
      </Arbetsloshetsersattning>
    </ArbetsloshetsersattningLista>
  </SO>
  <CSN>
    <Person xmlns="http://schema.csn.se/v4.0/kommunfraga"/>
  </CSN>
</persona>
"""
PERSONUPPGIFT = (
    '<Personuppgift xmlns="http://xmls.skatteverket.se/se/skatteverket/zg/instans/standardiseradInformation/1.0"/>'
)
GOOD = re.sub(r"  <CSN>.*</CSN>\n", "", PERSONA, flags=re.DOTALL)


def test_a_hand_written_persona_loads(tmp_path: Path) -> None:
    (tmp_path / "prov.xml").write_text(GOOD)
    persona = load(tmp_path, TODAY)["prov"]
    assert (persona.alias, persona.beskrivning) == ("prov", "En person.")
    held = persona.known_to("SO", TODAY)
    assert held is not None
    assert held.findtext(".//{*}AvstangdFrom") == "2026-03-01"
    assert held.findtext(".//{*}AvstangdTom") == "2026-02-28"
    assert persona.known_to("AF", TODAY) is None
    assert "1912" not in repr(persona)


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        pytest.param("${-30d}", "${-30q}", 11, "a relative day is ${SHIFTd}", id="unknown-unit"),
        pytest.param("${-30d}", "${-30d:4}", 11, "a relative day is", id="day-of-a-day"),
        pytest.param("${-30d}", "${-30d ÅÅMMDD}", 11, "a relative day is", id="unknown-format"),
        pytest.param("${-30d}", "${-30d", 11, "a relative day is", id="unclosed-notation"),
        pytest.param("${-30d}", "2026-02-31", 11, "'xs:date'", id="no-such-day"),
        pytest.param("${-30d}", "199006022397", 11, "'xs:date'", id="number-for-a-day"),
        pytest.param('alias="prov"', 'alias="annan"', 2, "alias is the file's name", id="alias-is-not-the-file-name"),
        pytest.param("191212121212", "171212121212", None, "/csn cannot be asked", id="number-of-another-century"),
        pytest.param("191212121212", "19121212-1212", 2, "twelve ASCII digits", id="number-with-hyphen"),
        pytest.param(":persona", ":other", 2, "the root is persona", id="other-namespace"),
        pytest.param(' alias="prov"', "", 2, "the root is persona with alias", id="no-alias"),
        pytest.param("<beskrivning>En person.</beskrivning>", "", 2, "one line of text", id="no-description"),
        pytest.param("En person.", "En\nperson.", 2, "one line of text", id="two-line-description"),
        pytest.param("SO>", "XY>", 4, "after beskrivning stand AF, SO, CSN, FK, SKV, TNS, MIV", id="unknown-agency"),
        pytest.param("</SO>", "</SO><SO/>", 16, "each once at most", id="agency-twice"),
        pytest.param(
            "<SvarandeOrganisation>Provkassan</SvarandeOrganisation>", "", 8, "not expected", id="child-missing"
        ),
        pytest.param("<Avstangningar>", "<Avstangningar><Annat/>", 9, "Annat", id="unknown-element"),
        pytest.param("</SO>", "</SO><AF/>", 16, "StatusSokandeinformationKod", id="agency-with-nothing"),
        pytest.param("</SO>", "<x/></SO>", 16, "not expected", id="two-things-held"),
        pytest.param("</persona>", "", 18, "not well-formed", id="not-well-formed"),
        pytest.param("<SO>", '<SO fault="hang" a="">', 4, "the attribute fault or none", id="unknown-attribute"),
        pytest.param("<SO>", '<SO fault="explode">', 4, "KIND is one of", id="unknown-fault"),
        pytest.param("<SO>", '<TNS fault="other-person"/><SO>', 4, "does not say whom", id="fault-of-others"),
        pytest.param("<persona", "<!DOCTYPE a><persona", None, "DOCTYPE", id="doctype"),
    ],
)
def test_a_bad_persona_is_named_by_file_line_and_rule(
    tmp_path: Path, old: str, new: str, line: int | None, rule: str
) -> None:
    assert old in GOOD
    (tmp_path / "prov.xml").write_text(GOOD.replace(old, new))
    with pytest.raises(PersonaError) as caught:
        load(tmp_path, TODAY)
    place = f"prov.xml:{line}: " if line else "prov.xml: "
    assert place in str(caught.value)
    assert rule in str(caught.value)
    assert not re.search(r"\d{6}", str(caught.value).partition(place)[2])


PAYMENT = '"formansfamilj": {"id": "SJP"}, "datum": "2026-03-01"'


@pytest.mark.parametrize(
    ("section", "line", "rule"),
    [
        pytest.param("<FK/>", 17, "not JSON: Expecting value", id="fk-without-json"),
        pytest.param("<FK>{}<a/></FK>", 17, "no element", id="fk-with-an-element"),
        pytest.param('<FK><![CDATA[\n{\n"avvikelser" {}}]]></FK>', 19, "not JSON: Expecting ':'", id="fk-no-json"),
        pytest.param("<FK>[]</FK>", 17, "not an object", id="fk-no-object"),
        pytest.param("<FK>" + "[" * 100_000 + "</FK>", 17, "too deep", id="fk-too-deep"),
        pytest.param('<FK>{"beslut": "${-1y}"}</FK>', 17, "a relative day is", id="fk-unknown-unit"),
        pytest.param('<FK>{"beslut": {}}</FK>', 17, "$.beslut breaks the schema's type", id="fk-wrong-type"),
        pytest.param(
            '<FK>{"annat": 1}</FK>', 17, "$ breaks the schema's additionalProperties", id="fk-unknown-property"
        ),
        pytest.param(
            '<FK>{"beslut": [{"formansgrupp": {"kod": "PM:XX", "beskrivning": ""}}]}</FK>',
            17,
            "$.beslut[0].formansgrupp.kod breaks the schema's enum",
            id="fk-unknown-code",
        ),
        pytest.param(
            '<FK>{"formansinformation": {"levnadsintygsuppgift": []}}</FK>',
            17,
            "no code is known that asks for levnadsintygsuppgift",
            id="fk-key-without-code",
        ),
        pytest.param('<FK>{"beslut": [{}]}</FK>', 17, "'formansgrupp' is missing", id="fk-without-group"),
        pytest.param(
            '<FK>{"formansinformation": {"utbetalningsuppgift": [{"datum": "2026-03-01"}]}}</FK>',
            17,
            "'formansfamilj' is missing",
            id="fk-payment-without-group",
        ),
        pytest.param(
            f'<FK>{{"formansinformation": {{"utbetalningsuppgift": [{{{PAYMENT.replace("03-01", "02-30")}}}]}}}}</FK>',
            17,
            "a payment's day: not a day",
            id="fk-no-such-day",
        ),
        pytest.param("<SKV><v11>{</v11></SKV>", 17, "not JSON: Expecting property name", id="skv-no-json"),
        pytest.param('<SKV><v11>{"annat": {}}</v11></SKV>', 17, "v11 holds foretagsinformation", id="skv-unknown-part"),
        pytest.param('<SKV><v11>{"skattekonto": []}</v11></SKV>', 17, "not been seen", id="skv-part-no-object"),
        pytest.param('<SKV><v11>{"skattekonto": {"a": 1}}</v11></SKV>', 17, "not been seen", id="skv-unknown-property"),
        pytest.param(
            '<SKV><v11>{"individuppgifter": {"a": 1}}</v11></SKV>', 17, "with a status", id="skv-unknown-shape"
        ),
        pytest.param('<SKV><v11>{"skattekonto": {"status": "500"}}</v11></SKV>', 17, "a number", id="skv-status-text"),
        pytest.param(
            '<SKV><v11>{"skatteuppgifter": {"beslutadeSkatteuppgifter": [{"beskattningsar": "2025"}]}}</v11></SKV>',
            17,
            "beskattningsar of beslutadeSkatteuppgifter is a number",
            id="skv-year-text",
        ),
        pytest.param("<SKV><a/></SKV>", 17, "Personuppgift or Exception", id="skv-unknown-element"),
        pytest.param(f"<SKV>{PERSONUPPGIFT}{PERSONUPPGIFT}</SKV>", 17, "one Personuppgift", id="skv-two-persons"),
        pytest.param(f"<SKV>{PERSONUPPGIFT[:-2]}><a/></Personuppgift></SKV>", 17, "not been seen", id="skv-unseen"),
        pytest.param("<TNS><a/></TNS>", 17, "TNS holds fordon elements, or", id="tns-unknown-element"),
        pytest.param("<MIV><a/></MIV>", 17, "one response without namespace", id="miv-unknown-element"),
        pytest.param("<MIV/>", 17, "one response without namespace", id="miv-with-nothing"),
        pytest.param(
            '<MIV><response xmlns=""><personnummer/></response></MIV>',
            17,
            "filled in by the simulator",
            id="miv-number",
        ),
        pytest.param(
            '<MIV><response xmlns=""><annat/></response></MIV>', 17, "not expected", id="miv-unknown-information"
        ),
        pytest.param(
            '<CSN xmlns:c="http://schema.csn.se/v4.0/kommunfraga"><c:Resultat/><c:Person/></CSN>',
            17,
            "Resultat stands alone",
            id="csn-result-and-person",
        ),
    ],
)
def test_a_bad_section_is_named_by_its_line(tmp_path: Path, section: str, line: int, rule: str) -> None:
    (tmp_path / "prov.xml").write_text(GOOD.replace("</SO>\n", f"</SO>\n{section}\n"))
    with pytest.raises(PersonaError) as caught:
        load(tmp_path, TODAY)
    assert f"prov.xml:{line}: " in str(caught.value)
    assert rule in str(caught.value)


def test_a_section_may_be_a_fault_alone_or_with_data(tmp_path: Path) -> None:
    (tmp_path / "prov.xml").write_text(GOOD.replace("<SO>", '<AF fault="slow:3"/><SO fault="hang">'))
    persona = load(tmp_path, TODAY)["prov"]
    assert persona.faults == {"AF": Fault("slow", 3), "SO": Fault("hang")}
    assert set(persona.held) == {"SO"}


def test_a_person_that_csn_cannot_say_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "prov.xml").write_text(PERSONA)
    with pytest.raises(PersonaError, match=r"prov\.xml:18: .*Studiestodstypforteckning"):
        load(tmp_path, TODAY)


def test_a_day_that_only_the_calendar_refuses_is_named_by_its_line(tmp_path: Path) -> None:
    student = (FOLDER / "student.xml").read_text()
    (tmp_path / "student.xml").write_text(student.replace("${-25d ÅÅÅÅMMDD}", "20260231"))
    with pytest.raises(PersonaError, match=r"student\.xml:\d+: utbetdatum .* of Utbetalning: not a day"):
        load(tmp_path, TODAY)


def test_two_personas_may_not_share_a_number(tmp_path: Path) -> None:
    (tmp_path / "prov.xml").write_text(GOOD)
    (tmp_path / "tva.xml").write_text(GOOD.replace('"prov"', '"tva"'))
    with pytest.raises(PersonaError, match=r"tva\.xml:1: the persona prov has the same personidentitet"):
        load(tmp_path, TODAY)


def test_a_folder_without_personas_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="there is no persona"):
        load(tmp_path, TODAY)


def test_every_persona_loads_on_every_day_of_a_year() -> None:
    for day in range(date(2026, 12, 1).toordinal(), date(2028, 3, 2).toordinal(), 37):
        assert load(today=date.fromordinal(day))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("${0d}", "2026-03-31"),
        ("${+1d}", "2026-04-01"),
        ("${-30d ÅÅÅÅMMDD}", "20260301"),
        ("${-1m}", "2026-02-28"),
        ("${-1m:25}", "2026-02-25"),
        ("${-1m:31 ÅÅÅÅMMDD}", "20260228"),
        ("${-12m:1}", "2025-03-01"),
        ("${-1m ÅÅÅÅ-MM}", "2026-02"),
        ("${-12m ÅÅÅÅ}", "2025"),
        # ISO 8601: 2025-12-31 lies in the first week of 2026.
        ("${-90d ÅÅÅÅVV}", "202601"),
        ("från ${0d} till ${1d}", "från 2026-03-31 till 2026-04-01"),
    ],
)
def test_relative_days(text: str, day: str) -> None:
    assert expand(text, TODAY) == day


@pytest.mark.parametrize("text", ["${}", "${d}", "${-1m:0}", "${-1000d}", "${-1y}", "${ -1d}", "${1d }", "${٣d}"])
def test_unknown_relative_days(text: str) -> None:
    with pytest.raises(ValueError, match="a relative day is"):
        expand(text, TODAY)


def test_a_month_without_the_day_ends_on_its_last() -> None:
    assert shift_months(TODAY, -1) == date(2026, 2, 28)
    assert shift_months(TODAY, 9) == date(2026, 12, 31)
    assert shift_months(TODAY, -3) == date(2025, 12, 31)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-03-31", TODAY, TODAY),
        ("\n 2026-03-31+02:00 ", TODAY, TODAY),
        ("20260331", TODAY, TODAY),
        ("202653", date(2026, 12, 28), date(2027, 1, 3)),
    ],
)
def test_days_as_agencies_write_them(text: str, first: date, last: date) -> None:
    assert span(text) == (first, last)


@pytest.mark.parametrize("text", ["", "20261301", "202500", "202554", "i går", "20260331199006022397"])
def test_no_days(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a day of the calendar$"):
        span(text)


def test_personas_name_each_other_and_days_follow_the_day_that_is_given(tmp_path: Path) -> None:
    held = load(today=TODAY)["sambo-ett"].known_to("FK", date(2030, 1, 31))
    assert held is not None
    assert '"personnummer": "198001139297", "foddes": "1980-01-13"' in (held.text or "")
    assert '"startades": "2029-11-02"' in (held.text or "")
    (tmp_path / "prov.xml").write_text(GOOD.replace("${-30d}", "${fodd:prov}"))
    prov = load(tmp_path, TODAY)["prov"].known_to("SO", TODAY)
    assert prov is not None
    assert prov.findtext(".//{*}AvstangdFrom") == "1912-12-12"
    (tmp_path / "prov.xml").write_text(GOOD.replace("${-30d}", "${nummer:ingen}"))
    with pytest.raises(PersonaError, match=r"prov\.xml:11: there is no persona with the alias"):
        load(tmp_path, TODAY)


def test_couples_and_children_agree_about_each_other() -> None:
    people = load(today=TODAY)
    named = {}
    for alias in ("sambo-ett", "sambo-tva", "barn"):
        held = people[alias].known_to("FK", TODAY)
        assert held is not None
        text = held.text or ""
        named[alias] = {other for other in people if people[other].person.reveal() in text}
    assert named == {
        "sambo-ett": {"sambo-tva", "barn"},
        "sambo-tva": {"sambo-ett", "barn"},
        "barn": {"sambo-ett", "sambo-tva"},
    }
