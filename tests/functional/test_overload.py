"""Twice as many questions as fit, over real sockets: who is admitted is answered, the others are told at once."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functional.test_question import rows
from harness import running_agencies, running_gateway
from vectors import make

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Gateway

    from ssbtek_gateway.simulator.agency import Exchange
    from ssbtek_gateway.simulator.asgi import Receive, Scope, Send

QUESTION = make.only("SO").encode()
AT_ONCE, QUEUED = 4, 4
BEARS = AT_ONCE + QUEUED
LIMITS = f"[limits]\nquestions = {AT_ONCE}\nqueued = {QUEUED}\nqueue_seconds = 60"
# Far above what any of it takes.
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Held(Fault):
    """A good answer, but none before the test says so; `asked` has an entry a question."""

    asked: list[None] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)

    async def play(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        self.asked.append(None)
        await asyncio.to_thread(self.free.wait, SECONDS)
        await exchange.good().send(send)


def ask(gateway: Gateway) -> tuple[int, str, str | None]:
    """Status, felkod if any, and how long to wait."""
    connection = gateway.connection()
    try:
        connection.request("POST", "/ssbt/10", QUESTION, {"Content-Type": "text/xml; charset=utf-8"})
        response = connection.getresponse()
        felkod = xmlgate.parse_agency(response.read(), None).findtext(".//{*}felkod", "")
        return response.status, felkod, response.getheader("Retry-After")
    finally:
        connection.close()


def test_at_twice_the_load_the_admitted_are_answered_and_the_rest_refused_and_then_all_is_well(
    pki: Path, tmp_path: Path
) -> None:
    held = Held("held")
    answered, refused = (200, "", None), (500, "OVERBELASTAD", "60")
    with (
        running_agencies(pki, SO=held) as agencies,
        running_gateway(pki, tmp_path, agencies, LIMITS) as gateway,
        ThreadPoolExecutor(2 * BEARS) as callers,
    ):
        for wave in (1, 2):
            held.free.clear()
            under_way = {callers.submit(ask, gateway) for _ in range(2 * BEARS)}
            told: list[tuple[int, str, str | None]] = []
            # While no agency answers, nobody is, and all who found no place are told.
            while len(told) < BEARS:
                done, under_way = wait(under_way, SECONDS, FIRST_COMPLETED)
                assert done
                told += [one.result() for one in done]
            assert told == [refused] * BEARS
            held.free.set()
            assert [one.result(SECONDS) for one in under_way] == [answered] * BEARS
            assert ask(gateway) == answered

            # None was lost, and none that was refused reached an agency.
            asked = wave * (BEARS + 1)
            assert len(held.asked) == asked
            found = Counter((row["handelse"], row["felkod"]) for row in rows(gateway))
            expected = {("FRAGAD", None): asked, ("BESVARAD", None): asked, ("NEKAD", "OVERBELASTAD"): wave * BEARS}
            assert found == expected
