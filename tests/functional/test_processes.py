"""`serve` as an operator runs it: several processes, killed and stopped, and what the management port says of them."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import canaries
import pytest
from counted import value
from functional.test_cli import run
from harness import START_SECONDS, Gateway, configuration, running_agencies

from ssbtek_gateway.metrics import CONTENT_TYPE
from ssbtek_gateway.sockets import claim
from ssbtek_gateway.supervisor import management

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

SLOW_SECONDS = 2
# Compiled parts of what no supervisor needs.
HEAVY = ("lxml", "pydantic_core", "uvloop", "cryptography", "sqlalchemy", "aiohttp", "httptools")
MANAGED = """
[management]
port = 0
warn_days = 400
[processes]
workers = 2
hung_seconds = 5
"""


class Serving:
    """`serve` in a process of its own, and what it logs."""

    def __init__(self, config: Path) -> None:
        self.config = config
        command = [sys.executable, "-m", "ssbtek_gateway", "serve", "--config", str(config)]
        # A supervisor that is killed leaves its temporary folder.
        environment = os.environ | {"TMPDIR": str(config.parent)}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                canaries.search("log", line)
                self.lines.append(json.loads(line) if line[0] == "{" else {"event": line})

    def logged(self, event: str) -> dict[str, Any]:
        """The first such line, once it is there."""
        line: dict[str, Any] = until(lambda: next((line for line in self.lines if line["event"] == event), None))
        return line

    def ended(self) -> int:
        """The exit code, when all of its processes have ended."""
        code = self.process.wait(START_SECONDS)
        self._reader.join(START_SECONDS)  # until the last of them has closed its standard error
        assert not self._reader.is_alive()
        canaries.search_files(self.config.parent)
        return code

    def search(self) -> None:
        """For canaries in what it shows while it runs."""
        canaries.search_processes(self.process.pid)
        canaries.search_files(self.config.parent)  # some are gone when it has ended
        for page in ("/health/ready", "/health/live", "/metrics"):
            with suppress(OSError):  # its process may have been killed
                canaries.search(page, self.health(page)[2])

    def health(self, path: str = "/health/ready", method: str = "GET") -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.logged("management")["port"], timeout=10)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def state(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.health()[2])

    def pids(self) -> list[int]:
        return [worker["pid"] for worker in self.state()["workers"]]


def until(found: Callable[[], Any]) -> Any:  # noqa: ANN401 - what is found
    """What is found, once it is there."""
    deadline = time.monotonic() + START_SECONDS
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


@contextmanager
def started(config: Path) -> Iterator[Serving]:
    running = Serving(config)
    try:
        until(lambda: running.health()[0] == HTTPStatus.OK)
        yield running
        running.search()
    finally:
        running.process.terminate()
        running.ended()


@pytest.fixture(scope="module")
def slow(pki: Path) -> Iterator[int]:
    """The port of agencies of which SO takes its time."""
    with running_agencies(pki, f"SO=slow:{SLOW_SECONDS}") as port:
        yield port


@pytest.fixture(scope="module")
def serving(pki: Path, slow: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Two workers, which the tests kill and stop one after the other."""
    with started(configuration(pki, tmp_path_factory.mktemp("serving"), slow, MANAGED, connected=["SO"])) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_it_was(request: pytest.FixtureRequest) -> None:
    if "serving" in request.fixturenames:
        until(lambda: request.getfixturevalue("serving").health()[0] == HTTPStatus.OK)


@pytest.fixture
def body(question: str) -> bytes:
    return question.encode()


def gateway(serving: Serving, pki: Path) -> Gateway:
    port, documents_port = serving.logged("listening")["ports"]
    return Gateway(port, documents_port, pki, serving.config.with_name("audit.sqlite"))


def recorded(serving: Serving, handelse: str) -> list[int]:
    """How many such rows each worker has written."""
    counts = []
    for name in ("audit.sqlite", "audit.2.sqlite"):
        with closing(sqlite3.connect(serving.config.with_name(name))) as audit:
            counts += audit.execute("SELECT count(*) FROM audit WHERE handelse = ?", (handelse,)).fetchone()
    return counts


