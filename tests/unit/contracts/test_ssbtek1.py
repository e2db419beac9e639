"""The typed contract: FK asked by elements, every payload as elements, and in each section its overview."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree
from unit.builders import (
    CALLER,
    CONFIDENTIAL,
    FakeAudit,
    FakeService,
    af_answer,
    csn_answer,
    flow,
    operation,
    organisation,
    so_answer,
)
from unit.contracts.test_contract import canonical
from unit.services.test_skv import document
from vectors import make
from vectors.make import PERSON, leaf

from ssbtek_gateway import oversikt, xmlgate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.contracts.ssbtek1 import SSBTEK1
from ssbtek_gateway.faults import GatewayFault, failure
from ssbtek_gateway.inbound.soap import SoapEndpoint
from ssbtek_gateway.json_xml import LEFI
from ssbtek_gateway.model import Bedomning, Data, EncodedPayload, PartsPayload, Period, SkvFraga, Verdict, XmlPayload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.model import Failure, Outcome, Question

NS = f"{{{SSBTEK1.namespace}}}"
BEGAN = datetime(2026, 2, 16, 8, 30, tzinfo=UTC)
GENERAL = Period(date(2026, 1, 1), date(2026, 1, 31))
KOD = "<ssbt:formansinformation>FK:FP</ssbt:formansinformation>"
ONE = (Bedomning("test", Verdict.SVARAT),)
TIMEOUT = failure("TIMEOUT", reason="x")


def typed(*edits: tuple[str, str]) -> str:
    """The template in version 1, then edited."""
    text = make.in_version(make.TEMPLATE.encode(), SSBTEK1).decode()
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def question(*edits: tuple[str, str]) -> Question:
    element = operation(typed(*edits))
    SSBTEK1.check_question(element)
    return SSBTEK1.read_question(element)


def koder(**lists: tuple[str, ...]) -> tuple[str, str]:
    return KOD, "".join(f"<ssbt:{name}>{kod}</ssbt:{name}>" for name, given in lists.items() for kod in given)


def data(xml: str) -> Data:
    return Data(XmlPayload(xmlgate.written(xmlgate.parse_agency(xml.encode(), None), f"{NS}data")), ONE)


def csn(xml: str) -> Data:
    written = etree.tostring(xmlgate.parse_agency(xml.encode(), None), encoding="UTF-8", xml_declaration=True)
    return Data(EncodedPayload("svar", written), ONE)


def fk(value: object) -> Data:
    return Data(EncodedPayload("lefiJsonSvar", json.dumps(value).encode()), ONE)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def skv(svar: str) -> Data:
    return data(f'<k:r xmlns:k="urn:k"><svar>{svar}</svar></k:r>')


def section(outcomes: Mapping[str, Outcome], seconds: Mapping[str, float] | None = None) -> etree._Element:
    """The first section of a valid answer."""
    answer = SSBTEK1.write_answer(question(), outcomes, oversikt.of(outcomes, seconds or {}, BEGAN))
    assert SSBTEK1.invalid_sections(answer) == set()
    found = xmlgate.parse_agency(answer, None).find(f"{NS}svarsdata/*")
    assert found is not None
    return found


# The question


def test_fk_is_asked_what_the_elements_say_about_the_questions_person_and_period() -> None:
    asked = question(koder(formansinformation=("FK:FP", "FK:SJP"), beslut=("PM:AP",), ovrigInformation=("FK:SGI",)))
    assert asked.fk is not None
    assert (asked.fk.version, asked.fk.aktorsid) == (None, "TEST-01")
    assert asked.fk.content == {
        "personnummer": PERSON,
        "period": {"from": "2026-01-01", "tom": "2026-01-31"},
        "formansinformation": ["FK:FP", "FK:SJP"],
        "beslut": ["PM:AP"],
        "ovrigInformation": ["FK:SGI"],
    }
    assert json.loads(asked.fk.lefi_json) == asked.fk.content
    assert PERSON not in repr(asked)


def test_fk_has_a_period_of_its_own_inside_its_question() -> None:
    own = (
        "<ssbt:tidsperiod><ssbt:fromDatum>2025-06-01</ssbt:fromDatum><ssbt:tomDatum>2025-06-30</ssbt:tomDatum>"
        f"</ssbt:tidsperiod>{KOD}"
    )
    asked = question((KOD, own))
    assert asked.fk is not None
    assert asked.fk.content["period"] == {"from": "2025-06-01", "tom": "2025-06-30"}
    assert "tidsperiod" not in asked.fk.content
    assert asked.perioder["FK"] == Period(date(2025, 6, 1), date(2025, 6, 30))
    assert asked.perioder["AF"] == GENERAL
    with pytest.raises(GatewayFault, match="OGILTIG_FRAGA") as caught:
        question((KOD, own.replace("2025-06-01", "2025-07-01")))
    assert "tidsperiod" in (caught.value.detalj or "")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("formansinformation", "förmånsgrupper hos Försäkringskassan, till exempel FK:FP"),
        ("ansprak", "förmånsgrupper hos Pensionsmyndigheten, till exempel PM:AP"),
        ("beslut", "förmånsgrupper hos Pensionsmyndigheten, till exempel PM:AP"),
        ("preliminaraUtbetalningar", "förmånsgrupper, till exempel FK:FP eller PM:AP"),
        ("utbetalningar", "förmånsgrupper, till exempel FK:FP eller PM:AP"),
        ("ovrigInformation", "övrig information, till exempel FK:SGI"),
    ],
)
def test_an_unknown_code_is_told_by_field_and_rule_and_not_repeated(name: str, says: str) -> None:
    with pytest.raises(GatewayFault) as caught:
        question(koder(**{name: ("FK:HEMLIG",)}))
    assert caught.value.fel.felkod == "OGILTIG_FRAGA"
    assert caught.value.detalj == f"{name}: ska vara en av LEFI:s koder för {says}."


@pytest.mark.parametrize("element", ["lefiJsonFraga", "personnummer", "version"])
def test_the_person_and_the_json_of_the_published_contract_have_no_place(element: str) -> None:
    with pytest.raises(GatewayFault) as caught:
        question((KOD, f"<ssbt:{element}>{PERSON}</ssbt:{element}>{KOD}"))
    assert caught.value.fel.felkod == "OGILTIG_FRAGA"
    assert PERSON not in (caught.value.detalj or "")


def test_without_a_block_skatteverket_is_asked_for_its_document_and_with_one_for_parts() -> None:
    assert (question().skv_dokument, question().skv) == (True, None)
    parts = "".join(
        f"<ssbt:{part}>{part == 'skattekonto'}</ssbt:{part}>".lower()
        for part in ("foretagsinformation", "individuppgifter", "skattekonto", "skatteuppgifter", "beskattningsbilagor")
    )
    block = f'<ssbt:SKV inkludera="true"><ssbt:fraga><ssbt:ar>2025</ssbt:ar>{parts}</ssbt:fraga></ssbt:SKV>'
    asked = question(('<ssbt:SKV inkludera="true"/>', block))
    assert (asked.skv_dokument, asked.skv) == (False, SkvFraga((2025,), ("skattekonto",)))


def test_the_question_comes_back_with_its_elements() -> None:
    asked = question(leaf("fraganSkallInkluderasISvaret", "false", "true"))
    answer = SSBTEK1.write_answer(asked, {"AF": TIMEOUT}, oversikt.of({"AF": TIMEOUT}, {}, BEGAN))
    assert SSBTEK1.invalid_sections(answer) == set()
    fraga = xmlgate.parse_agency(answer, None).find(f"{NS}fraga")
    assert fraga is not None
    assert fraga.findtext(f".//{NS}formansinformation") == "FK:FP"


# The answer


def test_each_section_begins_with_who_answered_when_how_fast_and_what_it_means() -> None:
    outcome = Data(
        XmlPayload(data(so_answer()).payload.content),  # type: ignore[union-attr]
        (
            Bedomning('Ett <&> "a-kassa"', Verdict.SVARAT),
            Bedomning("Tysta kassan", Verdict.KAN_EJ_AVGORAS, "StatusSvarandeOrganisation"),
        ),
    )
    so = section({"SO": outcome}, {"SO": 0.1234})
    assert [etree.QName(child).localname for child in so] == ["oversikt", "data"]
    told = so[0]
    assert told.findtext(f"{NS}agare") == "Sveriges a-kassor"
    assert told.findtext(f"{NS}support") == "den a-kassa det gäller, www.sverigesakassor.se"
    assert told.findtext(f"{NS}tidpunkt") == "2026-02-16T08:30:00.123+00:00"
    assert told.findtext(f"{NS}millisekunder") == "123"
    said = [[child.text for child in one] for one in told.iter(f"{NS}svarande")]
    assert said == [
        ['Ett <&> "a-kassa"', "SVARAT"],
        ["Tysta kassan", "KAN_EJ_AVGORAS", "StatusSvarandeOrganisation"],
    ]


@pytest.mark.parametrize("kod", SSBTEK1.sections)
def test_a_section_with_an_error_has_its_overview_too(kod: str) -> None:
    found = section({kod: TIMEOUT})
    assert [etree.QName(child).localname for child in found] == ["oversikt", "error"]
    assert found.findtext(f"{NS}oversikt/{NS}svarande/{NS}bedomning") == "KAN_EJ_AVGORAS"
    assert found.findtext(f"{NS}oversikt/{NS}svarande/{NS}skal") == "SSBT TIMEOUT"
    assert found.findtext(f"{NS}error/{NS}felkod") == "TIMEOUT"


@pytest.mark.parametrize("form", ["{}", "<!-- c -->{}<!-- d -->", '<?xml version="1.0"?>\n{}'])
def test_csns_document_stands_as_its_own_elements(form: str) -> None:
    sent = csn_answer().replace("<ResultatText>OK", "<ResultatText>OK<!-- c -->&#13;å")
    found = section({"CSN": csn(form.format(sent))})[1]
    assert [child.tag for child in found] == ["{http://schema.csn.se/v4.0/kommunfraga}CSNSvar"]
    assert canonical(found[0]) == canonical(xmlgate.parse_agency(sent.encode(), None))


ANSWERED: dict[str, Any] = {
    "utlamnare": [{"utlamnare": {"kod": "FK", "namn": "Försäkringskassan"}, "tillstand": {"kod": "OK"}}],
    "avvikelser": [],
    "formansinformation": {"generellPersoninformation": [{"namn": "Tolvan <&>", "skyddad": True}]},
    "utbetalningar": [],
    "nytt": {"belopp": 12.5, "tom": None, "text": "å\u0000"},
}


def test_lefis_json_stands_as_elements_and_nothing_of_it_is_lost() -> None:
    found = section({"FK": fk(ANSWERED)})[1]
    lefi = f"{{{LEFI.namespace}}}"
    path = f"{lefi}formansinformation/{lefi}generellPersoninformation/{lefi}skyddad"
    assert found.findtext(path) == "true"
    assert json.loads(json.dumps(LEFI.read(found, "LefiExternFormansinformationSvar"), default=float)) == ANSWERED


@pytest.mark.parametrize("quoting", ["<![CDATA[{}]]>", "<![CDATA[{}]]><!-- c -->"])
def test_skatteverkets_document_stands_as_its_own_elements(quoting: str) -> None:
    sent = document(inside="<Kapitaluppgift><!-- c --><x:y xmlns:x='urn:x'>&lt;1</x:y></Kapitaluppgift>")
    found = section({"SKV": skv(quoting.format(sent))})[1]
    (dokument,) = found
    assert dokument.tag == f"{NS}dokument"
    (inner,) = dokument
    assert canonical(inner) == canonical(xmlgate.parse_agency_text(sent))


def test_each_part_of_skatteverket_has_its_elements_or_its_own_error() -> None:
    parts: dict[str, bytes | Failure] = {
        "foretagsinformation": failure("TIMEOUT", reason="x"),
        "individuppgifter": b'[{"ny": 1}]',
        "skattekonto": b'{"kontohavare": "x", "saldo": 10.50, "nytt": null}',
        "skatteuppgifter": b'{"identitet": "x", "beslutadeSkatteuppgifter": []}',
        "beskattningsbilagor": b'"text"',
    }
    found = section({"SKV": Data(PartsPayload(parts), ONE)})[1]
    assert [etree.QName(part).localname for part in found] == list(parts)
    assert [etree.QName(part[0]).localname for part in found] == ["error", "data", "data", "data", "data"]
    said = [["".join(map(str, value.itertext())) for value in part[0]] for part in found]
    assert said[1:] == [["1"], ["x", "10.50", ""], ["x"], ["text"]]
    skatteuppgifter = found.find(f"{NS}skatteuppgifter/{NS}data")
    assert skatteuppgifter is not None
    assert skatteuppgifter.get("tomma") == "beslutadeSkatteuppgifter"


# On the way


async def ask(services: Mapping[str, Outcome], *, wanted: bool = False) -> etree._Element:
    way = flow(
        {kod: FakeService(outcome) for kod, outcome in services.items()},
        FakeAudit(),
        [organisation(svarsoversikt=wanted)],
    )
    return xmlgate.parse_agency(await SoapEndpoint(SSBTEK1, way).answer(operation(typed()), CALLER, "incident-1"), None)


@pytest.mark.anyio
async def test_the_overview_stands_in_the_body_and_not_in_a_header() -> None:
    answer = await ask({"SO": data(so_answer())}, wanted=True)
    assert [etree.QName(part).localname for part in answer] == ["Body"]
    sections = answer.findall(f".//{NS}svarsdata/*")
    assert [etree.QName(one).localname for one in sections] == list(SSBTEK1.sections)
    assert {etree.QName(one[0]).localname for one in sections} == {"oversikt"}


@pytest.mark.anyio
async def test_a_section_that_breaks_the_contract_becomes_an_error_whose_overview_says_so() -> None:
    answer = await ask({"AF": data(af_answer().replace("<From>2026", "<From>år 2026")), "SO": data(so_answer())})
    af, so = (answer.find(f".//{NS}svarsdata/{NS}{kod}") for kod in ("AF", "SO"))
    assert af is not None
    assert so is not None
    assert (af[1].findtext(f"{NS}felkod"), so[1].tag) == ("OGILTIGT_SVAR", f"{NS}data")
    assert af[0].findtext(f"{NS}svarande/{NS}skal") == "SSBT OGILTIGT_SVAR"


BEYOND = {
    "json deeper than an answer": ("FK", fk({"nytt": nested(255)})),
    "json deeper than we can follow": ("FK", fk({"nytt": nested(900)})),
    "a number that nothing can hold": (
        "FK",
        Data(EncodedPayload("lefiJsonSvar", b'{"nytt": 1e99999999999999999999}'), ONE),
    ),
    "a part deeper than an answer": ("SKV", Data(PartsPayload({"skattekonto": b"[" * 255 + b"]" * 255}), ONE)),
    "a document deeper than an answer": ("SKV", skv("<![CDATA[" + "<x>" * 252 + "</x>" * 252 + "]]>")),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", BEYOND)
async def test_what_cannot_stand_in_an_answer_costs_its_own_section_alone(name: str) -> None:
    kod, outcome = BEYOND[name]
    answer = await ask({kod: outcome, "SO": data(so_answer())})
    sections = {etree.QName(one).localname: one for one in answer.iterfind(f".//{NS}svarsdata/*")}
    assert sections[kod].findtext(f"{NS}error/{NS}felkod") == "OGILTIGT_SVAR"
    assert sections["SO"].find(f"{NS}data") is not None
    assert len(sections) == 7


@pytest.mark.anyio
@pytest.mark.parametrize(("sent", "here"), [("10", "1"), ("11", "1"), ("1", "10"), ("1", "11")])
async def test_a_question_of_the_other_family_is_told_where_it_belongs(sent: str, here: str) -> None:
    message = make.in_version(make.TEMPLATE.encode(), CONTRACTS[sent])
    with pytest.raises(GatewayFault) as caught:
        await SoapEndpoint(CONTRACTS[here], flow()).answer(operation(message), CALLER, "incident-1")
    assert caught.value.fel.felkod == "OKAND_VERSION"
    assert caught.value.detalj == (
        f"Den här adressen tar emot version {here} av kontraktet ({CONTRACTS[here].namespace}). "
        f"Frågans version tas emot på {CONTRACTS[sent].path}."
    )


def test_a_fault_and_a_test_answer_are_written_with_its_prefix() -> None:
    endpoint = SoapEndpoint(SSBTEK1, flow())
    fault = endpoint.fault(GatewayFault("OGILTIG_FRAGA", "x", reason="y"), "incident-1")
    assert b"<ssbtek:hamtaBastjanstInformationFault" in fault
    answer = SSBTEK1.write_test_answer({"SO": (True, None), "AF": (False, TIMEOUT)})
    assert answer.startswith(b"<ssbtek:testaBastjanstInformationResponse xmlns:ssbtek=")
    assert SSBTEK1.invalid_sections(answer) == set()


def test_nothing_of_the_question_stands_in_an_overview() -> None:
    told = etree.tostring(section({"SKV": TIMEOUT})[0], encoding="unicode")
    assert not [value for value in CONFIDENTIAL if value in told]
    assert replace(question()).person.reveal() not in told
