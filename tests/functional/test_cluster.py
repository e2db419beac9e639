"""Two nodes behind nginx, with one PostgreSQL and one Redis, from the files in examples/cluster; each part dies once.

`make cluster-test`. No duration decides anything: what is waited for are events, for a generous while.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from counted import samples
from external import missing, need
from functional.test_processes import Serving, until
from harness import START_SECONDS, Gateway, running_agencies
from redis_server import PASSWORD, RedisServer, running_redis
from vectors.make import KOMMUN, TEMPLATE

from ssbtek_gateway import config, materials
from ssbtek_gateway.audit import reader
from ssbtek_gateway.audit.backend import Postgresql as Backend
from ssbtek_gateway.audit.migrate import migrate
from ssbtek_gateway.audit.verify import verify
from ssbtek_gateway.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgresql import Postgresql

    from ssbtek_gateway.simulator.agency import Exchange
    from ssbtek_gateway.simulator.asgi import Receive, Scope, Send

pytestmark = pytest.mark.external

EXAMPLES = Path(__file__).parents[2] / "examples" / "cluster"
STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
AUDIT = "postgresql://ssbtek@127.0.0.1:5433/audit?sslmode=verify-full&sslrootcert=certs/dev/ca.pem"
NEIGHBOUR, ITS_DAY = "162120009994", 6
CLIENTS = 4
QUESTIONS_A_CONNECTION = 5
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Agency(Fault):
    """SO, which counts its questions and answers while `opened` is set."""

    opened: threading.Event = field(default_factory=threading.Event)
    asked: list[None] = field(default_factory=list)

    async def play(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        self.asked.append(None)
        while not self.opened.is_set():  # noqa: ASYNC110 - it is set on another thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)  # the load is bounded by this, not by what the machine can do
        await exchange.good().send(send)


@dataclass
class Node:
    """One gateway, which can be killed and started again."""

    config: Path
    pki: Path
    serving: Serving

    def start(self) -> None:
        self.serving = Serving(self.config)
        until(self.ready)

    def kill(self) -> None:
        """All its processes at once, as a machine that loses power; the supervisor first, which would start others."""
        pids = [self.serving.process.pid, *self.serving.pids()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.serving.ended()

    def ready(self) -> bool:
        return self.serving.health()[0] == http.HTTPStatus.OK

    def answered(self) -> float:
        """Questions, since it was started."""
        found = samples(self.serving.health("/metrics")[2])
        return sum(
            value
            for (name, labels), value in found.items()
            if name == "ssbtek_questions_total" and ("result", "answered") in labels
        )

    def warns(self) -> bool:
        return any("Redis does not answer" in one for one in self.serving.state()["warnings"])

    def post(self, body: str, who: str = "client") -> tuple[int, bytes]:
        return Gateway(self.serving.logged("listening")["ports"][0], 0, self.pki, self.config).post(body.encode(), who)


@dataclass(frozen=True)
class Cluster:
    balancer: Gateway
    nodes: tuple[Node, Node]
    agency: Agency
    postgresql: Postgresql
    database: str
    redis: RedisServer

    def rows(self, statement: str) -> list[tuple[str, ...]]:
        return self.postgresql.execute(statement, self.database)

    def intact(self) -> bool:
        settings = config.load(self.nodes[0].config)
        with reader.opened(materials.audit_backend(settings)) as parts:
            return not verify(parts, materials.chain_key(settings)).findings


class Load:
    """Clients that ask through the balancer, one question after the other, each about a case of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        # The case, its HTTP status, and the answer.
        self.told: list[tuple[str, int, bytes]] = []
        self.stop = threading.Event()

    def ask(self) -> None:
        """What one client does, with a new connection now and then, and after one that broke."""
        while not self.stop.is_set():
            connection = self.cluster.balancer.connection()
            try:
                for _ in range(QUESTIONS_A_CONNECTION):
                    self._question(connection)
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()

    def _question(self, connection: http.client.HTTPSConnection) -> None:
        case, status, answer = f"Fall-{next(_CASES)}", NO_ANSWER, b""
        try:
            body = TEMPLATE.replace("Ärende-17", case).encode()
            connection.request("POST", "/ssbt/10", body, {"Content-Type": "text/xml; charset=utf-8"})
            response = connection.getresponse()
            answer = response.read()
            status = response.status
        finally:
            self.told.append((case, status, answer))

    def statuses(self) -> Counter[int]:
        return Counter(status for _, status, _ in self.told)

    def answered(self) -> set[str]:
        return {case for case, status, _ in self.told if status == http.HTTPStatus.OK}

    def more(self, questions: int = 5 * CLIENTS) -> None:
        """Return when so many more have got what they get, whatever it is."""
        enough = len(self.told) + questions
        until(lambda: len(self.told) >= enough)