@contextmanager
def asking(serving: Serving, pki: Path, body: bytes, questions: int) -> Iterator[tuple[list[int], list[Future[Any]]]]:
    """Questions that each worker is answering: how many it has, and what comes of each."""
    before = recorded(serving, "FRAGAD")
    with ThreadPoolExecutor(questions) as pool:
        answers = [pool.submit(gateway(serving, pki).post, body) for _ in range(questions)]

        def taken() -> list[int]:
            return [now - then for now, then in zip(recorded(serving, "FRAGAD"), before, strict=True)]

        until(lambda: sum(taken()) == questions)
        yield taken(), answers


def test_every_worker_answers_and_writes_an_audit_of_its_own(serving: Serving, pki: Path, body: bytes) -> None:
    # Refused ones, which cost no wait.
    until(lambda: gateway(serving, pki).post(body, who="grannkommun")[0] == 500 and all(recorded(serving, "NEKAD")))


def test_the_supervisor_carries_nothing_of_what_a_worker_needs(serving: Serving) -> None:
    process = Path("/proc", str(serving.process.pid))
    mapped = (process / "maps").read_text(encoding="utf-8")
    assert "python" in mapped
    assert [name for name in HEAVY if name in mapped] == []
    resident = int((process / "statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize()
    assert resident < 40_000_000


def test_the_management_port_tells_state_and_nothing_else(serving: Serving) -> None:
    status, headers, told = serving.health()
    state = json.loads(told)
    assert (status, headers["Cache-Control"], headers["Content-Type"]) == (200, "no-store", "application/json")
    assert (state["ready"], state["reasons"]) == (True, [])
    assert [(worker["worker"], worker["bastjanster"]) for worker in state["workers"]] == [
        (1, {"SO": None}),
        (2, {"SO": None}),
    ]
    # A development certificate lasts for a year, and warn_days is longer.
    assert [warning.partition(" expires ")[0] for warning in state["warnings"]] == [
        "listen.certificate (server.pem)",
        "listen.client_authorities (ca.pem)",
        "bastjanst.SO.certificate (gateway.pem)",
    ]
    assert serving.health("/health/live")[::2] == (200, b'{\n "live": true\n}\n')
    assert serving.health("/health/live", "HEAD")[::2] == (200, b"")
    assert serving.health("/health/ready?x")[0] == 404
    assert serving.health("/")[0] == 404
    assert serving.health(method="POST")[0] == 405


def test_a_killed_worker_costs_no_other_question_and_is_replaced(serving: Serving, pki: Path, body: bytes) -> None:
    killed, other = serving.pids()
    with asking(serving, pki, body, 12) as (taken, answers), ThreadPoolExecutor(12) as pool:
        os.kill(killed, signal.SIGKILL)
        # About half of these wait for its replacement.
        fetched = [pool.submit(document, gateway(serving, pki)) for _ in range(12)]
        assert [one.result() for one in fetched] == [200] * 12
        broken = [one for one in answers if isinstance(one.exception(), OSError)]
        assert [one.result()[0] for one in answers if one not in broken] == [200] * taken[1]
        assert len(broken) == taken[0]
    replacement, same = serving.pids()
    assert (replacement != killed, same) == (True, other)


def test_the_metrics_are_of_all_workers_and_outlive_each(serving: Serving, pki: Path, body: bytes) -> None:
    def refused() -> int:
        # What a worker counted is shown within a second.
        labels = {"version": "10", "operation": "hamtaBastjanstInformation", "result": "EJ_BEHORIG"}
        return int(value(serving.health("/metrics")[2], "ssbtek_questions_total", **labels))

    before, noted = refused(), recorded(serving, "NEKAD")

    def new() -> list[int]:
        return [now - then for now, then in zip(recorded(serving, "NEKAD"), noted, strict=True)]

    until(lambda: gateway(serving, pki).post(body, who="grannkommun")[0] == 500 and all(new()))
    until(lambda: refused() == before + sum(new()))
    killed = serving.pids()[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: serving.health()[0] == HTTPStatus.OK and killed not in serving.pids())
    until(lambda: value(serving.health("/metrics")[2], "ssbtek_workers") == 2)
    status, headers, _ = serving.health("/metrics")
    assert (status, headers["Content-Type"], refused()) == (200, CONTENT_TYPE, before + sum(new()))


def document(running: Gateway) -> int:
    connection = running.connection()
    try:
        connection.request("GET", "/ssbt/10?wsdl")
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_worker_that_stands_still_is_replaced(serving: Serving) -> None:
    stopped = serving.pids()[1]
    os.kill(stopped, signal.SIGSTOP)
    assert serving.logged("worker hangs and is killed")["worker"] == 2
    until(lambda: stopped not in serving.pids())


def test_a_worker_that_cannot_be_built_again_is_tried_until_it_can(serving: Serving) -> None:
    killed, kept = serving.pids()
    good = serving.config.read_text(encoding="utf-8")
    serving.config.write_text("broken", encoding="utf-8")
    os.kill(killed, signal.SIGKILL)
    until(lambda: sum(line["event"] == "worker ended" and line["code"] == 1 for line in serving.lines) > 1)
    serving.config.write_text(good, encoding="utf-8")
    # Two: the new one has told of itself.
    now = until(lambda: (pids := serving.pids()) and len(pids) == 2 and killed not in pids and pids)
    assert now[1] == kept


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def test_an_audit_that_cannot_be_written_is_a_reason_until_it_can(serving: Serving, pki: Path, body: bytes) -> None:
    writers = [int(pid) for worker in serving.pids() for pid in children(worker)]
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in writers}
    assert len(limits) == 2
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    status, answer = gateway(serving, pki).post(body)
    assert (status, b"INTERNT_FEL" in answer) == (500, True)
    until(lambda: serving.health()[0] == HTTPStatus.SERVICE_UNAVAILABLE)
    (told,) = serving.state()["reasons"]
    assert re.fullmatch(r"worker [12]: the audit cannot be written since 20[-:\dTZ]+: OperationalError", told)
    assert serving.health("/health/live")[0] == HTTPStatus.OK
    for pid, limit in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)
    until(lambda: serving.health()[0] == HTTPStatus.OK)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_questions_that_were_asked_are_answered_whether_the_supervisor_is_stopped_or_killed(
    pki: Path, tmp_path: Path, slow: int, body: bytes, number: int, code: int
) -> None:
    with (
        started(configuration(pki, tmp_path, slow, MANAGED, connected=["SO"])) as running,
        asking(running, pki, body, 4) as (_, answers),
    ):
        running.process.send_signal(number)
        assert [one.result()[0] for one in answers] == [200] * 4
        assert running.ended() == code


