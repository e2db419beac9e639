"""How many questions an organisation may ask in a second and in a day, where its entry in the register says so.

Counted in Redis where one is configured, by all processes and nodes together; in this process where there is none, and
while it does not answer (docs/decisions/0010).
"""

from __future__ import annotations

import asyncio
from math import ceil
from time import time
from typing import TYPE_CHECKING

import structlog
from limits import RateLimitItemPerDay, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.resilience import Breaker, Clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from limits import RateLimitItem
    from redis.asyncio import BlockingConnectionPool

    from ssbtek_gateway.config import Organisation

_LOG = structlog.get_logger()
# How long a question waits for Redis, and how long Redis is then left alone before one question tries again.
REDIS_SECONDS = 0.3
LEFT_ALONE_SECONDS = 5


class Rates:
    """A window begins with the first question in it, so there is no hour when all begin.

    `redis` is a pool of connections (redis_pool.py); who made it closes it.
    """

    def __init__(
        self,
        organisations: Iterable[Organisation],
        redis: BlockingConnectionPool | None = None,
        clock: Clock = Clock(),
    ) -> None:
        self._limits = {organisation.organisationsnummer: _items(organisation) for organisation in organisations}
        self._here = FixedWindowRateLimiter(MemoryStorage())
        self._shared = None if redis is None else FixedWindowRateLimiter(_storage(redis))
        self._breaker = Breaker(1, LEFT_ALONE_SECONDS, clock.elapsed)
        self._away = False

    @property
    def warning(self) -> str:
        """What an operator must know of the last count, in English; empty where all is well."""
        return "Redis does not answer: each worker counts rates for itself" if self._away else ""

    async def count(self, organisationsnummer: str) -> None:
        """Count a question. Raises `GatewayFault` FOR_MANGA where it is one too many."""
        # The second before the day: one that comes too fast takes nothing of the day's allowance.
        for item, text in self._limits.get(organisationsnummer, ()):
            wait = await self._shared_wait(item, organisationsnummer)
            if wait is None:
                wait = await _wait(self._here, item, organisationsnummer)
            if wait:
                raise GatewayFault("FOR_MANGA", text, reason="above the organisation's rate", retry_after=wait)

    async def _shared_wait(self, item: RateLimitItem, organisationsnummer: str) -> int | None:
        """As `_wait`; None where it could not be counted in Redis."""
        if self._shared is None or (turn := self._breaker.admit()) is None:
            return None
        trial, answered = self._away, None
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                wait = await _wait(self._shared, item, organisationsnummer)
            answered = True
        except Exception as error:  # noqa: BLE001 - whatever it was, it must not cost anybody an answer
            answered = False
            # One line when Redis goes and one when it is back, however many questions meet it.
            if not self._away:
                _LOG.error("rates not shared", error=type(error).__name__)
            self._away = True
            return None
        else:
            if trial:
                _LOG.info("rates shared again")
                self._away = False
            return wait
        finally:
            self._breaker.settle(turn, answered=answered)


async def _wait(windows: FixedWindowRateLimiter, item: RateLimitItem, organisationsnummer: str) -> int:
    """Count a question; 0 where it is within the rate, else the seconds until the next may be."""
    if await windows.hit(item, organisationsnummer):
        return 0
    stats = await windows.get_window_stats(item, organisationsnummer)
    return max(1, ceil(stats.reset_time - time()))


def _storage(redis: BlockingConnectionPool) -> RedisStorage:
    options = {"connection_pool": redis}  # with it the address is not used
    return RedisStorage("async+redis://", implementation="redispy", key_prefix="ssbtek-gateway", **options)  # type: ignore[arg-type] # declared too narrow


def _items(organisation: Organisation) -> list[tuple[RateLimitItem, str]]:
    found: list[tuple[RateLimitItem, str]] = []
    if organisation.per_sekund is not None:
        text = f"Organisationen får ställa högst {organisation.per_sekund} frågor i sekunden."
        found.append((RateLimitItemPerSecond(organisation.per_sekund), text))
    if organisation.per_dygn is not None:
        text = f"Organisationen får ställa högst {organisation.per_dygn} frågor på 24 timmar."
        found.append((RateLimitItemPerDay(organisation.per_dygn), text))
    return found
