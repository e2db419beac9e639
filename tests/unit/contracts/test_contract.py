"""Reading a question and writing an answer by the combined contract."""

from __future__ import annotations

from base64 import b64decode
from datetime import date
from io import BytesIO
from itertools import permutations

import pytest
from lxml import etree
from unit.builders import (
    AF,
    BITRADE,
    CONTRACT,
    GRANNKOMMUN,
    KOMMUN,
    PERSON,
    SO,
    af_answer,
    data,
    encoded,
    operation,
    question,
    so_answer,
)
from vectors import make
from vectors.make import SSBT, arabic, edited, fullwidth, leaf

from ssbtek_gateway import xmlgate
from ssbtek_gateway.faults import GatewayFault, agency_fault, failure
from ssbtek_gateway.model import Outcome, Party, Period, Question, Refused

TIMEOUT = failure("TIMEOUT", reason="test")
GENERAL = Period(date(2026, 1, 1), date(2026, 1, 31))


def written(outcomes: dict[str, Outcome], asked: Question | None = None) -> etree._Element:
    answer = CONTRACT.write_answer(asked or question(), outcomes)
    return xmlgate.parse_agency(answer, None)


def child(root: etree._Element, *names: str) -> etree._Element:
    found = root.find("/".join(f"{{{SSBT}}}{name}" for name in names))
    assert found is not None
    return found


def names(element: etree._Element) -> list[str]:
    return [etree.QName(node).localname for node in element]


# Reading


def test_every_field_is_read() -> None:
    asked = question()
    assert asked.version == "10"
    assert asked.person.reveal() == PERSON
    assert asked.ingivare == Party(KOMMUN, "Testkommunen")
    assert asked.handlaggare == "asa01"
    assert asked.arendeidentitet == "Ärende-17"
    assert asked.bitraden == (Party(BITRADE, "Testbolaget"),)
    assert asked.syfte == "Handläggning av ekonomiskt bistånd"
    assert asked.lagtext == "11 kap. 11 § SoL"
    assert asked.frage_tidpunkt == "2026-02-16T08:30:00+01:00"
    assert asked.korrelationsid == "fråga 4711 <&>"
    assert asked.inkludera_fragan is False
    assert list(asked.perioder) == list(CONTRACT.sections)


def test_what_is_optional_may_be_missing() -> None:
    asked = question(make.VALID["without-what-is-optional"])
    assert (asked.frage_tidpunkt, asked.korrelationsid, asked.bitraden) == (None, None, ())


def test_own_period_replaces_the_general_one_for_that_service_only() -> None:
    perioder = question().perioder
    assert perioder["SO"] == Period(date(2025, 12, 1), date(2026, 1, 15))
    assert {perioder[kod] for kod in perioder if kod != "SO"} == {GENERAL}


@pytest.mark.parametrize("kod", ["AF", "CSN", "SO", "TNS"])
def test_each_service_that_may_have_a_period_of_its_own(kod: str) -> None:
    own = (
        f'<ssbt:{kod} inkludera="1"><ssbt:tidsperiod><ssbt:fromDatum>2026-01-05</ssbt:fromDatum>'
        f"<ssbt:tomDatum>2026-01-05</ssbt:tomDatum></ssbt:tidsperiod></ssbt:{kod}>"
    )
    message = make.only(kod).replace(f'<ssbt:{kod} inkludera="true"/>', own)
    assert question(message).perioder == {kod: Period(date(2026, 1, 5), date(2026, 1, 5))}


def test_only_what_is_included_has_a_period() -> None:
    assert question(make.only("AF", "MIV")).perioder == {"AF": GENERAL, "MIV": GENERAL}


def test_an_own_period_of_a_service_that_is_not_included_is_not_read() -> None:
    message = edited(('<ssbt:SO inkludera="true">', '<ssbt:SO inkludera="false">')).replace("2026-01-15", "2025-01-15")
    assert "SO" not in question(message).perioder


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("1", True), (" true\n", True), ("false", False), ("0", False)]
)
def test_booleans_in_every_form(text: str, *, expected: bool) -> None:
    assert question(edited(leaf("fraganSkallInkluderasISvaret", "false", text))).inkludera_fragan is expected


def test_an_empty_boolean_takes_the_schema_default() -> None:
    assert question(make.VALID["question-wanted-back-empty-is-no"]).inkludera_fragan is False


def test_white_space_round_tokens_is_collapsed() -> None:
    asked = question(make.VALID["white-space-round-tokens"])
    assert asked.person.reveal() == PERSON
    assert asked.ingivare.organisationsnummer == KOMMUN


@pytest.mark.parametrize("zone", ["Z", "+01:00", "-14:00", ""])
def test_a_time_zone_does_not_move_the_day(zone: str) -> None:
    message = edited(leaf("fromDatum", "2026-01-01", f"2026-01-01{zone}"))
    assert question(message).perioder["AF"] == GENERAL