def test_what_cannot_be_started_is_told_once_and_not_tried_again(
    serving: Serving, pki: Path, tmp_path: Path, slow: int
) -> None:
    path = configuration(pki, tmp_path, slow, "[processes]\nworkers = 1")
    good = path.read_text(encoding="utf-8")
    port = serving.logged("listening")["ports"][0]
    (tmp_path / "garbage.sqlite").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    for wrong, told in (
        (good.replace("audit.key", "nowhere.key"), "audit.key: "),
        # Only a worker finds out.
        (good.replace("audit.sqlite", "garbage.sqlite"), "the audit database cannot be opened"),
        (good.replace("port = 0", f"port = {port}"), f"cannot listen on 127.0.0.1:{port}: Address already in use"),
    ):
        path.write_text(wrong, encoding="utf-8")
        done = run("serve", "--config", path)
        assert (done.returncode, told in done.stderr) == (1, True), done.stderr
        assert done.stderr.count('"worker ended"') <= 1
        assert "Traceback" not in done.stderr


def test_an_address_is_taken_before_anybody_listens_on_it() -> None:
    keeper, shared = claim("127.0.0.1", 0, 2)
    with keeper, shared[0], shared[1]:
        address = keeper.getsockname()
        assert [one.getsockname() for one in shared] == [address] * 2
        with pytest.raises(OSError, match=r"cannot listen on 127\.0\.0\.1:\d+: Address already in use"):
            claim("127.0.0.1", address[1], 2)


@pytest.mark.anyio
async def test_the_management_port_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(management, "_SECONDS", 0.2)
    async with await management.listen(socket.create_server(("127.0.0.1", 0)), {}) as server:
        for sent in (b"", b"GET / HTTP/1.1\r\n", b"x" * 20_000):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(sent)
            with suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), START_SECONDS) == b""
            writer.close()
