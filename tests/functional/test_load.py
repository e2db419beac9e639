"""Load on a running gateway: every question that is due counts, whatever became of those before it."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING, Any

import pki as made
import pytest
from counted import Change
from functional.test_certificates import issuer, place
from functional.test_cli import run_here
from functional.test_overload import SECONDS, Held
from functional.test_processes import until
from functional.test_question import rows
from harness import LAST_MONTH, controlled_agencies, running_gateway, serving

from ssbtek_gateway import connection
from ssbtek_gateway.client import TEST_ASKER, Client
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.load.run import MARK, Plan, run
from ssbtek_gateway.load.tally import Tally
from ssbtek_gateway.simulator import personas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Gateway

# Ten questions.
TEN = ("--rate", "40", "--seconds", "0.25", "--arrival", "constant")


@dataclass(frozen=True)
class Loaded:
    """A gateway, the port where its agencies' faults are switched, and what holds SO's answers back."""

    gateway: Gateway
    control: int
    held: Held

    def files(self, who: str = "client") -> tuple[Path, Path, Path]:
        pki = self.gateway.pki
        return pki / "ca.pem", pki / f"{who}.pem", pki / f"{who}.key"

    def arguments(self, *arguments: str, version: str = "10") -> list[str]:
        ca, cert, key = map(str, self.files())
        known = ["--url", self.gateway.at(version), "--ca", ca, "--cert", cert, "--key", key, "--output", "json"]
        return ["load", *known, *arguments]

    def load(self, *arguments: str, version: str = "10") -> tuple[int, Any]:
        """The exit code, and the result where there is one."""
        done = run_here(*self.arguments(*arguments, version=version))
        return done.returncode, json.loads(done.stdout or "null")

    def plan(self, **changes: Any) -> Plan:  # noqa: ANN401 - any field's value
        """Ten questions about SO."""
        url, files = self.gateway.url, self.files()
        person = personas.load()["arbetslos"].person
        with Client(url, *files) as client:
            message = client.message(person, LAST_MONTH, TEST_ASKER, ["SO"], MARK)
        usual = {"rate": 40.0, "seconds": 0.25, "poisson": False, "in_flight": 100, "keep": True}
        return Plan(url, connection.context(url, *files), [message], ["SO"], **{**usual, **changes})

    def simulator(self, method: str, path: str, body: str = "") -> bytes:
        simulator = http.client.HTTPConnection("127.0.0.1", self.control, timeout=SECONDS)
        try:
            simulator.request(method, path, body)
            return simulator.getresponse().read()
        finally:
            simulator.close()

    def asked(self) -> Counter[str]:
        """How often each agency has been asked."""
        return Counter(json.loads(self.simulator("GET", "/asked")))


@pytest.fixture(scope="module")
def loaded(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    held = Held("held")
    held.free.set()
    with (
        controlled_agencies(pki, SO=held) as (agencies, control),
        running_gateway(pki, tmp_path_factory.mktemp("loaded"), agencies) as gateway,
    ):
        yield Loaded(gateway, control, held)


@pytest.fixture
def holding(loaded: Loaded) -> Iterator[Held]:
    """SO answers nobody until it is free."""
    loaded.held.asked.clear()
    loaded.held.free.clear()
    yield loaded.held
    loaded.held.free.set()


@pytest.mark.parametrize("version", CONTRACTS)
def test_every_question_that_was_due_is_asked_and_answered_right(loaded: Loaded, version: str) -> None:
    before = len(rows(loaded.gateway))
    code, result = loaded.load(*TEN, "--p99-limit", "60000", version=version)
    assert (code, result["miljo"], result["failures"]) == (0, "test", {})
    assert [result[name] for name in ("due", "sent", "right", "failed", "unfinished")] == [10, 10, 10, 0, 0]
    assert len(rows(loaded.gateway)) - before == 2 * 10
    for times in (result["latency_ms"], result["from_sending_ms"], result["late_ms"]):
        assert list(times) == ["p50", "p90", "p99", "p99.9", "max"]
        assert list(times.values()) == sorted(times.values())


def test_personas_and_services_of_ones_choice_as_strangers_come(loaded: Loaded) -> None:
    chosen = ("--persona", "inget", "--persona", "student", "--bastjanst", "AF", "--bastjanst", "TNS")
    before = loaded.asked()
    code, result = loaded.load("--rate", "40", "--seconds", "0.5", *chosen)
    assert (code, result["right"]) == (0, result["due"])
    grown = {service: times - before[service] for service, times in loaded.asked().items()}
    assert {service: times for service, times in grown.items() if times} == {"AF": result["due"], "TNS": result["due"]}


@pytest.mark.parametrize("keep", [True, False])
def test_connections_are_kept_or_made_for_each_question(loaded: Loaded, *, keep: bool) -> None:
    with Change() as change:
        _, result = loaded.load(*TEN, "--in-flight", "1", *([] if keep else ["--new-connections"]))
    # Two more for the WSDL: what it says of the environment, and itself.
    assert change.of("ssbtek_connections_accepted_total") == {(): 2 + (1 if keep else result["sent"])}


def test_questions_come_though_none_has_been_answered(loaded: Loaded, holding: Held) -> None:
    def free() -> None:
        until(lambda: len(holding.asked) == 10)
        holding.free.set()

    freeing = threading.Thread(target=free)
    freeing.start()
    code, result = loaded.load(*TEN, "--bastjanst", "SO")
    freeing.join(SECONDS)
    assert (code, result["right"]) == (0, 10)
    # The first waited until the last, due 9/40 s later, had come.
    assert result["latency_ms"]["max"] > 200


def test_what_cannot_be_sent_has_failed(loaded: Loaded, holding: Held) -> None:
    tally = Tally()

    async def free() -> None:
        while tally.failed < 7:  # noqa: ASYNC110 - a counter
            await asyncio.sleep(0.01)
        holding.free.set()

    async def both() -> None:
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(run(loaded.plan(in_flight=3), tally), free())

    asyncio.run(both())
    assert (tally.due, tally.sent, tally.right, tally.failed) == (10, 3, 3, 7)
    assert tally.kinds == {"not sent: 3 in flight": 7}
    assert len(holding.asked) == 3


def test_a_generator_that_was_held_up_says_so_and_counts_from_when_questions_were_due(loaded: Loaded) -> None:
    tally = Tally()

    async def both() -> None:
        asyncio.get_running_loop().call_later(0.05, sleep, 0.5)
        await run(loaded.plan(), tally)

    asyncio.run(both())
    assert (tally.right, tally.failed) == (10, 0)
    # The last was due at 9/40 s, and none could be sent between 0.05 and 0.55 s.
    assert max(tally.late) > 0.3
    assert max(tally.from_due) > 0.3
    assert sum(tally.from_due) > sum(tally.from_sent)


def test_a_section_without_data_is_a_failure_and_never_an_answer(loaded: Loaded) -> None:
    loaded.simulator("PUT", "/faults/AF", "http500")
    try:
        code, result = loaded.load(*TEN, "--bastjanst", "AF", "--bastjanst", "TNS")
    finally:
        loaded.simulator("DELETE", "/faults/AF")
    assert (code, result["right"], result["failed"]) == (1, 0, 10)
    assert sum(result["failures"].values()) == 10
    assert "AF BT FAULT" in result["failures"]
    assert set(result["latency_ms"].values()) == {None}


def test_a_fault_is_told_by_its_felkod(loaded: Loaded) -> None:
    code, result = loaded.load(*TEN, "--organisation", "165560000167")
    assert (code, result["failures"]) == (1, {"fault EJ_BEHORIG": 10})


def test_a_percentile_above_its_limit_is_exit_code_1(loaded: Loaded) -> None:
    code, result = loaded.load(*TEN, "--p99-limit", "0.001")
    assert (code, result["failed"]) == (1, 0)


def test_the_table_says_the_same(loaded: Loaded) -> None:
    done = run_here(*loaded.arguments(*TEN, "--output", "table"))
    assert done.returncode == 0
    for text in ("p99.9", "from when it was due", "10 due, 10 sent, 10 right", "of a core"):
        assert text in done.stdout


def test_interrupted_it_prints_what_there_is(loaded: Loaded, holding: Held) -> None:
    asked = ("--bastjanst", "SO", "--rate", "40", "--seconds", "20")
    process = subprocess.Popen(
        [sys.executable, "-m", "ssbtek_gateway", *loaded.arguments(*asked)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert " in flight" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=SECONDS)
    result = json.loads(stdout)
    assert (process.returncode, result["interrupted"], "Traceback" in stderr) == (1, True, False)
    assert result["unfinished"] >= len(holding.asked) > 0
    assert result["due"] == result["right"] + result["failed"] + result["unfinished"]


def test_production_is_refused_unless_its_host_is_named(pki: Path, tmp_path: Path, loaded: Loaded) -> None:
    authority = made.Authority("first")
    made.put(tmp_path / "first.pem", authority.pem())
    made.put(tmp_path / "first.crl", authority.crl())
    authority.leaf().write(tmp_path, "client")
    with controlled_agencies(pki) as (agencies, _):
        path = place(pki, tmp_path, agencies, issuer("first", "first.crl"))
        path.write_text(path.read_text("utf-8").replace('miljo = "test"', 'miljo = "produktion"'), encoding="utf-8")
        with serving(tmp_path, path) as production:
            there = Loaded(production, 0, loaded.held)
            for allowed in ((), ("--allow-host", "localhost")):
                refused = run_here(*there.arguments(*TEN, *allowed))
                assert (refused.returncode, refused.stdout) == (2, "")
                assert "127.0.0.1 says that it is produktion" in refused.stderr
                assert "--allow-host 127.0.0.1" in refused.stderr
            assert rows(production) == []
            code, result = there.load(*TEN, "--bastjanst", "SO", "--allow-host", "127.0.0.1")
            assert (code, result["miljo"], result["right"]) == (0, "produktion", 10)


def test_a_service_that_does_not_say_what_it_is_counts_as_production(loaded: Loaded, agencies: int) -> None:
    refused = run_here(*loaded.arguments("--url", f"https://127.0.0.1:{agencies}/so"))
    assert refused.returncode == 2
    assert "does not say that it is for tests" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--rate", "1000", "--seconds", "1001"], 2, "at most 1000000"),
        (["--rate", "0"], 2, "--rate"),
        (["--rate", "nan"], 2, "--rate"),
        (["--in-flight", "5001"], 2, "--in-flight"),
        (["--persona", "nobody"], 2, "there is no nobody"),
        (["--bastjanst", "XX"], 2, "XX is not one of"),
        (["--cert", "/nonexistent"], 2, "dev-pki"),
        (["--url", "http://127.0.0.1/ssbt/10"], 2, "is not https"),
        (["--url", "https://127.0.0.1:{unused}/ssbt/10"], 1, "nothing listens"),
    ],
)
def test_what_is_wrong_is_said(loaded: Loaded, unused_port: int, arguments: list[str], code: int, text: str) -> None:
    done = run_here(*loaded.arguments(*(argument.format(unused=unused_port) for argument in arguments)))
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
