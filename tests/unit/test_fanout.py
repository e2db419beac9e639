"""All base services at once: each ends in one outcome, and none can harm another. Order is asserted, never duration."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from unit.builders import CONTRACT, PERSON, FakeService, data, question, so_answer

from ssbtek_gateway.authorisation import Grant
from ssbtek_gateway.fanout import ask_all
from ssbtek_gateway.faults import agency_fault
from ssbtek_gateway.model import Failure, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.model import Outcome, Question
    from ssbtek_gateway.services.service import BaseService

pytestmark = pytest.mark.anyio
ALL = Grant({}, None)
REFUSED = Refused("SSBT", "EJ_BEHORIG", ("text",))
ANSWER = data(so_answer())


@dataclass
class Hanging(FakeService):
    """A service that never answers, and notes how it ends."""

    outcome: Outcome | Exception = ANSWER
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, question: Question) -> Outcome:  # noqa: ARG002 - the protocol's signature
        self.events.append(f"{self.name} asked")
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # as closing a connection would
            self.events.append(f"{self.name} ended")
        raise AssertionError


async def ask(services: Mapping[str, BaseService], grant: Grant = ALL, seconds: float = 30) -> dict[str, Outcome]:
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


async def test_a_slow_service_is_cancelled_and_costs_the_others_nothing() -> None:
    events: list[str] = []
    slow = Hanging(name="AF", events=events)
    outcomes = await ask({"AF": slow, "SO": FakeService(ANSWER, "SO", events)}, seconds=0.05)
    assert outcomes["SO"] is ANSWER
    failed = outcomes["AF"]
    assert isinstance(failed, Failure)
    assert (failed.kalla, failed.felkod) == ("SSBT", "TIMEOUT")
    assert failed.felmeddelande[1].startswith("Fas: svar, alla bastjänster tillsammans. Gräns: 0,05 sekunder. ")
    assert events == ["AF asked", "SO asked", "AF ended"]
    assert still_running() == set()


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
    outcomes, took = await ask_all(services, asked, ALL, 30)
    assert list(outcomes) == list(took) == ["SO"]
    assert events == ["SO asked"]


async def test_every_included_service_has_exactly_one_outcome() -> None:
    services: dict[str, BaseService] = {
        "AF": Hanging(),
        "CSN": FakeService(RuntimeError()),
        "SO": FakeService(ANSWER),
        "TNS": FakeService(agency_fault(reason="SOAP fault")),
    }
    outcomes, took = await ask_all(services, question(), Grant({"FK": REFUSED}, None), 0.05)
    assert {kod: felkod(outcome) for kod, outcome in outcomes.items()} == {
        "AF": "TIMEOUT",
        "CSN": "INTERNT_FEL",
        "FK": "EJ_BEHORIG",
        "SKV": "EJ_ANSLUTEN",
        "SO": "DATA",
        "TNS": "FAULT",
        "MIV": "EJ_ANSLUTEN",
    }
    assert set(took) == {"AF", "CSN", "SO", "TNS"}, "what was not called took no time"


async def test_a_caller_that_goes_takes_everything_with_it() -> None:
    events: list[str] = []
    services = {kod: Hanging(name=kod, events=events) for kod in ("AF", "SO")}
    whole = asyncio.create_task(ask(services))
    for service in services.values():
        await service.started.wait()
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert sorted(events) == ["AF asked", "AF ended", "SO asked", "SO ended"]
    assert still_running() == set()
