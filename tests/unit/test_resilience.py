"""Before a base service: who is let through, in which order, on a clock that only the test moves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from unit.builders import ANSWERED, FakeService, data, question, so_answer

from ssbtek_gateway.config import Bastjanst
from ssbtek_gateway.faults import agency_fault, failure
from ssbtek_gateway.model import Data, Failure, Outcome, PartsPayload
from ssbtek_gateway.resilience import Clock, Guarded

if TYPE_CHECKING:
    from ssbtek_gateway.model import Question

pytestmark = pytest.mark.anyio
ANSWER = data(so_answer())
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OPENS = ["TIMEOUT", "ANSLUTNING", "TLS"]


@dataclass
class Time:
    """Stands still until it is moved."""

    seconds: float = 0

    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, lambda: START + timedelta(seconds=self.seconds))


@dataclass
class Held(FakeService):
    """A service that answers when it is let."""

    outcome: Outcome | Exception = ANSWER
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, question: Question) -> Outcome:
        self.events.append(f"{self.name} reached")
        await self.gate.wait()
        return await super().ask(question)


@dataclass
class Scripted(FakeService):
    """A service that answers each question when that question is let."""

    answers: list[asyncio.Future[Outcome]] = field(default_factory=list)

    async def ask(self, question: Question) -> Outcome:  # noqa: ARG002 - the protocol's signature
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


@pytest.fixture
def time() -> Time:
    return Time()


def guard(service: FakeService, time: Time, **changes: Any) -> Guarded:  # noqa: ANN401 - any field's value
    values = {"url": "http://127.0.0.1:1", "allow_plain_http": True, "sparr_efter": 2, "sparr_seconds": 30, **changes}
    return Guarded(service, Bastjanst.model_validate(values), time.clock())


async def felkod(guarded: Guarded) -> str:
    outcome = await guarded.ask(question())
    return outcome.felkod if isinstance(outcome, Failure) else "DATA"


async def felkoder(guarded: Guarded, times: int) -> list[str]:
    return [await felkod(guarded) for _ in range(times)]


# The breaker


@pytest.mark.parametrize("kind", OPENS)
async def test_failures_in_a_row_open_it_and_nothing_is_sent(time: Time, kind: str) -> None:
    service = FakeService(failure(kind))
    assert await felkoder(guard(service, time), 4) == [kind, kind, "SPARRAD", "SPARRAD"]
    assert service.events == ["service asked"] * 2


@pytest.mark.parametrize(
    "outcome",
    [
        ANSWER,
        agency_fault("503", reason="HTTP 503"),
        agency_fault("TIMEOUT", reason="its own code, spelled like ours"),
        failure("OGILTIG_FRAGA"),
        failure("OGILTIGT_SVAR"),
        failure("FEL_PERSON"),
        Data(PartsPayload({"a": failure("TIMEOUT"), "b": b"{}"}), ANSWERED),
        Data(PartsPayload({"a": failure("TIMEOUT"), "b": agency_fault("404", reason="HTTP 404")}), ANSWERED),
    ],
)
async def test_what_an_agency_said_or_nobody_was_asked_does_not_open_it(time: Time, outcome: Outcome) -> None:
    service = FakeService(outcome)
    guarded = guard(service, time)
    assert "SPARRAD" not in await felkoder(guarded, 5)


async def test_an_answer_in_between_starts_the_count_again(time: Time) -> None:
    service = FakeService(failure("TIMEOUT"))
    guarded = guard(service, time)
    await felkod(guarded)
    service.outcome = ANSWER
    await felkod(guarded)
    service.outcome = failure("TIMEOUT")
    assert await felkoder(guarded, 3) == ["TIMEOUT", "TIMEOUT", "SPARRAD"]


async def test_a_question_that_was_not_sent_does_not_start_the_count_again(time: Time) -> None:
    service = FakeService(failure("TIMEOUT"))
    guarded = guard(service, time)
    await felkod(guarded)
    service.outcome = failure("OGILTIG_FRAGA")
    await felkod(guarded)
    service.outcome = failure("TIMEOUT")
    assert await felkoder(guarded, 2) == ["TIMEOUT", "SPARRAD"]


async def test_parts_that_all_failed_on_the_way_open_it(time: Time) -> None:
    parts = PartsPayload({"a": failure("TIMEOUT"), "b": failure("ANSLUTNING")})
    assert await felkoder(guard(FakeService(Data(parts, ANSWERED)), time), 3) == ["DATA", "DATA", "SPARRAD"]


async def test_after_a_while_exactly_one_tries_and_its_answer_closes(time: Time) -> None:
    service = Held(failure("TIMEOUT"))
    service.gate.set()
    guarded = guard(service, time)
    await felkoder(guarded, 2)
    time.seconds = 29.9
    assert await felkod(guarded) == "SPARRAD"
    time.seconds = 30
    service.gate.clear()
    service.outcome = ANSWER
    service.events.clear()
    trial = asyncio.create_task(felkod(guarded))
    await asyncio.sleep(0)
    assert await felkoder(guarded, 2) == ["SPARRAD", "SPARRAD"]
    service.gate.set()
    assert await trial == "DATA"
    assert service.events == ["service reached", "service asked"]
    assert await felkoder(guarded, 2) == ["DATA", "DATA"]


async def test_a_trial_that_fails_opens_it_for_as_long_again(time: Time) -> None:
    guarded = guard(FakeService(failure("TIMEOUT")), time)
    await felkoder(guarded, 2)
    time.seconds = 30
    assert await felkoder(guarded, 2) == ["TIMEOUT", "SPARRAD"]
    time.seconds = 59
    assert await felkod(guarded) == "SPARRAD"
    time.seconds = 60
    assert await felkod(guarded) == "TIMEOUT"


async def test_its_state_is_told_in_numbers(time: Time) -> None:
    service = Held(failure("TIMEOUT"))
    service.gate.set()
    guarded = guard(service, time)
    states = [guarded.breaker.state()]
    await felkoder(guarded, 2)
    states.append(guarded.breaker.state())
    time.seconds = 30
    states.append(guarded.breaker.state())
    service.gate.clear()
    service.outcome = ANSWER
    trial = asyncio.create_task(felkod(guarded))
    await asyncio.sleep(0)
    states.append(guarded.breaker.state())
    service.gate.set()
    await trial
    assert [*states, guarded.breaker.state()] == [0, 2, 1, 1, 0]


@pytest.mark.parametrize("outcome", [failure("OGILTIG_FRAGA"), KeyError()])
async def test_a_trial_that_says_nothing_leaves_the_trial_to_the_next(time: Time, outcome: Outcome | Exception) -> None:
    service = FakeService(failure("TIMEOUT"))
    guarded = guard(service, time)
    await felkoder(guarded, 2)
    time.seconds = 30
    service.outcome = outcome
    if isinstance(outcome, Exception):
        with pytest.raises(KeyError):
            await felkod(guarded)
    else:
        assert await felkod(guarded) == "OGILTIG_FRAGA"
    service.outcome = ANSWER
    assert await felkoder(guarded, 2) == ["DATA", "DATA"]


async def test_one_that_was_asked_before_it_opened_does_not_end_the_trial(time: Time) -> None:
    service = Scripted(ANSWER)
    guarded = guard(service, time)
    early, first, second = (asyncio.create_task(felkod(guarded)) for _ in range(3))
    await asyncio.sleep(0)
    for number in (1, 2):
        service.answers[number].set_result(failure("TIMEOUT"))
    assert [await first, await second] == ["TIMEOUT", "TIMEOUT"]
    time.seconds = 30
    trial = asyncio.create_task(felkod(guarded))
    await asyncio.sleep(0)
    service.answers[0].set_result(ANSWER)
    assert await early == "DATA"
    assert await felkod(guarded) == "SPARRAD"
    service.answers[3].set_result(ANSWER)
    assert await trial == "DATA"


async def test_those_cut_off_by_the_questions_deadline_count(time: Time) -> None:
    guarded = guard(Held(), time)
    for _ in range(2):
        task = asyncio.create_task(felkod(guarded))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await felkod(guarded) == "SPARRAD"


# Announced maintenance


async def test_maintenance_answers_at_once_and_says_until_when(time: Time) -> None:
    service = FakeService(ANSWER)
    window = {"fran": START + timedelta(seconds=10), "till": START + timedelta(hours=1)}
    guarded = guard(service, time, underhall=[window])
    assert await felkod(guarded) == "DATA"
    service.events.clear()
    time.seconds = 10
    outcome = await guarded.ask(question())
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("SSBT", "UNDERHALL")
    assert outcome.felmeddelande[1] == "Underhållet pågår till 2026-11-23 14.00."  # as clocks in Sweden show it
    assert await guarded.test() == (False, outcome)
    assert service.events == []
    time.seconds = 3600
    assert await felkod(guarded) == "DATA"


async def test_of_windows_that_overlap_the_last_end_is_told(time: Time) -> None:
    windows = [{"fran": START, "till": START + timedelta(hours=hours)} for hours in (1, 3, 2)]
    outcome = await guard(FakeService(ANSWER), time, underhall=windows).ask(question())
    assert isinstance(outcome, Failure)
    assert "16.00" in outcome.felmeddelande[1]


# How many at once


async def test_above_the_cap_one_waits_for_a_place(time: Time) -> None:
    service = Held()
    guarded = guard(service, time, samtidiga=1, wait_seconds=10)
    both = asyncio.gather(felkod(guarded), felkod(guarded))
    await asyncio.sleep(0.01)
    assert service.events == ["service reached"]
    service.gate.set()
    assert list(await both) == ["DATA", "DATA"]
    assert service.events == ["service reached", "service asked"] * 2


async def test_one_that_gets_no_place_is_told_so_and_nothing_is_sent(time: Time) -> None:
    service = Held()
    guarded = guard(service, time, samtidiga=1, wait_seconds=0.02)
    first = asyncio.create_task(felkod(guarded))
    await asyncio.sleep(0)
    assert await felkod(guarded) == "OVERBELASTAD"
    called, failed = await guarded.test()
    assert not called
    assert failed is not None
    assert failed.felkod == "OVERBELASTAD"
    assert service.events == ["service reached"]
    service.gate.set()
    assert await first == "DATA"
    assert await felkod(guarded) == "DATA"


async def test_waiting_is_a_part_of_the_services_own_time(time: Time) -> None:
    service = Held()
    guarded = guard(service, time, samtidiga=1, seconds=10)
    first = asyncio.create_task(felkod(guarded))
    await asyncio.sleep(0)
    second = asyncio.create_task(guarded.ask(question()))
    await asyncio.sleep(0)
    time.seconds = 9.99
    service.gate.set()
    service.gate = asyncio.Event()
    await first
    outcome = await second
    assert isinstance(outcome, Failure)
    assert outcome.felkod == "TIMEOUT"
    assert outcome.felmeddelande[1] == "Fas: svar. Gräns: 10 sekunder. Förfluten tid: 10,0 sekunder."


async def test_one_that_waits_while_it_opens_is_not_asked(time: Time) -> None:
    service = Held(failure("TIMEOUT"))
    guarded = guard(service, time, samtidiga=1, sparr_efter=1)
    both = asyncio.gather(felkod(guarded), felkod(guarded))
    await asyncio.sleep(0)
    service.gate.set()
    assert list(await both) == ["TIMEOUT", "SPARRAD"]
    assert service.events == ["service reached", "service asked"]


async def test_places_come_back_whatever_happens(time: Time) -> None:
    service = Held()
    guarded = guard(service, time, samtidiga=1, sparr_efter=9)
    task = asyncio.create_task(felkod(guarded))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    service.gate.set()
    service.outcome = KeyError()
    with pytest.raises(KeyError):
        await felkod(guarded)
    service.outcome = ANSWER
    assert await felkod(guarded) == "DATA"


async def test_a_test_goes_past_a_closed_breaker_and_closing_reaches_the_service(time: Time) -> None:
    service = FakeService(failure("TIMEOUT"))
    guarded = guard(service, time)
    assert await guarded.test() == (True, None)
    await felkoder(guarded, 2)
    called, failed = await guarded.test()
    assert (called, failed.felkod if failed else "") == (False, "SPARRAD")
    await guarded.close()
    assert service.events == ["service tested", "service asked", "service asked", "service closed"]
