"""Arbetsförmedlingen: the request from a question, and its limit."""

from __future__ import annotations

import pytest
from unit.builders import BITRADE, GRANNKOMMUN, KOMMUN, PERSON, question
from unit.services.harness import Harness, enveloped, harness, leaves
from vectors import make

from ssbtek_gateway.model import Failure, Party, PersonId

pytestmark = pytest.mark.anyio


@pytest.fixture
def af(monkeypatch: pytest.MonkeyPatch) -> Harness:
    return harness("AF", monkeypatch)


def test_each_field_of_the_question_is_passed_on(af: Harness) -> None:
    assert leaves(af.asked(question())) == [
        ("OrganisationsnummerForIngivare", KOMMUN),
        ("NamnPaIngivare", "Testkommunen"),
        ("KontonamnForHandlaggare", "asa01"),
        ("Referensnummer", "Ärende-17"),
        ("From", "2026-01-01"),
        ("Tom", "2026-01-31"),
        ("SyfteMedFraga", "Handläggning av ekonomiskt bistånd"),
        ("LagParagraf", "11 kap. 11 § SoL"),
        ("OrganisationsnummerForPersonuppgiftsbitrade", BITRADE),
        ("NamnPaPersonuppgiftsbitrade", "Testbolaget"),
        ("IdentitetsbeteckningFysiskPerson", PERSON),
    ]


def test_without_a_bitrade_nothing_is_said_of_one(af: Harness) -> None:
    names = [name for name, _ in leaves(af.asked(question(bitraden=())))]
    assert not [name for name in names if "bitrade" in name]


def test_the_own_period_is_asked_for(af: Harness) -> None:
    message = make.only("AF").replace(
        '<ssbt:AF inkludera="true"/>',
        '<ssbt:AF inkludera="true"><ssbt:tidsperiod><ssbt:fromDatum>2024-02-29</ssbt:fromDatum>'
        "<ssbt:tomDatum>2024-03-01Z</ssbt:tomDatum></ssbt:tidsperiod></ssbt:AF>",
    )
    asked = dict(leaves(af.asked(question(message))))
    assert (asked["From"], asked["Tom"]) == ("2024-02-29", "2024-03-01")


async def test_two_bitraden_are_a_section_error_before_anything_is_sent(af: Harness) -> None:
    two = (Party(BITRADE, "a"), Party(GRANNKOMMUN, "b"))
    outcome = await af.service.ask(question(bitraden=two))
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("SSBT", "OGILTIG_FRAGA")
    assert outcome.felmeddelande[1] == "personuppgiftsbitrade: Arbetsförmedlingen tar emot högst ett."
    assert af.transport.posted == []


async def test_a_samordningsnummer_is_asked_about(af: Harness) -> None:
    af.answers(enveloped("<x/>"))
    await af.service.ask(question(person=PersonId("191212721219")))
    assert b"191212721219" in af.transport.posted[0][0]
