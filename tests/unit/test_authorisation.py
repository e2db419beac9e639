"""Who may ask what: nothing that the register does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from unit.builders import BITRADE, CALLER, CONTRACT, GRANNKOMMUN, KOMMUN, organisation, question
from vectors import make

from ssbtek_gateway.authorisation import Grant, Register
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.model import Caller

if TYPE_CHECKING:
    from ssbtek_gateway.model import Question

SUPPLIER = Caller(BITRADE, "cd" * 32)
WITHOUT_BITRADE = make.VALID["without-what-is-optional"]


def refusal(register: Register, caller: Caller, asked: Question) -> GatewayFault:
    with pytest.raises(GatewayFault) as caught:
        register.authorise(caller, asked)
    return caught.value


def test_a_municipality_asks_for_itself() -> None:
    register = Register([organisation(bastjanster=["AF", "SO"])])
    grant = register.authorise(CALLER, question())
    assert grant.bitrade is None
    assert set(grant.refused) == set(CONTRACT.sections) - {"AF", "SO"}


def test_a_supplier_that_is_declared_and_registered_asks_for_a_municipality() -> None:
    assert Register([organisation()]).authorise(SUPPLIER, question()) == Grant({}, BITRADE)


def test_naming_a_supplier_gives_that_supplier_nothing() -> None:
    register = Register([organisation(bitraden=[])])
    assert register.authorise(CALLER, question()).bitrade is None
    assert refusal(register, SUPPLIER, question()).fel.felkod == "EJ_BEHORIG"


def test_a_suppliers_registration_is_for_one_municipality() -> None:
    neighbour = organisation(organisationsnummer=GRANNKOMMUN, bitraden=[])
    message = make.TEMPLATE.replace(KOMMUN, GRANNKOMMUN)
    refusal(Register([organisation(), neighbour]), SUPPLIER, question(message))


@pytest.mark.parametrize(
    ("changes", "caller", "message", "reason"),
    [
        ({"organisationsnummer": GRANNKOMMUN}, CALLER, make.TEMPLATE, "not in the register"),
        ({"bitraden": []}, SUPPLIER, make.TEMPLATE, "not registered as a supplier"),
        ({}, Caller(GRANNKOMMUN, ""), make.TEMPLATE, "not registered as a supplier"),
        ({}, SUPPLIER, WITHOUT_BITRADE, "not declared"),
        ({"versioner": ["11"]}, CALLER, make.TEMPLATE, "contract version"),
        ({"versioner": []}, CALLER, make.TEMPLATE, "contract version"),
        ({"syften": []}, CALLER, make.TEMPLATE, "syfte"),
        ({"syften": ["handläggning av ekonomiskt bistånd"]}, CALLER, make.TEMPLATE, "syfte"),
    ],
)
def test_what_the_register_does_not_say_is_refused(
    changes: dict[str, Any], caller: Caller, message: str | bytes, reason: str
) -> None:
    fault = refusal(Register([organisation(**changes)]), caller, question(message))
    assert fault.fel.felkod == "EJ_BEHORIG"
    assert reason in fault.reason
    assert fault.detalj == ""


def test_every_refusal_reads_the_same_to_the_caller() -> None:
    unknown = refusal(Register([]), CALLER, question())
    wrong_purpose = refusal(Register([organisation(syften=[])]), CALLER, question())
    assert unknown.reason != wrong_purpose.reason
    assert unknown.felmeddelande("x") == wrong_purpose.felmeddelande("x")


def test_nothing_is_granted_that_is_not_listed() -> None:
    refused = Register([organisation(bastjanster=[])]).authorise(CALLER, question()).refused
    assert list(refused) == list(CONTRACT.sections)
    assert {outcome.felkod for outcome in refused.values()} == {"EJ_BEHORIG"}


def test_what_is_not_asked_for_is_not_refused() -> None:
    register = Register([organisation(bastjanster=["AF"])])
    assert register.authorise(CALLER, question(make.only("AF"))).refused == {}


@pytest.mark.parametrize("aktorsid", [[], ["TEST-02"], ["test-01"], ["TEST-01/../TEST-02"]])
def test_fk_is_asked_for_a_registered_actor_only(aktorsid: list[str]) -> None:
    refused = Register([organisation(aktorsid=aktorsid)]).authorise(CALLER, question()).refused
    assert list(refused) == ["FK"]
    assert refused["FK"].felmeddelande[1] == "aktorsid: är inte registrerat för ingivaren."
    assert "TEST-01" not in str(refused)


def test_a_listed_purpose_is_enough() -> None:
    register = Register([organisation(syften=["annat", "Handläggning av ekonomiskt bistånd"])])
    assert register.authorise(CALLER, question()).bitrade is None
