"""What the calendar closes: the whole gateway for announced maintenance, and a contract version after its last day."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import TYPE_CHECKING

import structlog

from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.resilience import Clock, maintenance, maintenance_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.config import Settings
    from ssbtek_gateway.config.calendar import Underhall

_LOG = structlog.get_logger()
_DAYS_AHEAD = 90
_DAY_SECONDS = 24 * 60 * 60
# Whoever obeys Retry-After comes back at most this long after a maintenance that ended earlier than announced.
_LONGEST_WAIT_SECONDS = 60 * 60


@dataclass(frozen=True, slots=True)
class Closing:
    """`last_days` has every version that the gateway speaks, with its last day where one is set."""

    last_days: Mapping[str, date | None]
    underhall: tuple[Underhall, ...] = ()
    clock: Clock = Clock()

    def refuse(self, version: str) -> None:
        """Raises `GatewayFault` STANGD_VERSION or UNDERHALL where a question in `version` is not answered now."""
        now = self.clock.now()
        today = self.clock.today()
        last = self.last_days[version]
        if last is not None and last < today:
            detalj = self._moved(version, last, today)
            raise GatewayFault("STANGD_VERSION", detalj, reason="past the version's last day")
        until = maintenance(self.underhall, now)
        if until is not None:
            wait = min(ceil((until - now).total_seconds()), _LONGEST_WAIT_SECONDS)
            raise GatewayFault("UNDERHALL", maintenance_text(until), reason="maintenance", retry_after=wait)

    def _moved(self, version: str, last: date, today: date) -> str:
        """When it was closed, and which version stays open longest; of several the newest."""
        still = {other: day or date.max for other, day in self.last_days.items() if day is None or day >= today}
        longest = max(still, key=lambda other: (still[other], int(other)), default=None)
        told = f"Version {version} besvarades till och med {last}."
        return told if longest is None else f"{told} Version {longest} är öppen."


@dataclass(frozen=True, slots=True)
class Soon:
    """A version that closes within 90 days; `days` is 0 on its last day."""

    version: str
    last_day: date
    days: int

    def __str__(self) -> str:
        return f"version {self.version} closes after {self.last_day}, in {self.days} days"


def soon(settings: Settings, today: date) -> list[Soon]:
    """The versions to warn of on a day in Swedish time."""
    days = {number: version.stanger for number, version in settings.versioner.items() if version.stanger is not None}
    found = [Soon(number, last, (last - today).days) for number, last in sorted(days.items())]
    return [one for one in found if 0 <= one.days <= _DAYS_AHEAD]


async def remind(settings: Settings, clock: Clock = Clock(), every: float = _DAY_SECONDS) -> None:
    """Log those versions now and once a day, until cancelled."""
    while True:
        for one in soon(settings, clock.today()):
            _LOG.warning("version closes", version=one.version, last_day=one.last_day.isoformat(), days=one.days)
        await asyncio.sleep(every)
