"""What may happen to a gateway, and what it owes its callers then. Each scenario has a gateway of its own.

Not here: certificates swapped under load.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import statistics
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

import postgresql
import redis_server
from chaos import matrix, rig
from chaos.asker import DATA
from chaos.names import name_server
from chaos.scene import AT_ONCE, answered, either, lost, refused

from ssbtek_gateway.config import KODER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from chaos.asker import Answer
    from chaos.scene import Scene

# Faults that end at once, for load without pauses.
_QUICK = ("reset", "truncated", "invalid", "fault", "http503", "extra", "gzip-bomb", "bad-chunk")
# Questions in a row under the same fault.
_A_TURN = 125
_UNGUARDED = "sparr_efter = 100000\nsamtidiga = 1000\nconnections = 1000"
# Root obeys the modes of files too.
ORDINARY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
_NAMESPACE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")
_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
# In a namespace of mounts of its own, another file says where names are asked for: `$0`, before the command.
_OTHER_NAMES = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


async def every_fault(scene: Scene) -> None:
    """Each of the simulator's faults on each service, eight questions at once."""
    played = await matrix.play(scene.asker, scene.faults, scene.url, burst=8)
    for cell, answers in played.items():
        for number, answer in enumerate(answers):
            right = answer.valid and answer.outcomes == matrix.expected(*cell)
            scene.note(f"{' '.join(cell)} {number}", answer, expected=right)
    scene.margin = f"{len(played)} faults on services"


async def one_hangs(scene: Scene) -> None:
    """Forty questions hang at SO; those that do not ask SO are no slower, and one that does ends with SO's limit."""
    others = sorted(set(KODER) - {"SO"})
    hangs = partial(answered, SO=matrix.TIMEOUT)
    without = await scene.ask(200, services=others, at_once=2)
    await scene.faults.play("SO", "hang")
    before = await scene.faults.asked()
    hanging = asyncio.create_task(scene.ask(40, hangs, services=["SO"], at_once=40))
    await scene.faults.until_asked(before | {"SO": before["SO"] + 40})
    beside = await scene.ask(200, services=others, at_once=2)
    await hanging
    over = [1000 * (answer.seconds - 4) for answer in await scene.ask(8, hangs, at_once=2)]
    scene.margin = (
        f"without SO p50/p95 {_times(without)} ms, beside 40 that hang {_times(beside)} ms;"
        f" with SO {min(over):.0f} to {max(over):.0f} ms after SO's limit of 4 s (the question's is 24)"
    )
    await scene.faults.clear()


def _times(answers: list[Answer]) -> str:
    twentieths = statistics.quantiles((1000 * answer.seconds for answer in answers), n=20)
    return f"{twentieths[9]:.0f}/{twentieths[18]:.0f}"


async def flapping(scene: Scene) -> None:
    """SO answers ten questions and breaks ten connections, by turns: the breaker opens and closes."""
    seen = Counter[str]()

    def expected(answer: Answer) -> bool:
        outcome = answer.outcomes.get("SO", "")
        seen[outcome] += 1
        return outcome in {DATA, matrix.ANSLUTNING, "SSBT SPARRAD"} and answered(answer, SO=outcome)

    await scene.faults.play("SO", "flap:10")
    await scene.ask(400, expected)
    scene.check({matrix.ANSLUTNING, "SSBT SPARRAD"} <= seen.keys(), "the breaker did not open")
    scene.margin = ", ".join(f"{outcome} {times}" for outcome, times in seen.most_common())
    await scene.faults.clear()


async def worker_killed(scene: Scene) -> None:
    """kill -9 of a worker under load: what it was answering is lost, and nothing else."""
    workers = scene.gateway.workers()
    async with scene.load(either(answered, lost)) as got:
        await scene.more(got, 3 * AT_ONCE)
        os.kill(workers[0], signal.SIGKILL)
        await scene.more(got, 6 * AT_ONCE, answered)
    gone = sum(map(lost, got))
    scene.margin = f"{gone} of {len(got)} lost with one of {len(workers)} workers"
    scene.check(0 < gone <= AT_ONCE, f"{gone} questions were lost")
    scene.check(workers[0] not in scene.gateway.workers(), "the worker was not killed")
    scene.check(len(scene.gateway.workers()) == len(workers), "no worker in its place")


async def writer_killed(scene: Scene) -> None:
    """kill -9 of the process that writes a worker's audit: refused what it had not written, then all is as before."""
    workers = scene.gateway.workers()
    (writer, *_) = set(scene.gateway.processes()) - set(workers)
    async with scene.load(either(answered, refused("INTERNT_FEL"))) as got:
        await scene.more(got, 3 * AT_ONCE)
        os.kill(writer, signal.SIGKILL)
        await scene.more(got, 6 * AT_ONCE, answered)
    scene.margin = f"{sum(map(refused('INTERNT_FEL'), got))} of {len(got)} refused"
    scene.check(scene.gateway.workers() == workers, "a worker was replaced")
    scene.check(writer not in scene.gateway.processes(), "the writer was not killed")


