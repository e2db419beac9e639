"""Sveriges a-kassor: the request from a question."""

from __future__ import annotations

import pytest
from unit.builders import BITRADE, GRANNKOMMUN, KOMMUN, PERSON, question
from unit.services.harness import Harness, harness, leaves

from ssbtek_gateway.model import Party, PersonId


@pytest.fixture
def so(monkeypatch: pytest.MonkeyPatch) -> Harness:
    return harness("SO", monkeypatch)


def test_each_field_of_the_question_is_passed_on(so: Harness) -> None:
    assert leaves(so.asked(question())) == [
        ("OrganisationsnummerIngivare", KOMMUN),
        ("NamnIngivare", "Testkommunen"),
        ("KontonamnHandlaggare", "asa01"),
        ("Referensnummer", "Ärende-17"),
        ("From", "2025-12-01"),
        ("Tom", "2026-01-15"),
        ("Syfte", "Handläggning av ekonomiskt bistånd"),
        ("Paragraf", "11 kap. 11 § SoL"),
        ("OrganisationsnummerPersonuppgiftsbitrade", BITRADE),
        ("NamnPersonuppgiftsbitrade", "Testbolaget"),
        ("IdentificationNumber", PERSON),
    ]


def test_bitraden_are_two_parallel_lists(so: Harness) -> None:
    two = (Party(BITRADE, "först"), Party(GRANNKOMMUN, "sedan"))
    assert [pair for pair in leaves(so.asked(question(bitraden=two))) if "bitrade" in pair[0]] == [
        ("OrganisationsnummerPersonuppgiftsbitrade", BITRADE),
        ("OrganisationsnummerPersonuppgiftsbitrade", GRANNKOMMUN),
        ("NamnPersonuppgiftsbitrade", "först"),
        ("NamnPersonuppgiftsbitrade", "sedan"),
    ]


def test_without_a_bitrade_both_lists_are_empty(so: Harness) -> None:
    assert not [name for name, _ in leaves(so.asked(question(bitraden=()))) if "bitrade" in name]


def test_a_samordningsnummer_is_asked_about(so: Harness) -> None:
    assert ("IdentificationNumber", "191212721219") in leaves(so.asked(question(person=PersonId("191212721219"))))
