"""All base services at once: each ends in one outcome, and none can harm another. Time is made up, and exact."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from unit.builders import CONTRACT, PERSON, FakeService, data, question, so_answer
from unit.fake_clock import FakeClockLoop

from ssbtek_gateway.authorisation import Grant
from ssbtek_gateway.config import Bastjanst
from ssbtek_gateway.fanout import ask_all
from ssbtek_gateway.faults import agency_fault
from ssbtek_gateway.model import Failure, Refused
from ssbtek_gateway.resilience import Guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.model import Outcome, Question
    from ssbtek_gateway.services.service import BaseService

pytestmark = pytest.mark.anyio
LIMIT, NEVER = 24, 1e9
ALL = Grant({}, None)
REFUSED = Refused("SSBT", "EJ_BEHORIG", ("text",))
ANSWER = data(so_answer())


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Seconds pass where all wait, and nowhere else."""
    return "asyncio", {"loop_factory": FakeClockLoop}


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Slow(FakeService):
    """Answers after `seconds`; where it is cancelled it takes `lets_go` to end, as closing a connection would."""

    outcome: Outcome | Exception = ANSWER
    seconds: float = NEVER
    lets_go: float = 0
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, question: Question) -> Outcome:  # noqa: ARG002 - the protocol's signature
        self._note("asked")
        self.started.set()
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            await asyncio.sleep(self.lets_go)
            self._note("cancelled")
            raise
        self._note("answered")
        return ANSWER

    def _note(self, event: str) -> None:
        self.events.append(f"{now():g} {self.name} {event}")


async def ask(services: Mapping[str, BaseService], grant: Grant = ALL, seconds: float = LIMIT) -> dict[str, Outcome]:
    asked = question()
    only = replace(asked, perioder={kod: asked.perioder[kod] for kod in CONTRACT.sections if kod in {*services, "MIV"}})
    return (await ask_all(services, only, grant, seconds))[0]


def felkod(outcome: Outcome) -> str:
    return outcome.felkod if isinstance(outcome, Failure) else "DATA"


def still_running() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()} & set(CONTRACT.sections)


async def test_services_are_asked_at_the_same_time() -> None:
    meeting = asyncio.Barrier(2)

    class Meets(FakeService):
        async def ask(self, question: Question) -> Outcome:
            await meeting.wait()  # comes through only where both are being asked
            return await super().ask(question)

    outcomes = await ask({"AF": Meets(ANSWER), "SO": Meets(ANSWER)})
    assert (outcomes["AF"], outcomes["SO"]) == (ANSWER, ANSWER)


async def test_one_that_hangs_costs_the_others_nothing_and_is_cancelled() -> None:
    events: list[str] = []
    seconds = {"AF": NEVER, "CSN": 3, "SO": 0, "TNS": 23.9}
    services = {kod: Slow(name=kod, events=events, seconds=after) for kod, after in seconds.items()}
    outcomes = await ask(services)
    assert events == [
        *("0 AF asked", "0 CSN asked", "0 SO asked", "0 TNS asked"),
        *("0 SO answered", "3 CSN answered", "23.9 TNS answered", "24 AF cancelled"),
    ]
    assert now() == LIMIT
    assert {kod for kod, outcome in outcomes.items() if outcome is ANSWER} == {"CSN", "SO", "TNS"}
    failed = outcomes["AF"]
    assert isinstance(failed, Failure)
    assert (failed.kalla, failed.felkod) == ("SSBT", "TIMEOUT")
    assert failed.felmeddelande[1] == (
        "Fas: svar, alla bastjänster tillsammans. Gräns: 24 sekunder. Förfluten tid: 24,0 sekunder."
    )
    assert still_running() == set()


async def test_the_answer_comes_when_the_last_service_has_answered() -> None:
    await ask({"AF": Slow(seconds=2), "SO": Slow(seconds=7)})
    assert now() == 7


