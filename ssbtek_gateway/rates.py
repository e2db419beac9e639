"""How many questions an organisation may ask in a second and in a day, where its entry in the register says so."""

from __future__ import annotations

from math import ceil
from time import time
from typing import TYPE_CHECKING

from limits import RateLimitItemPerDay, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from ssbtek_gateway.faults import GatewayFault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from limits import RateLimitItem

    from ssbtek_gateway.config import Organisation


class Rates:
    """Counts in this process. A window begins with the first question in it, so there is no hour when all begin."""

    def __init__(self, organisations: Iterable[Organisation]) -> None:
        self._limits = {organisation.organisationsnummer: _items(organisation) for organisation in organisations}
        self._windows = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, organisationsnummer: str) -> None:
        """Count a question. Raises `GatewayFault` FOR_MANGA where it is one too many."""
        # The second before the day: one that comes too fast takes nothing of the day's allowance.
        for item, text in self._limits.get(organisationsnummer, ()):
            if not await self._windows.hit(item, organisationsnummer):
                stats = await self._windows.get_window_stats(item, organisationsnummer)
                wait = max(1, ceil(stats.reset_time - time()))
                raise GatewayFault("FOR_MANGA", text, reason="above the organisation's rate", retry_after=wait)


def _items(organisation: Organisation) -> list[tuple[RateLimitItem, str]]:
    found: list[tuple[RateLimitItem, str]] = []
    if organisation.per_sekund is not None:
        text = f"Organisationen får ställa högst {organisation.per_sekund} frågor i sekunden."
        found.append((RateLimitItemPerSecond(organisation.per_sekund), text))
    if organisation.per_dygn is not None:
        text = f"Organisationen får ställa högst {organisation.per_dygn} frågor på 24 timmar."
        found.append((RateLimitItemPerDay(organisation.per_dygn), text))
    return found