_CASES = count(1)


@contextmanager
def load(cluster: Cluster) -> Iterator[Load]:
    clients = Load(cluster)
    with ThreadPoolExecutor(CLIENTS) as pool:
        asking = [pool.submit(clients.ask) for _ in range(CLIENTS)]
        try:
            yield clients
        finally:
            cluster.agency.opened.set()
            clients.stop.set()
    for one in asking:
        one.result()


def filled(name: str, into: Path, replaced: dict[str, str]) -> Path:
    """A file of the example with what the test needs other; each place must be there."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    into.write_text(text, encoding="utf-8")
    return into


@contextmanager
def balancing(folder: Path, port: int, nodes: tuple[int, int]) -> Iterator[None]:
    """nginx with the example's configuration."""
    nginx = need("nginx", "nginx")
    if not STREAM.is_file():
        missing("nginx's stream module", "apt install libnginx-mod-stream")
    replaced = {":8443": f":{port}", ":8451": f":{nodes[0]}", ":8461": f":{nodes[1]}"}
    filled("nginx.conf", folder / "nginx.conf", replaced)
    command = [nginx, "-e", "stderr", "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or (folder / "nginx.pid").is_file())
        assert process.poll() is None, "nginx ended as it started"
        yield
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@contextmanager
def node(folder: Path, pki: Path, replaced: dict[str, str]) -> Iterator[Node]:
    folder.mkdir()
    path = filled("node.toml", folder / "node.toml", replaced)
    one = Node(path, pki, Serving(path))
    try:
        yield one
        one.serving.search()
    finally:
        one.serving.process.terminate()
        one.serving.ended()


def prepared(server: Postgresql, database: str) -> None:
    """The tables, made by their owner, and the role of the gateways, as the example's README has it."""
    for _ in migrate(Backend(server.url(database)), dry_run=False):
        pass
    role = (EXAMPLES / "audit-role.sql").read_text(encoding="utf-8")
    server.execute(role.replace(":'password'", f"'{PASSWORD}'"), database)


@pytest.fixture(scope="module")
def cluster(pki: Path, postgresql: Postgresql, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    balancer, redis_port, *doors = free_ports(6)
    secret = folder / "password"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    agency = Agency("slow")
    agency.opened.set()
    with ExitStack() as stack:
        # Those that need a Debian package first.
        stack.enter_context(balancing(folder, balancer, (doors[0], doors[1])))
        redis = stack.enter_context(running_redis(pki, redis_port))
        database = stack.enter_context(postgresql.database())
        prepared(postgresql, database)
        stack.callback(lambda: postgresql.execute("DROP OWNED BY ssbtek; DROP ROLE ssbtek", database))
        replaced = {
            "../../certs/dev": str(pki),
            "../../run/cluster/postgresql.password": str(secret),
            "../../run/cluster/redis.password": str(secret),
            "127.0.0.1:6380": f"127.0.0.1:{redis_port}",
            "127.0.0.1:8450": f"127.0.0.1:{stack.enter_context(running_agencies(pki, SO=agency))}",
            AUDIT: AUDIT.replace("5433/audit", f"{postgresql.port}/{database}").replace("certs/dev", str(pki)),
        }
        first, second = (
            stack.enter_context(node(folder / name, pki, replaced | {"= 8451": f"= {door}", "= 8452": f"= {managing}"}))
            for name, door, managing in (("first", doors[0], doors[2]), ("second", doors[1], doors[3]))
        )
        until(lambda: first.ready() and second.ready())
        yield Cluster(Gateway(balancer, 0, pki, folder), (first, second), agency, postgresql, database, redis)


def free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


# Of each case: its rows, in their order.
_BY_CASE = """
    SELECT asked.arende, string_agg(other.handelse, ' ' ORDER BY other.id)
    FROM audit asked JOIN audit other USING (incident) WHERE asked.handelse = 'FRAGAD' GROUP BY asked.arende
"""


def recorded(cluster: Cluster, clients: Load) -> dict[str, str]:
    """What the record says of each of these clients' questions; every answered one has both rows."""
    cases = {case for case, _, _ in clients.told}
    found = {case: rows for case, rows in cluster.rows(_BY_CASE) if case in cases}
    assert {case for case in clients.answered() if found.get(case) != "FRAGAD BESVARAD"} == set()
    return found


def test_a_node_that_is_killed_under_load_loses_no_record_and_comes_back(cluster: Cluster) -> None:
    killed, other = cluster.nodes
    asked = len(cluster.agency.asked)
    cluster.agency.opened.clear()
    with load(cluster) as clients:
        # Every client has a question at SO; nginx has given each node half of the connections.
        until(lambda: len(cluster.agency.asked) == asked + CLIENTS)
        killed.kill()
        cluster.agency.opened.set()
        clients.more()
        before = other.answered()
        until(lambda: other.answered() > before)

        killed.start()
        until(lambda: killed.answered() > 2 * CLIENTS)
    statuses = clients.statuses()
    # About half of the clients, as nginx spread them, had a question at the node that was killed.
    assert set(statuses) == {200, NO_ANSWER}
    assert 0 < statuses[NO_ANSWER] < CLIENTS
    rows = recorded(cluster, clients)
    found = Counter(rows.values())
    assert found["FRAGAD BESVARAD"] == statuses[200] == len(clients.answered())
    assert found.total() - found["FRAGAD BESVARAD"] == found["FRAGAD"] <= statuses[NO_ANSWER]
    # Nobody was asked about whom no row says so.
    assert len(cluster.agency.asked) - asked == len(rows)
    assert cluster.intact()


def test_a_days_allowance_is_counted_over_both_nodes(cluster: Cluster) -> None:
    body = TEMPLATE.replace(KOMMUN, NEIGHBOUR)
    told = [one.post(body, "grannkommun") for _ in range(ITS_DAY // 2) for one in cluster.nodes]
    assert [status for status, _ in told] == [200] * ITS_DAY
    for one in cluster.nodes:
        status, answer = one.post(body, "grannkommun")
        assert (status, b"FOR_MANGA" in answer) == (500, True)


def test_without_postgresql_nobody_is_asked_and_both_nodes_resume_by_themselves(cluster: Cluster) -> None:
    with load(cluster) as clients:
        clients.more()
        cluster.postgresql.stop()
        try:
            until(lambda: not any(one.ready() for one in cluster.nodes))
            # What had been asked when it stopped has ended by now, for each client has one question at a time.
            clients.more(2 * CLIENTS)
            asked, refused = len(cluster.agency.asked), len(clients.told)
            clients.more()
            assert len(cluster.agency.asked) == asked
            told = clients.told[refused:]
            assert all(status == 500 and b"INTERNT_FEL" in answer for _, status, answer in told)
        finally:
            cluster.postgresql.start()
        until(lambda: all(one.ready() for one in cluster.nodes))
        before = [one.answered() for one in cluster.nodes]
        until(lambda: all(one.answered() > then for one, then in zip(cluster.nodes, before, strict=True)))
    # No connection broke.
    assert clients.statuses().keys() == {200, 500}
    recorded(cluster, clients)
    assert cluster.intact()


def test_without_redis_no_question_is_refused(cluster: Cluster) -> None:
    with load(cluster) as clients:
        clients.more()
        cluster.redis.stop()
        try:
            until(lambda: all(one.warns() for one in cluster.nodes))
            clients.more()
        finally:
            cluster.redis.start()
        until(lambda: not any(one.warns() for one in cluster.nodes))
        clients.more()
    assert clients.statuses().keys() == {200}
    recorded(cluster, clients)