async def sigterm(scene: Scene) -> None:
    """SIGTERM when all are asking: whatever was asked is answered."""
    await scene.faults.play("SO", "slow:1")
    before = await scene.faults.asked()
    asking = asyncio.create_task(scene.ask(2 * AT_ONCE, at_once=2 * AT_ONCE))
    await scene.faults.until_asked({kod: times + 2 * AT_ONCE for kod, times in before.items()})
    scene.gateway.signal(signal.SIGTERM)
    began = monotonic()
    answers = await asking
    scene.check(await asyncio.to_thread(scene.gateway.wait) == 0, "the exit code is not 0")
    kept = sum(map(answered, answers))
    scene.margin = f"{kept} of {len(answers)} under way were answered; ended {monotonic() - began:.1f} s after SIGTERM"
    await scene.faults.clear()
    await scene.restart()


async def audit_full(scene: Scene) -> None:
    """No file may grow any more: refused before any agency is asked. Then there is room again."""
    _limit(scene, resource.RLIMIT_FSIZE, 4096)
    await scene.asks_nobody(scene.ask(60, refused("INTERNT_FEL")))
    _limit(scene, resource.RLIMIT_FSIZE, None)
    await scene.until_answered()
    await scene.ask(60)


async def audit_read_only(scene: Scene) -> None:
    """The audit may not be written to, by a process that modes of files mean something to. Then it may again."""
    folder = scene.config.parent
    modes = {path: path.stat().st_mode for path in (folder, *folder.glob("audit*.sqlite*"))}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    # What is open may still be written to, until the disk fails once.
    _limit(scene, resource.RLIMIT_FSIZE, 4096)
    await scene.asks_nobody(scene.ask(60, refused("INTERNT_FEL"), at_once=60))
    _limit(scene, resource.RLIMIT_FSIZE, None)
    await scene.asks_nobody(scene.ask(60, refused("INTERNT_FEL")))
    for path, mode in modes.items():
        path.chmod(mode)
    await scene.until_answered()
    await scene.ask(60)


