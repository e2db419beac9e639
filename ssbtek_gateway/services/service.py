"""What every base service is to the rest of the gateway, whatever it speaks."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from ssbtek_gateway.config.calendar import SWEDEN
from ssbtek_gateway.model import Bedomning, Verdict

if TYPE_CHECKING:
    from datetime import date

    from ssbtek_gateway.model import Failure, Outcome, PersonId, Question

_CODE = re.compile(r"-?[0-9]{1,5}", re.ASCII)
_SEPARATORS = re.compile(r"[\s+-]+")


class BaseService(Protocol):
    """One base service, connected."""

    def refusal(self, question: Question) -> Failure | None:
        """What keeps this service from being asked `question` now, if anything. Nothing is sent."""

    async def ask(self, question: Question) -> Outcome:
        """Unless `refusal` keeps it from that, ask about the question's person in this service's period.

        Never raises for what the agency does.
        """

    async def test(self) -> tuple[bool, Failure | None]:
        """Whether a test of the service's own was called, and what went wrong.

        A service without such a test is not called: only whether a connection, TLS included, comes about is told.
        """

    async def close(self) -> None:
        """Give back the connections."""


def today() -> date:
    """The calendar day in Sweden, which the agencies' own rules about periods mean."""
    return datetime.now(SWEDEN).date()


@lru_cache(maxsize=256)
def judged(organisation: str, *, found: bool) -> Bedomning:
    """The verdict on an organisation that handled the question normally."""
    return Bedomning(organisation, Verdict.SVARAT if found else Verdict.INGET_FUNNET)


def undecided(organisation: str, skal: str) -> Bedomning:
    """The verdict on an organisation that said it could not answer, or whose answer cannot be told from silence."""
    return Bedomning(organisation, Verdict.KAN_EJ_AVGORAS, skal)


def plain_code(text: str) -> str:
    """An agency's numeric code, where it is short enough to be one: it is logged, and a text may hold anything."""
    return text if _CODE.fullmatch(text) else "okänd"


def same_person(text: str, person: PersonId) -> bool:
    """Whether an agency's spelling of a number (ten or twelve digits, with or without separator) is `person`'s."""
    digits = _SEPARATORS.sub("", text)
    return len(digits) in {10, 12} and person.reveal().endswith(digits)
