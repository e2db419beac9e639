"""What stands before one base service: announced maintenance, a circuit breaker, and how many questions at once.

All three answer in the section without anything being sent. Why the breaker is our own: docs/decisions/0007.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from ssbtek_gateway.config.calendar import SWEDEN
from ssbtek_gateway.faults import failure, timeout
from ssbtek_gateway.model import Data, Failure, PartsPayload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import date

    from ssbtek_gateway.config import Bastjanst
    from ssbtek_gateway.config.calendar import Underhall
    from ssbtek_gateway.model import Outcome, Question
    from ssbtek_gateway.services.service import BaseService

# What says that the service is not there. What it answered does not, valid or not: odd data about a few persons must
# not keep it from all others. Nor does what an agency says, or we before anything is sent.
_AWAY = {"TIMEOUT", "ANSLUTNING", "TLS"}
_CAME = {"OGILTIGT_SVAR", "FEL_PERSON"}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as a test can set it: `elapsed` for how long something took, `now` for the calendar."""

    elapsed: Callable[[], float] = monotonic
    now: Callable[[], datetime] = _now

    def today(self) -> date:
        """The calendar day in Sweden."""
        return self.now().astimezone(SWEDEN).date()


def maintenance(windows: Iterable[Underhall], now: datetime) -> datetime | None:
    """When the maintenance that is under way ends, in Swedish time; None where there is none."""
    ends = [window.till for window in windows if window.fran <= now < window.till]
    return max(ends).astimezone(SWEDEN) if ends else None


def maintenance_text(until: datetime) -> str:
    """The same to a caller."""
    return f"Underhållet pågår till {until:%Y-%m-%d %H.%M}."


class Breaker:
    """Opens after `failures` in a row; `seconds` later one question tries, and its outcome closes or opens again.

    A question is told by the number that `admit` gave it, so that one from before the breaker opened, which ends long
    after, neither closes nor opens it.
    """

    def __init__(self, failures: int, seconds: float, elapsed: Callable[[], float]) -> None:
        self._limit = failures
        self._seconds = seconds
        self._elapsed = elapsed
        self._failures = 0
        self._round = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def refuses(self) -> bool:
        """Whether a question would be refused now."""
        return self._opened is not None and (self._trying or self._elapsed() - self._opened < self._seconds)

    def state(self) -> int:
        """0 closed; 1 half-open: one question tries, or the next will; 2 open."""
        if self._opened is None:
            return 0
        return 1 if self._trying or not self.refuses else 2

    def admit(self) -> int | None:
        """The question's number, or None where it is refused. Tell what came of it by `settle`."""
        if self.refuses:
            return None
        self._trying = self._opened is not None
        return self._round

    def settle(self, number: int, *, answered: bool | None) -> None:
        """`answered` is None where the question's end says nothing about the service."""
        if number != self._round:
            return
        trial, self._trying = self._trying, False
        if answered:
            self._failures = 0
            if trial:
                self._opened = None
                self._round += 1
        elif answered is False:
            self._failures += 1
            if trial or self._failures >= self._limit:
                self._failures = 0
                self._opened = self._elapsed()
                self._round += 1


class Guarded:
    """A `BaseService` before another one. Make it on the running event loop."""

    def __init__(self, service: BaseService, settings: Bastjanst, clock: Clock = Clock()) -> None:
        self._service = service
        self._settings = settings
        self._clock = clock
        self._places = asyncio.Semaphore(settings.samtidiga)
        self.breaker = Breaker(settings.sparr_efter, settings.sparr_seconds, clock.elapsed)

    def refusal(self, question: Question) -> Failure | None:
        return self._refusal() or self._service.refusal(question)

    async def ask(self, question: Question) -> Outcome:
        refused = self._refusal()
        if refused is not None:
            return refused
        if not self._places.locked():
            await self._places.acquire()  # at once
            waited_from = None
        else:
            waited_from = self._clock.elapsed()
            if not await self._waited():
                return _overloaded()
            # Meanwhile there may have been one failure too many, or maintenance may have begun.
            refused = self._refusal()
        try:
            return refused or await self._asked(question, waited_from)
        finally:
            self._places.release()

    async def test(self) -> tuple[bool, Failure | None]:
        """A test neither opens nor closes the breaker: that something listens does not say that it answers."""
        refused = self._refusal()
        if refused is not None:
            return False, refused
        if not await self._waited():
            return False, _overloaded()
        try:
            return await self._service.test()
        finally:
            self._places.release()

    async def close(self) -> None:
        await self._service.close()

    @property
    def refuses(self) -> str | None:
        """The felkod that a question would get now without the service being asked, or None."""
        refused = self._refusal()
        return refused.felkod if refused else None

    def _refusal(self) -> Failure | None:
        windows = self._settings.underhall
        until = maintenance(windows, self._clock.now()) if windows else None
        if until is not None:
            return failure("UNDERHALL", maintenance_text(until), reason="maintenance")
        return _open() if self.breaker.refuses else None

    async def _asked(self, question: Question, waited_from: float | None) -> Outcome:
        number = self.breaker.admit()
        if number is None:
            return _open()
        answered: bool | None = None
        try:
            asked = self._service.ask(question)
            outcome = await (asked if waited_from is None else self._within(asked, waited_from))
            answered = _answered(outcome)
        except asyncio.CancelledError:
            # The question's deadline: this service had not answered when time was up.
            answered = False
            raise
        else:
            return outcome
        finally:
            self.breaker.settle(number, answered=answered)

    async def _within(self, asked: Awaitable[Outcome], waited_from: float) -> Outcome:
        """The service keeps its own limit from when it is asked; what was spent on waiting is taken from it here."""
        limit = self._settings.seconds
        try:
            async with asyncio.timeout(limit - (self._clock.elapsed() - waited_from)) as deadline:
                return await asked
        except TimeoutError:
            if not deadline.expired():
                raise
            spent = self._clock.elapsed() - waited_from
            return timeout("svar", limit, spent, reason="answer: waiting for a place took a part of the time")

    async def _waited(self) -> bool:
        """Whether one of the places came free in time; who has it gives it back."""
        try:
            async with asyncio.timeout(min(self._settings.wait_seconds, self._settings.seconds)):
                return await self._places.acquire()
        except TimeoutError:
            return False


def _open() -> Failure:
    return failure("SPARRAD", reason="the circuit breaker is open")


def _overloaded() -> Failure:
    return failure("OVERBELASTAD", "Frågan har inte skickats.", reason="no free place among samtidiga")


def _answered(outcome: Outcome) -> bool | None:
    """Whether the service was there; None where nothing was sent, or nothing can be told."""
    if isinstance(outcome, Data):
        parts = outcome.payload.parts.values() if isinstance(outcome.payload, PartsPayload) else ()
        failed = [_answered(part) is False for part in parts if isinstance(part, Failure)]
        return not (failed and len(failed) == len(parts) and all(failed))
    if outcome.kalla == "BT" or outcome.felkod in _CAME:
        return True
    return False if outcome.felkod in _AWAY else None
