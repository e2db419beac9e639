"""What every base service is to the rest of the gateway, whatever it speaks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import date

    from ssbtek_gateway.model import Failure, Outcome, Question

_SWEDEN = ZoneInfo("Europe/Stockholm")


class BaseService(Protocol):
    """One base service, connected."""

    async def ask(self, question: Question) -> Outcome:
        """Ask about the question's person in this service's period. Never raises for what the agency does."""

    async def ping(self) -> Failure | None:
        """None where a connection, TLS included, comes about; no question is asked."""

    async def close(self) -> None:
        """Give back the connections."""


def today() -> date:
    """The calendar day in Sweden, which the agencies' own rules about periods mean."""
    return datetime.now(_SWEDEN).date()