async def clock_jumps(scene: Scene) -> None:
    """The wall clock jumps an hour and a day, there and back, under load: nothing times out."""
    clock = scene.config.with_name("clock")
    clock.write_text("+0\n", encoding="ascii")
    faked = {"LD_PRELOAD": _FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    await scene.start(env={**faked, "DONT_FAKE_MONOTONIC": "1"})
    # Few at once: a clock that is faked costs more than all else.
    async with scene.load(at_once=4) as got:
        for jump in ("+1h", "-1h", "+1d", "-1d", "+0"):
            clock.write_text(f"{jump}\n", encoding="ascii")
            await scene.more(got, 16)
    rows = await asyncio.to_thread(rig.rows, scene.config, scene.pki)
    times = [datetime.fromisoformat(row["tidpunkt"]) for row in rows]
    now, hours = datetime.now(UTC), timedelta(hours=12)
    scene.check(min(times) < now - hours and max(times) > now + hours, "the clock did not jump")
    scene.margin = f"slowest answer {max(answer.seconds for answer in got):.1f} s"


async def slow_names(scene: Scene) -> None:
    """SO has a name, and the name server never answers; then it does, late."""
    late = partial(answered, SO=matrix.TIMEOUT)
    async with name_server(None) as names:
        file = scene.config.with_name("resolv.conf")
        file.write_text(f"nameserver 127.0.0.1:{names.port}\n", encoding="ascii")
        address = f"{scene.agencies}/so"
        scene.configure(f"127.0.0.1:{address}", f"so.agency.example:{address}")
        await scene.start(late, prefix=(*_NAMESPACE, "sh", "-c", _OTHER_NAMES, str(file)))
        answers = await scene.ask(40, late)
        await scene.ask(100, services=[kod for kod in KODER if kod != "SO"])
        scene.margin = f"answered after {max(answer.seconds for answer in answers):.1f} s (SO's limits are 2 x 0.5)"
        names.seconds = 0.2
        # Found, and the certificate there is another's.
        scene.well = partial(answered, SO="SSBT TLS")
        await scene.ask(40, scene.well)
        await scene.finish()


async def postgresql_away(scene: Scene) -> None:
    """The audit's PostgreSQL crashes under load and comes back: refused meanwhile, before any agency is asked."""
    with postgresql.running(scene.pki / "server.pem", scene.pki / "server.key") as server, server.database() as name:
        scene.configure('database = "audit.sqlite"', f'postgresql = "{server.url(name)}"')
        await scene.start()
        async with scene.load(either(answered, refused("INTERNT_FEL"))) as got:
            await scene.more(got, 2 * AT_ONCE)
            await asyncio.to_thread(server.stop, signal.SIGQUIT)
            await scene.more(got, 3 * AT_ONCE)
        await scene.asks_nobody(scene.ask(60, refused("INTERNT_FEL")))
        await asyncio.to_thread(server.start)
        began = monotonic()
        await scene.until_answered()
        scene.margin = f"answered {monotonic() - began:.1f} s after it was back"
        await scene.ask(60)
        await scene.finish()


async def redis_away(scene: Scene) -> None:
    """The rates' Redis is away, hangs and comes back, under load: nobody notices."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with redis_server.running_redis(scene.pki, port) as server:
        password = scene.config.with_name("password")
        password.write_text(redis_server.PASSWORD, encoding="utf-8")
        rates = f'[rates]\nredis = "{server.url}"\nauthority = "{scene.pki}/ca.pem"\npassword = "{password}"\n'
        scene.configure("[publish]", f"{rates}[publish]")
        scene.configure('syften = "alla"', 'syften = "alla"\nper_dygn = 1000000')
        await scene.start()
        async with scene.load() as got:
            for happens in (server.hang, server.stop, server.start):
                await asyncio.to_thread(happens)
                await scene.more(got, 6 * AT_ONCE)
        scene.margin = f"slowest answer {max(answer.seconds for answer in got):.1f} s"
        await scene.finish()


async def out_of_descriptors(scene: Scene) -> None:
    """Idle connections take all descriptors; when they go all is well again."""
    await scene.reconnect()
    await scene.until(lambda: scene.sockets().callers == 0, "callers are left")
    limits = {pid: rig.descriptors(pid) + 10 for pid in scene.gateway.workers()}
    for pid, most in limits.items():
        rig.limit(pid, resource.RLIMIT_NOFILE, most)
    idle = [await asyncio.open_connection("127.0.0.1", scene.gateway.ports[0]) for _ in range(40 * len(limits))]
    await scene.until(
        lambda: all(rig.descriptors(pid) >= most - 1 for pid, most in limits.items()), "descriptors are left"
    )
    answers = await scene.ask(60, lambda _: True)
    scene.margin = f"{sum(map(answered, answers))} of {len(answers)} answered meanwhile"
    for _, writer in idle:
        writer.close()
    await scene.until_answered()
    await scene.ask(60, at_once=1)
    for pid in limits:
        rig.limit(pid, resource.RLIMIT_NOFILE, None)


def _limit(scene: Scene, kind: int, value: int | None) -> None:
    for pid in scene.gateway.processes():
        rig.limit(pid, kind, value)


async def many(scene: Scene) -> None:
    """So many questions, with a fault on one service or another: nothing is left of them."""
    # Once through, for what is taken up at the worst is kept for the next time.
    await _in_turn(scene, 1000)
    scene.measure()
    began = monotonic()
    await _in_turn(scene, scene.questions)
    scene.margin = f"{scene.questions / (monotonic() - began):.0f} questions a second"
    scene.most_megabytes = 40


async def _in_turn(scene: Scene, questions: int) -> None:
    for number in range(questions // _A_TURN):
        kod, kind = KODER[number % len(KODER)], _QUICK[number % len(_QUICK)]
        await scene.faults.play(kod, kind)
        await scene.ask(_A_TURN, partial(_outcomes, matrix.expected(kod, kind)), at_once=32)
        await scene.faults.clear()


def _outcomes(expected: Mapping[str, str], answer: Answer) -> bool:
    return answered(answer, **expected)


@dataclass(frozen=True)
class Scenario:
    """`act` on a gateway with these `settings` (keywords of `harness.configuration`), started with this `prefix`.

    Without a prefix `act` starts it itself.
    """

    act: Callable[[Scene], Awaitable[None]]
    settings: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] | None = ()

    async def play(self, scene: Scene) -> str:
        """The scenario's line in the table."""
        if self.prefix is not None:
            await scene.start(prefix=self.prefix)
        await self.act(scene)
        return await scene.finish()


SCENARIOS: Mapping[str, Scenario] = {
    "every fault": Scenario(every_fault, {"bastjanst": matrix.LIMITS}),
    "one hangs": Scenario(one_hangs, {"bastjanst": f"seconds = 4\n{_UNGUARDED}"}),
    "flapping": Scenario(flapping, {"bastjanst": "sparr_efter = 3\nsparr_seconds = 0.2"}),
    "slow names": Scenario(slow_names, {"bastjanst": f"connect_seconds = 0.5\n{_UNGUARDED}"}, prefix=None),
    "worker killed": Scenario(worker_killed),
    "writer killed": Scenario(writer_killed),
    "SIGTERM": Scenario(sigterm),
    "no descriptors": Scenario(out_of_descriptors, {"bastjanst": _UNGUARDED}),
    "clock jumps": Scenario(clock_jumps, prefix=None),
    "audit full": Scenario(audit_full),
    "audit read-only": Scenario(audit_read_only, prefix=ORDINARY),
    "PostgreSQL away": Scenario(postgresql_away, prefix=None),
    "Redis away": Scenario(redis_away, prefix=None),
    "many questions": Scenario(many, {"bastjanst": _UNGUARDED}),
}
