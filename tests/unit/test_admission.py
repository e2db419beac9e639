"""How many questions at once: who gets a place, who waits, who is refused."""

from __future__ import annotations

import asyncio

import pytest

from ssbtek_gateway.admission import Admission
from ssbtek_gateway.config import Limits
from ssbtek_gateway.faults import GatewayFault

pytestmark = pytest.mark.anyio


class Door:
    def __init__(self, *, queued: int = 1, queue_seconds: float = 10) -> None:
        self.admission = Admission(Limits(questions=1, queued=queued, queue_seconds=queue_seconds))
        self.inside: list[str] = []

    async def enter(self, name: str, until: asyncio.Event) -> None:
        async with self.admission.place():
            self.inside.append(name)
            await until.wait()


async def refused(door: Door) -> GatewayFault:
    with pytest.raises(GatewayFault) as caught:
        await door.enter("refused", asyncio.Event())
    return caught.value


async def test_they_come_in_as_they_came_and_one_too_many_is_refused_at_once() -> None:
    door, leave = Door(), asyncio.Event()
    tasks = [asyncio.create_task(door.enter(name, leave)) for name in ("first", "second")]
    await asyncio.sleep(0)
    fault = await refused(door)
    assert (fault.fel.felkod, fault.reason, fault.retry_after) == ("OVERBELASTAD", "the queue is full", 10)
    assert door.inside == ["first"]
    leave.set()
    await asyncio.gather(*tasks)
    assert door.inside == ["first", "second"]


async def test_one_that_waits_too_long_is_refused_and_leaves_the_queue() -> None:
    door, leave = Door(queue_seconds=0.02), asyncio.Event()
    first = asyncio.create_task(door.enter("first", leave))
    await asyncio.sleep(0)
    for _ in range(2):
        fault = await refused(door)
        assert fault.reason == "no place came free within queue_seconds"
        assert fault.retry_after == 1
    leave.set()
    await first
    await door.enter("next", leave)
    assert door.inside == ["first", "next"]


async def test_how_full_it_is_can_be_read() -> None:
    door, leave = Door(), asyncio.Event()
    tasks = [asyncio.create_task(door.enter(name, leave)) for name in ("first", "second")]
    await asyncio.sleep(0)
    full = door.admission.answering, door.admission.waiting
    await refused(door)
    leave.set()
    await asyncio.gather(*tasks)
    assert (full, door.admission.answering, door.admission.waiting) == ((1, 1), 0, 0)


@pytest.mark.parametrize("where", ["inside", "queue"])
async def test_a_caller_that_goes_gives_its_place_back(where: str) -> None:
    door, leave = Door(), asyncio.Event()
    tasks = {name: asyncio.create_task(door.enter(name, leave)) for name in ("inside", "queue")}
    await asyncio.sleep(0)
    tasks[where].cancel()
    await asyncio.sleep(0)
    leave.set()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    await asyncio.gather(door.enter("next", leave), door.enter("after", leave))
    assert door.inside[-2:] == ["next", "after"]


def test_waiting_and_asking_end_before_a_client_stops_reading() -> None:
    # A real consumer reads for 30 s.
    assert Limits().queue_seconds + Limits().question_seconds < 30
