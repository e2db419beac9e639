"""CSN: the request from a question, the limits of Kommunfråga 4.0, and the answer as a document of its own."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import date

import pytest
from unit.builders import CONTRACT, OTHER_PERSON, PERSON, SAMBRUK, csn_answer, operation, question
from unit.services.harness import Harness, enveloped, harness, leaves

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.model import Data, EncodedPayload, Failure, Outcome, Period, PersonId, Question

pytestmark = pytest.mark.anyio
TODAY = date(2026, 2, 16)


@pytest.fixture
def csn(monkeypatch: pytest.MonkeyPatch) -> Harness:
    built = harness("CSN", monkeypatch)
    built.answers(enveloped(csn_answer()))
    return built


def over(first: date, last: date) -> Question:
    asked = question()
    return replace(asked, perioder={**asked.perioder, "CSN": Period(first, last)})


def limited(outcome: Outcome, csn: Harness) -> str:
    """The section error's own text, where nothing was sent."""
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("SSBT", "OGILTIG_FRAGA")
    assert csn.transport.posted == []
    return outcome.felmeddelande[1]


def test_each_field_of_the_question_is_passed_on(csn: Harness) -> None:
    element = csn.asked(question())
    assert dict(element.attrib) == {"SchemaVersion": "4.0"}
    assert leaves(element) == [
        ("Kommun", "202100-4748"),
        ("AppNamn", "SSBTEK"),
        ("AppVersion", "10"),
        ("HandlaggareId", "asa01"),
        ("ArendeId", "Ärende-17"),
        ("HushallsId", "Ärende-17"),
        ("FromDatum", "20260101"),
        ("TomDatum", "20260131"),
        ("HushallsMedlemsIdSekel", "19"),
        ("HushallsMedlemsId", PERSON[2:]),
    ]
    assert {str(node.tag).partition("}")[0] for node in element} == {f"{{{SAMBRUK}"}


@pytest.mark.parametrize("field", ["arendeidentitet", "handlaggare"])
async def test_31_characters_are_the_most(csn: Harness, field: str) -> None:
    text = limited(await csn.service.ask(question(**{field: "å" * 32})), csn)
    assert text == f"{field}: får vara högst 31 tecken i en fråga till CSN."
    assert isinstance(await csn.service.ask(question(**{field: "å" * 31})), Data)
    csn.asked(question(**{field: "å" * 31}))


async def test_a_samordningsnummer_is_not_asked_about(csn: Harness) -> None:
    text = limited(await csn.service.ask(question(person=PersonId("191212721219"))), csn)
    assert text == "personidentitet: CSN kan inte svara om ett samordningsnummer."
    assert "191212" not in text


@pytest.mark.parametrize(
    ("today", "earliest", "latest"),
    [
        (date(2026, 2, 16), date(2025, 12, 16), date(2026, 3, 16)),
        (date(2026, 3, 31), date(2026, 1, 31), date(2026, 4, 30)),
        (date(2026, 4, 30), date(2026, 2, 28), date(2026, 5, 30)),
        (date(2024, 4, 30), date(2024, 2, 29), date(2024, 5, 30)),
        (date(2026, 1, 31), date(2025, 11, 30), date(2026, 2, 28)),
        (date(2028, 1, 30), date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 12, 31), date(2026, 10, 31), date(2027, 1, 31)),
        (date(2026, 1, 1), date(2025, 11, 1), date(2026, 2, 1)),
        (date(2100, 4, 29), date(2100, 2, 28), date(2100, 5, 29)),
    ],
)
async def test_the_period_reaches_two_months_back_and_one_ahead(
    csn: Harness, today: date, earliest: date, latest: date
) -> None:
    csn.clock.today = today
    for first, last in (
        (date.fromordinal(earliest.toordinal() - 1), latest),
        (earliest, date.fromordinal(latest.toordinal() + 1)),
    ):
        text = limited(await csn.service.ask(over(first, last)), csn)
        assert text.startswith(f"tidsperiod: CSN svarar för perioder från {earliest} till {latest}.")
    assert isinstance(await csn.service.ask(over(earliest, latest)), Data)
    csn.asked(over(earliest, latest))


async def test_only_csns_own_period_counts(csn: Harness) -> None:
    asked = over(TODAY, TODAY)
    far = Period(date(2001, 1, 1), date(2002, 1, 1))
    assert isinstance(await csn.service.ask(replace(asked, perioder={**asked.perioder, "AF": far})), Data)


async def test_the_answer_is_handed_on_as_a_document_of_its_own(csn: Harness) -> None:
    declared_outside = csn_answer().replace(' xmlns:p="http://schema.csn.se/v4.0/person"', "")
    csn.answers(enveloped(declared_outside, declarations='xmlns:p="http://schema.csn.se/v4.0/person"'))
    outcome = await csn.service.ask(question())
    assert isinstance(outcome, Data)
    assert isinstance(outcome.payload, EncodedPayload)
    assert outcome.payload.name == "svar"
    document = xmlgate.parse_agency(outcome.payload.content, None)
    assert xmlgate.schema(resources.xsd("services/csn/kommunfraga.xsd")).validate(document)
    answer = CONTRACT.write_answer(question(), {"CSN": outcome})
    assert CONTRACT.invalid_sections(answer) == set()
    assert b64decode(xmlgate.parse_agency(answer, None).findtext(".//{*}svar", "")) == outcome.payload.content


@pytest.mark.parametrize("sekel", [True, False])
async def test_an_answer_about_the_person_asked_about(csn: Harness, *, sekel: bool) -> None:
    csn.answers(enveloped(csn_answer(PERSON, sekel=sekel)))
    assert isinstance(await csn.service.ask(question()), Data)


@pytest.mark.parametrize(
    "answer",
    [
        csn_answer(OTHER_PERSON),
        csn_answer(OTHER_PERSON, sekel=False),
        csn_answer(f"20{PERSON[2:]}"),
        csn_answer(PERSON, sekel=False, asked=f"20{PERSON[2:]}"),
        csn_answer(None, asked=OTHER_PERSON),
    ],
    ids=["other number", "without century", "other century", "other century in the echo", "nobody, but another asked"],
)
async def test_an_answer_about_somebody_else_is_not_handed_on(csn: Harness, answer: str) -> None:
    csn.answers(enveloped(answer))
    outcome = await csn.service.ask(question())
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("SSBT", "FEL_PERSON")


async def test_an_answer_about_nobody_is_handed_on(csn: Harness) -> None:
    csn.answers(enveloped(csn_answer(None)))
    assert isinstance(await csn.service.ask(question()), Data)


def test_a_question_to_csn_is_soap(csn: Harness) -> None:
    assert operation(csn.written(question())).tag == "{http://schema.csn.se/v4.0/kommunfraga}SBNUppgEkBistandBegar"


async def test_a_result_code_that_is_a_text_is_not_repeated(csn: Harness) -> None:
    csn.answers(enveloped(csn_answer().replace("<ResultatKod>0<", f"<ResultatKod>{PERSON}<")))
    outcome = await csn.service.ask(question())
    assert isinstance(outcome, Data)
    assert [judged.skal for judged in outcome.bedomningar] == ["ResultatKod okänd"]