@pytest.mark.parametrize(
    "text", ["12025-01-01", "-0044-03-15", "0999-12-31", "9999-12-31", arabic("2026-01-31"), "2026-02-29"]
)
def test_dates_that_cannot_be_meant_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(GatewayFault) as caught:
        question(edited(leaf("tomDatum", "2026-01-31", text)))
    assert caught.value.fel.felkod == "OGILTIG_FRAGA"
    assert caught.value.detalj == "tomDatum: ska vara ett datum på formen ÅÅÅÅ-MM-DD."
    assert text not in caught.value.reason


def test_the_same_day_is_a_period() -> None:
    asked = question(edited(leaf("tomDatum", "2026-01-31", "2026-01-01")))
    assert asked.perioder["AF"] == Period(date(2026, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize("digits", [arabic(KOMMUN), fullwidth(KOMMUN), KOMMUN[:11] + fullwidth("8")])
def test_digits_of_other_scripts_are_refused_though_the_schema_admits_them(digits: str) -> None:
    message = edited(leaf("organisationsnummer", KOMMUN, digits))
    with pytest.raises(GatewayFault) as caught:
        question(message)
    assert caught.value.detalj.startswith("organisationsnummer: ska vara tolv siffror")


@pytest.mark.parametrize("order", list(permutations(["", "1", "2"])))
def test_bitraden_stand_by_ordningsnummer_and_those_without_one_last(order: tuple[str, ...]) -> None:
    elements = "".join(
        "<ssbt:personuppgiftsbitrade>"
        + (f"<ssbt:ordningsnummer>{number}</ssbt:ordningsnummer>" if number else "")
        + f"<ssbt:organisationsnummer>{BITRADE}</ssbt:organisationsnummer><ssbt:namn>nummer {number}</ssbt:namn>"
        "</ssbt:personuppgiftsbitrade>"
        for number in order
    )
    asked = question(edited(("<ssbt:syfte>", f"{elements}<ssbt:syfte>")))
    assert [party.namn for party in asked.bitraden if party.namn != "Testbolaget"] == [
        "nummer 1",
        "nummer 2",
        "nummer ",
    ]


def test_two_bitraden_keep_their_own_names() -> None:
    asked = question(make.VALID["two-bitraden-out-of-order"])
    assert [party.organisationsnummer for party in asked.bitraden] == [BITRADE, GRANNKOMMUN]


# Writing: order, echo, errors


@pytest.mark.parametrize("turn", range(7))
def test_sections_stand_in_the_contracts_order(turn: int) -> None:
    koder = CONTRACT.sections[turn:] + CONTRACT.sections[:turn]
    answer = written(dict.fromkeys(koder, TIMEOUT))
    assert names(child(answer, "svarsdata")) == list(CONTRACT.sections)


def test_only_what_was_asked_has_a_section() -> None:
    assert names(child(written({"MIV": TIMEOUT, "CSN": TIMEOUT}), "svarsdata")) == ["CSN", "MIV"]


@pytest.mark.parametrize(
    ("outcome", "kalla", "felkod"),
    [
        (TIMEOUT, "SSBT", "TIMEOUT"),
        (Refused("SSBT", "EJ_BEHORIG", ("text", "gör")), "SSBT", "EJ_BEHORIG"),
        (agency_fault(detalj="HTTP-status 503.", reason="HTTP 503"), "BT", "FAULT"),
    ],
)
def test_a_failure_says_whose_it_is_and_what_to_do(outcome: Outcome, kalla: str, felkod: str) -> None:
    answer = CONTRACT.write_answer(question(), {"AF": outcome})
    error = child(xmlgate.parse_agency(answer, None), "svarsdata", "AF", "error")
    assert error.findtext(f"{{{SSBT}}}kalla") == kalla
    assert error.findtext(f"{{{SSBT}}}felkod") == felkod
    assert len(error.findall(f"{{{SSBT}}}felmeddelande")) >= 2
    assert CONTRACT.invalid_sections(answer) == set()
    # The operator's reason is for the log alone.
    assert b"HTTP 503" not in answer


@pytest.mark.parametrize("inkludera", [False, True])
@pytest.mark.parametrize("tidpunkt", [None, "2026-02-16T08:30:00"])
@pytest.mark.parametrize("korrelationsid", [None, ""])
def test_echoed_is_what_was_sent_and_nothing_else(
    tidpunkt: str | None, korrelationsid: str | None, *, inkludera: bool
) -> None:
    asked = question(frage_tidpunkt=tidpunkt, korrelationsid=korrelationsid, inkludera_fragan=inkludera)
    want = {"fraga": inkludera, "frageTidpunkt": tidpunkt is not None, "korrelationsid": korrelationsid is not None}
    assert names(written({"AF": TIMEOUT}, asked)) == [*(name for name, sent in want.items() if sent), "svarsdata"]


@pytest.mark.parametrize(
    "text", ["<&>\"'", "]]>", "a\rb\r\nc\n", "\tå 🙂\u2028\u0085 ", "&#13;", "</ssbt:korrelationsid>", ""]
)
def test_what_is_echoed_says_the_same_when_read(text: str) -> None:
    answer = written({"AF": TIMEOUT}, question(korrelationsid=text))
    assert (child(answer, "korrelationsid").text or "") == text


def test_the_carriage_return_survives_the_whole_way() -> None:
    sent = edited(leaf("korrelationsid", "fråga 4711 &lt;&amp;&gt;", "a&#13;&#10;b"))
    answer = written({"AF": TIMEOUT}, question(sent))
    assert child(answer, "korrelationsid").text == "a\r\nb"


@pytest.mark.parametrize("name", make.VALID)
def test_the_question_comes_back_as_it_was_but_for_its_name(name: str) -> None:
    asked = question(make.VALID[name], inkludera_fragan=True)
    sent = canonical(operation(make.VALID[name]))
    answer = CONTRACT.write_answer(asked, {"AF": TIMEOUT})
    assert CONTRACT.invalid_sections(answer) == set()
    back = child(xmlgate.parse_agency(answer, None), "fraga")
    back.tag = f"{{{SSBT}}}hamtaBastjanstInformation"
    assert canonical(back) == sent


def test_an_answer_can_be_written_twice() -> None:
    # The flow does so where a section turns out invalid.
    asked = question(inkludera_fragan=True)
    outcomes: dict[str, Outcome] = {"AF": data(af_answer()), "SO": TIMEOUT}
    assert CONTRACT.write_answer(asked, outcomes) == CONTRACT.write_answer(asked, outcomes)


# Writing: payloads as they came


def canonical(element: etree._Element) -> str:
    """Canonical XML 2.0 with comments, prefixes numbered by their namespaces: what the element means to a reader."""
    xml = etree.tostring(element, with_tail=False)
    text = etree.canonicalize(from_file=BytesIO(xml), with_comments=True, rewrite_prefixes=True)
    assert isinstance(text, str)
    return text


def scopes(element: etree._Element) -> list[tuple[str, dict[str | None, str]]]:
    """Each element and the namespaces in its scope, but for ours, which the combined answer adds."""
    return [(str(node.tag), dict(node.nsmap)) for node in element.iterdescendants("*")]


XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
PAYLOADS = {
    "comments": '<a:r xmlns:a="urn:a"><!-- c --><a:x>1<!-- 2 -->3</a:x><!-- --></a:r>',
    "instructions": '<a:r xmlns:a="urn:a"><?p i?><a:x>1<?p?>2</a:x></a:r>',
    "cdata": '<a:r xmlns:a="urn:a"><a:x><![CDATA[<&>]]]]><![CDATA[>]]></a:x></a:r>',
    "carriage return": '<a:r xmlns:a="urn:a"><a:x y="1&#13;&#10;&#9;2">1&#13;&#10;2</a:x></a:r>',
    "mixed text": '<a:r xmlns:a="urn:a">före <a:x/> efter &amp; å 🙂\n</a:r>',
    "prefix used in a value only": f'<a:r xmlns:a="urn:a" xmlns:q="urn:q" {XSI}><a:x xsi:type="q:F">q:B</a:x></a:r>',
    "default namespace": '<r xmlns="urn:a"><x/><x xmlns="urn:b"><y/></x></r>',
    "default namespace undone": '<r xmlns="urn:a"><x xmlns=""><y/></x></r>',
    "unqualified": '<a:r xmlns:a="urn:a"><x><y z="1"/></x></a:r>',
    "our prefix": '<ssbt:r xmlns:ssbt="urn:a"><ssbt:x ssbt:y="1">ssbt:Foo</ssbt:x></ssbt:r>',
    "our prefix in values only": '<a:r xmlns:a="urn:a" xmlns:ssbt="urn:x"><a:x>ssbt:Foo</a:x></a:r>',
    "soap prefix": '<soap:r xmlns:soap="urn:a"><soap:x>soap:Foo</soap:x></soap:r>',
    "lxml's prefixes": '<ns0:r xmlns:ns0="urn:a" xmlns:ns1="urn:b"><ns1:x ns0:y="ns0:z">ns1:q</ns1:x></ns0:r>',
    "a prefix bound anew": '<a:r xmlns:a="urn:a"><a:x xmlns:a="urn:b"><a:y>a:z</a:y></a:x></a:r>',
    "our namespace, their prefix": f'<a:r xmlns:a="urn:a" xmlns:b="{SSBT}"><a:x>b:y</a:x></a:r>',
    "our namespace as their default": f'<a:r xmlns:a="urn:a" xmlns="{SSBT}"><x xmlns=""/><a:x/></a:r>',
    "attributes on the root": '<a:r xmlns:a="urn:a" b="1" a:c="2" xml:lang="sv"><a:x xml:lang="fi"> </a:x></a:r>',
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_is_handed_on_unaltered(name: str) -> None:
    agency = xmlgate.parse_agency(PAYLOADS[name].encode(), None)
    section = child(written({"AF": data(PAYLOADS[name])}), "svarsdata", "AF", "data")
    for (tag, want), (found, have) in zip(scopes(agency), scopes(section), strict=True):
        assert tag == found
        # What a value may name is bound as the agency bound it; of ours only the new name's prefix is added.
        assert want.items() <= have.items()
        assert {namespace for prefix, namespace in have.items() if prefix not in want} <= {SSBT}
        assert (None in want) == (None in have)
    section.tag = agency.tag
    assert canonical(section) == canonical(agency)


def test_two_payloads_with_the_same_prefixes_do_not_meet() -> None:
    answer = written({kod: data(f'<a:r xmlns:a="urn:{kod}"><a:x/></a:r>') for kod in ("AF", "SO")})
    assert child(answer, "svarsdata", "AF", "data")[0].tag == "{urn:AF}x"
    assert child(answer, "svarsdata", "SO", "data")[0].tag == "{urn:SO}x"


def test_bytes_are_handed_on_in_base64() -> None:
    content = bytes(range(256))
    section = child(written({"CSN": encoded("svar", content)}), "svarsdata", "CSN", "data", "svar")
    assert b64decode(section.text or "", validate=True) == content


# Which section breaks the contract


def test_a_whole_answer_is_valid() -> None:
    outcomes: dict[str, Outcome] = {
        "AF": data(af_answer()),
        "CSN": encoded("svar", b"<CSNSvar/>"),
        "FK": failure("EJ_ANSLUTEN"),
        "SO": data(so_answer()),
    }
    assert CONTRACT.invalid_sections(CONTRACT.write_answer(question(inkludera_fragan=True), outcomes)) == set()


BROKEN = {
    "wrong child": f'<a:SvarMeddelande xmlns:a="{AF}"><a:hej/></a:SvarMeddelande>',
    "wrong child, default namespace": f'<SvarMeddelande xmlns="{AF}"><hej/></SvarMeddelande>',
    "wrong value deep inside": af_answer().replace("<From>2026-01-01", "<From>i fjol"),
    "nothing": f'<SvarMeddelande xmlns="{AF}"/>',
    "attribute": af_answer().replace("<SvarMeddelande ", '<SvarMeddelande hej="1" ', 1),
    "text": f'<SvarMeddelande xmlns="{AF}">hej</SvarMeddelande>',
    "a child named as a section": f'<a:SvarMeddelande xmlns:a="{AF}"><a:SO/></a:SvarMeddelande>',
    "our own sections inside": af_answer(extra=f'<b:SO xmlns:b="{SSBT}"/>').replace("<From>2026", "<From>år 2026"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_section_that_breaks_the_contract_is_found(name: str) -> None:
    outcomes: dict[str, Outcome] = {"AF": data(BROKEN[name]), "SO": data(so_answer()), "TNS": TIMEOUT}
    assert CONTRACT.invalid_sections(CONTRACT.write_answer(question(), outcomes)) == {"AF"}


def test_every_section_that_breaks_the_contract_is_found() -> None:
    outcomes: dict[str, Outcome] = {
        "AF": data(BROKEN["wrong child"]),
        "CSN": encoded("fel", b""),
        "SO": data(f'<r xmlns="{SO}"/>'),
        "MIV": TIMEOUT,
    }
    assert CONTRACT.invalid_sections(CONTRACT.write_answer(question(), outcomes)) == {"AF", "CSN", "SO"}


def test_what_is_wrong_outside_the_sections_is_ours() -> None:
    with pytest.raises(LookupError):
        CONTRACT.invalid_sections(CONTRACT.write_answer(question(frage_tidpunkt="i går"), {"AF": TIMEOUT}))


# The connection test


def test_the_test_answer_names_every_service() -> None:
    answer = CONTRACT.write_test_answer({"SO": (True, None), "AF": (False, TIMEOUT)})
    root = xmlgate.parse_agency(answer, None)
    assert xmlgate.schema(make.FOLDER.parents[2] / "xsd" / CONTRACT.xsd).validate(root)
    assert names(root) == ["AF", "SO"]
    assert (root[0][0].text, root[0][1][1].text, root[1][0].text, len(root[1])) == ("false", "TIMEOUT", "true", 1)