async def test_one_that_does_not_let_go_holds_up_the_answer_for_half_a_second_at_most() -> None:
    events: list[str] = []
    services = {"AF": Slow(name="AF", events=events, lets_go=3), "SO": Slow(seconds=1)}
    outcomes, took = await ask_all(services, question(), ALL, LIMIT)
    assert now() == LIMIT + 0.5
    assert took == {"AF": LIMIT + 0.5, "SO": 1}
    assert (felkod(outcomes["AF"]), outcomes["SO"]) == ("TIMEOUT", ANSWER)
    await asyncio.sleep(3)
    assert events == ["0 AF asked", "27 AF cancelled"]
    assert still_running() == set()


async def test_a_straggler_gives_its_place_back() -> None:
    settings = Bastjanst(url="http://127.0.0.1:1", allow_plain_http=True, samtidiga=1, sparr_efter=10)
    service = Slow()
    guarded = Guarded(service, settings)
    assert felkod((await ask({"AF": guarded}))["AF"]) == "TIMEOUT"
    service.seconds = 1
    assert (await ask({"AF": guarded}))["AF"] is ANSWER
    assert now() == LIMIT + 1


@pytest.mark.parametrize("error", [ValueError(PERSON), KeyError(PERSON), TimeoutError(PERSON), RecursionError(PERSON)])
async def test_an_exception_in_one_costs_the_others_nothing_and_is_not_quoted(error: Exception) -> None:
    outcomes = await ask({"AF": FakeService(error), "SO": FakeService(ANSWER)})
    failed = outcomes["AF"]
    assert isinstance(failed, Failure)
    assert failed.kalla == "SSBT"
    assert failed.reason == f"unexpected {type(error).__name__}"
    assert PERSON not in repr(failed)
    assert outcomes["SO"] is ANSWER


async def test_a_service_that_is_not_granted_is_never_called() -> None:
    events: list[str] = []
    services = {"AF": FakeService(ANSWER, "AF", events), "SO": FakeService(ANSWER, "SO", events)}
    outcomes = await ask(services, Grant({"AF": REFUSED}, None))
    assert outcomes["AF"] is REFUSED
    assert events == ["SO asked"]


async def test_a_service_that_is_not_connected_says_so() -> None:
    assert felkod((await ask({}))["MIV"]) == "EJ_ANSLUTEN"


async def test_what_is_neither_granted_nor_connected_is_refused() -> None:
    assert felkod((await ask({}, Grant({"MIV": REFUSED}, None)))["MIV"]) == "EJ_BEHORIG"


async def test_what_the_question_does_not_include_is_never_called() -> None:
    events: list[str] = []
    asked = replace(question(), perioder={"SO": question().perioder["SO"]})
    services = {"AF": FakeService(ANSWER, "AF", events), "SO": FakeService(ANSWER, "SO", events)}
    outcomes, took = await ask_all(services, asked, ALL, LIMIT)
    assert list(outcomes) == list(took) == ["SO"]
    assert events == ["SO asked"]


async def test_every_included_service_has_exactly_one_outcome() -> None:
    services: dict[str, BaseService] = {
        "AF": Slow(),
        "CSN": FakeService(RuntimeError()),
        "SO": FakeService(ANSWER),
        "TNS": FakeService(agency_fault(reason="SOAP fault")),
    }
    outcomes, took = await ask_all(services, question(), Grant({"FK": REFUSED}, None), LIMIT)
    assert {kod: felkod(outcome) for kod, outcome in outcomes.items()} == {
        "AF": "TIMEOUT",
        "CSN": "INTERNT_FEL",
        "FK": "EJ_BEHORIG",
        "SKV": "EJ_ANSLUTEN",
        "SO": "DATA",
        "TNS": "FAULT",
        "MIV": "EJ_ANSLUTEN",
    }
    assert took == {"AF": LIMIT, "CSN": 0, "SO": 0, "TNS": 0}, "what was not called took no time"


async def test_a_caller_that_goes_takes_everything_with_it() -> None:
    events: list[str] = []
    services = {kod: Slow(name=kod, events=events) for kod in ("AF", "SO")}
    whole = asyncio.create_task(ask(services))
    for service in services.values():
        await service.started.wait()
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert events == ["0 AF asked", "0 SO asked", "0 AF cancelled", "0 SO cancelled"]
    assert still_running() == set()
