"""One scenario's stage: a gateway of its own before the shared agencies, who asks it, and what must hold afterwards."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from chaos import rig
from chaos.asker import DATA, Answer, Asker, Faults
from harness import configuration

from ssbtek_gateway.config import KODER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
    from pathlib import Path

    Expected = Callable[[Answer], bool]

AT_ONCE = 16
# Kept connections to the agencies: seven services, as many as were ever asked at once.
MOST_KEPT = 7 * 100
# How long something may take to come to rest, or to resume.
REST_SECONDS = 20
_OK = 200


def answered(answer: Answer, **outcomes: str) -> bool:
    """HTTP 200, valid, and data in every section but those in `outcomes`."""
    right = dict.fromkeys(answer.outcomes, DATA) | outcomes
    return answer.status == _OK and answer.valid and answer.outcomes == right


def refused(felkod: str) -> Expected:
    """The whole question refused with this code."""
    return lambda answer: (answer.status, answer.felkod) == (500, felkod)


def either(*expected: Expected) -> Expected:
    return lambda answer: any(right(answer) for right in expected)


def lost(answer: Answer) -> bool:
    """The connection ended without an answer, or there was none."""
    return answer.status == 0


@dataclass
class Scene:
    """What a scenario acts on, and what it has seen. `answers` are by `arende`, whatever came."""

    name: str
    config: Path
    pki: Path
    agencies: int
    faults: Faults
    asker: Asker
    questions: int
    answers: dict[str, Answer] = field(default_factory=dict)
    good: int = 0
    wrong: list[str] = field(default_factory=list)
    margin: str = ""
    well: Expected = answered
    most_megabytes: float = inf
    line: str = ""
    started: list[rig.Process] = field(default_factory=list)

    async def start(
        self, expected: Expected = answered, *, prefix: Collection[str] = (), env: Mapping[str, str] | None = None
    ) -> None:
        """Start the gateway and warm it up; `expected` is what it answers then."""
        self._start = partial(rig.gateway, self.config, prefix=prefix, env=env)
        await self.restart()
        await self.ask(2 * AT_ONCE, expected)
        self.measure()

    def configure(self, old: str, new: str) -> None:
        """Change the configuration, before `start`."""
        text = self.config.read_text(encoding="utf-8")
        if old not in text:
            raise ValueError(f"not in the configuration: {old}")
        self.config.write_text(text.replace(old, new, 1), encoding="utf-8")

    async def restart(self) -> None:
        """Start it once more, on another port."""
        self.gateway = await asyncio.to_thread(self._start)
        self.started.append(self.gateway)

    def measure(self) -> None:
        """What it holds now is what it may hold at the end."""
        self._processes = self.gateway.processes()
        self._others = self.sockets().others
        self._megabytes = rig.megabytes(self._processes)

    def sockets(self) -> rig.Sockets:
        """What the gateway's processes hold now."""
        return rig.sockets(self.gateway.processes(), self.gateway.ports[0], self.agencies)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.gateway.ports[0]}/ssbt/10"

    def check(self, holds: bool, text: str) -> None:  # noqa: FBT001 - as an assertion
        """Note `text` as wrong where it does not hold."""
        if not holds:
            self.wrong.append(text)

    async def one(self, expected: Expected = answered, services: Collection[str] = KODER) -> Answer:
        """Ask one question, and note it where it is not answered as expected."""
        arende = f"{self.name[:20]} {len(self.answers)}"
        self.answers[arende] = Answer(0)  # the place is taken while it is asked
        answer = await self.asker.ask(self.url, arende, services)
        every_section = answer.status != _OK or answer.outcomes.keys() == set(services)
        self.note(arende, answer, expected=every_section and expected(answer))
        return answer

    def note(self, arende: str, answer: Answer, *, expected: bool) -> None:
        """Count an answer, and whether it is as expected."""
        self.answers[arende] = answer
        self.good += expected and answer.status == _OK
        self.check(expected, f"{arende}: {answer.status} {answer.felkod} {dict(answer.outcomes)}")

    async def ask(
        self, times: int, expected: Expected = answered, services: Collection[str] = KODER, at_once: int = AT_ONCE
    ) -> list[Answer]:
        """Ask so many questions."""
        left = iter(range(times))
        got: list[Answer] = []

        async def client() -> None:
            got.extend([await self.one(expected, services) for _ in left])

        await asyncio.gather(*(client() for _ in range(at_once)))
        return got

    @asynccontextmanager
    async def load(self, expected: Expected = answered, at_once: int = AT_ONCE) -> AsyncIterator[list[Answer]]:
        """Questions all the time until the end of the block; those that are being answered then are awaited."""
        got: list[Answer] = []
        end = asyncio.Event()

        async def client() -> None:
            while not end.is_set():
                answer = await self.one(expected)
                got.append(answer)
                if lost(answer):
                    await asyncio.sleep(0.05)

        clients = [asyncio.create_task(client()) for _ in range(at_once)]
        try:
            yield got
        finally:
            end.set()
            await asyncio.gather(*clients)

    async def until(self, holds: Callable[[], bool], text: str) -> None:
        """Wait until something holds; where it does not in time it is noted."""
        try:
            async with asyncio.timeout(REST_SECONDS):
                while not holds():  # noqa: ASYNC110 - the kernel and other processes tell nobody
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self.wrong.append(text)

    async def more(self, got: list[Answer], times: int, expected: Expected = lambda _: True) -> None:
        """Wait until so many more answers, as expected, have come."""
        at = len(got)
        await self.until(lambda: sum(map(expected, got[at:])) >= times, f"no {times} answers more")

    async def until_answered(self, expected: Expected = answered) -> None:
        """Ask until an answer is as expected; the others do not count."""
        try:
            async with asyncio.timeout(REST_SECONDS):
                while not expected(await self.one(lambda _: True)):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.1)
        except TimeoutError:
            self.wrong.append("was not answered again")

    async def asks_nobody(self, act: Awaitable[object]) -> None:
        """Note it where an agency is asked during `act`."""
        before = await self.faults.asked()
        await act
        self.check(await self.faults.asked() == before, "agencies were asked")

    async def reconnect(self) -> None:
        """Let go of all connections to the gateway."""
        await self.asker.close()
        self.asker = Asker(self.pki)

    async def finish(self) -> str:
        """Stop the gateway and see what it leaves behind; the scenario's line in the table. Twice does no harm."""
        if not self.line:
            await self.until_answered(self.well)
            await self.asker.close()
            leaks = await self._leaks()
            self.check(await asyncio.to_thread(self.gateway.stop) == 0, "the exit code is not 0")
            rows = await asyncio.to_thread(self._rows)
            verdict = f"WRONG ({len(self.wrong)})" if self.wrong else "ok"
            bad = len(self.answers) - self.good
            self.line = _LINE.format(self.name, len(self.answers), self.good, bad, rows, leaks, verdict, self.margin)
        return self.line

    async def _leaks(self) -> str:
        processes = self.gateway.processes()
        if processes != self._processes:
            return "other processes"

        def let_go() -> bool:
            found = self.sockets()
            return found.callers == 0 and found.others <= self._others

        await self.until(let_go, "sockets are left")
        found, grown = self.sockets(), rig.megabytes(processes) - self._megabytes
        self.check(found.agencies <= MOST_KEPT, f"{found.agencies} connections to the agencies")
        self.check(grown <= self.most_megabytes, f"grew by {grown:.0f} MB")
        return f"{found.callers + found.others - self._others:+}, {found.agencies} kept, {grown:+.0f} MB"

    def _rows(self) -> str:
        events = rig.events(rig.rows(self.config, self.pki))
        came = [arende for arende, answer in self.answers.items() if answer.status == _OK]
        whole = [arende for arende in came if events.get(arende, set()) >= {"FRAGAD", "BESVARAD"}]
        self.check(len(whole) == len(came), f"{len(came) - len(whole)} answered questions lack a row")
        flaw = rig.chain_flaw(self.config)
        self.check(not flaw, f"audit verify: {flaw}")
        return f"{len(whole)}/{len(came)}"


_LINE = "{:16} {:>9} {:>6} {:>7} {:>11}  {:24} {:9} {}"
HEADING = _LINE.format(
    "scenario", "questions", "good", "refused", "both rows", "sockets, memory", "verdict", "measured"
)


def _configured(folder: Path, pki: Path, agencies: int, settings: Mapping[str, str]) -> Path:
    folder.mkdir()
    return configuration(pki, folder, agencies, **settings)


@asynccontextmanager
async def set_up(
    name: str, folder: Path, pki: Path, ports: tuple[int, int], settings: Mapping[str, str], questions: int
) -> AsyncIterator[Scene]:
    """A scene whose gateway has not started. `settings` are keywords of `harness.configuration`."""
    agencies, control = ports
    config = _configured(folder, pki, agencies, settings)
    async with Faults(control) as faults:
        scene = Scene(name, config, pki, agencies, faults, Asker(pki), questions)
        try:
            yield scene
        finally:
            await faults.clear()
            await scene.asker.close()
            for process in scene.started:
                process.kill()
