"""Which numbers can be somebody's, from the day before the first to the day after the last."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ssbtek_gateway.contracts import personidentitet
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.model import PersonId
from ssbtek_gateway.services.service import today

TODAY = today()


def born(days: int, *, samordningsnummer: bool = False) -> str:
    day = TODAY + timedelta(days)
    return f"{day:%Y%m}{day.day + 60 * samordningsnummer:02}0000"


def refused(digits: str, *, demand_check_digit: bool = False) -> str:
    try:
        personidentitet.check(PersonId(digits), demand_check_digit=demand_check_digit)
    except GatewayFault as fault:
        return fault.reason
    return ""


@pytest.mark.parametrize(
    "digits",
    [
        "191212121212",
        "200002290000",
        "190001010000",
        born(0),
        "197010632391",
        "197010600000",
        "197000910000",
        "197002910000",
    ],
)
def test_a_number_with_a_day_that_has_been(digits: str) -> None:
    assert refused(digits) == ""


@pytest.mark.parametrize(
    "digits",
    [
        *("190002290000", "197013010000", "197000010000", "197001000000", "197001320000", "000001010000"),
        *("197001590000", "197001920000", "197013610000", "165560000167", "999999999999", "000000000000"),
        *(born(1), born(400), born(400, samordningsnummer=True)),
    ],
)
def test_a_number_without_one(digits: str) -> None:
    assert refused(digits) == "no such day of birth"


@pytest.mark.parametrize(
    ("digits", "reason"),
    [
        ("191212121212", ""),
        ("197010632391", ""),
        ("191212121213", "wrong check digit"),
        ("199001011234", "wrong check digit"),
    ],
)
def test_the_check_digit_counts_where_it_is_demanded(digits: str, reason: str) -> None:
    assert refused(digits) == ""
    assert refused(digits, demand_check_digit=True) == reason
