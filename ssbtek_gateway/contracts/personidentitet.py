"""Whether a number can be somebody's, which the schema's twelve digits do not say (docs/decisions/0012).

A personnummer is a day of birth, three digits and a check digit. A samordningsnummer has 60 added to the day; month and
day may be 0 where they are not known, and Skatteverket's test numbers have days that their month does not (sources:
personnummer/csharp issue 119, ActiveLogin/ActiveLogin.Identity issue 126).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.model import has_check_digit
from ssbtek_gateway.services.service import today

if TYPE_CHECKING:
    from ssbtek_gateway.model import PersonId


def check(person: PersonId, *, demand_check_digit: bool) -> None:
    """Raises `GatewayFault` OGILTIG_FRAGA where the number cannot be anybody's."""
    digits = person.reveal()
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    born = _samordningsnummer_begins_well if person.is_samordningsnummer else _day_has_been
    if not born(year, month, day):
        detalj = "personidentitet: ska börja med ett födelsedatum (ÅÅÅÅMMDD) som finns och har varit."
        raise GatewayFault("OGILTIG_FRAGA", detalj, reason="no such day of birth")
    if demand_check_digit and not has_check_digit(digits[2:]):
        detalj = "personidentitet: kontrollsiffran (den sista siffran) stämmer inte."
        raise GatewayFault("OGILTIG_FRAGA", detalj, reason="wrong check digit")


def _day_has_been(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day) <= today()
    except ValueError:
        return False


def _samordningsnummer_begins_well(year: int, month: int, day: int) -> bool:
    return year <= today().year and month <= 12 and 60 <= day <= 91  # noqa: PLR2004 - a month, and a day with 60 added
