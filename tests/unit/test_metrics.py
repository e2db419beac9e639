"""What is counted: by which labels, over several processes, and that nothing of a message can become one."""

from __future__ import annotations

import ast
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter as Multiset
from contextlib import closing
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import pytest
from counted import Change, value
from unit.builders import (
    CALLER,
    CONTRACT,
    KOMMUN,
    PERSON,
    FakeService,
    af_answer,
    data,
    flow,
    operation,
    organisation,
    question,
)
from vectors import make

from ssbtek_gateway import metrics, telemetry
from ssbtek_gateway.audit import AuditError, record, store
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.store import AuditStore
from ssbtek_gateway.config import SkvDelar
from ssbtek_gateway.families import Counter, Gauge, Histogram
from ssbtek_gateway.faults import GatewayFault, agency_fault, failure
from ssbtek_gateway.inbound import framing
from ssbtek_gateway.model import Bedomning, Data, EncodedPayload, Verdict
from ssbtek_gateway.services import csn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from ssbtek_gateway.model import Outcome

PACKAGE = Path(__file__).parents[2] / "ssbtek_gateway"


def shown(family: Counter | Gauge | Histogram) -> dict[tuple[str, tuple[str, ...]], float]:
    metric: Metric = family.shown(family.read())
    return {(sample.name, tuple(sample.labels.values())): sample.value for sample in metric.samples}


# The kinds


def test_a_counter_that_is_started_is_there_before_anything_happened() -> None:
    counter = Counter("c", "text", "reason")
    counter.start([("a",), ("b",)])
    counter.inc("b")
    counter.inc("c")
    counter.start([("b",)])
    assert shown(counter) == {("c_total", ("a",)): 0, ("c_total", ("b",)): 1, ("c_total", ("c",)): 1}


def test_a_histogram_counts_up_to_and_with_each_bound() -> None:
    histogram = Histogram("h", "text", (0.1, 1.0), "service")
    for seconds in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(seconds, "AF")
    assert shown(histogram) == {
        ("h_bucket", ("AF", "0.1")): 2,
        ("h_bucket", ("AF", "1.0")): 3,
        ("h_bucket", ("AF", "+Inf")): 4,
        ("h_count", ("AF",)): 4,
        ("h_sum", ("AF",)): 7.65,
    }


def test_a_gauge_is_read_when_it_is_shown() -> None:
    places = [1]
    gauge = Gauge("g", "text")
    gauge.watch(lambda: places[0])
    places[0] = 5
    assert shown(gauge) == {("g", ()): 5}


# Several processes

WORKER = """
import sys
from ssbtek_gateway import metrics
breaker, seconds = int(sys.argv[1]), float(sys.argv[2])
metrics.OUTCOMES.inc("AF", "SVARAT")
metrics.SERVICE_SECONDS.observe(seconds, "AF")
metrics.BREAKER_STATE.watch(lambda: breaker, "AF")
metrics.PLACES_USED.watch(lambda: 3)
with metrics.published():
    sys.stdin.read()
"""
# Forgets those it is given, then shows.
SUPERVISOR = """
import sys
from ssbtek_gateway import metrics
for pid in sys.argv[1:]:
    metrics.forget(int(pid))
sys.stdout.buffer.write(metrics.exposition())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


def worker(breaker: int, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, str(breaker), str(seconds)], stdin=subprocess.PIPE)


def supervisor(*forgotten: int) -> bytes:
    command = [sys.executable, "-c", SUPERVISOR, *map(str, forgotten)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


@pytest.fixture
def workers(folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two, whose numbers are in the folder: the one is well, the other finds AF away."""
    running = [worker(0, 0.2), worker(2, 20)]
    while len(list(folder.glob("*.json"))) < 2:
        sleep(0.01)  # bounded by the test's own limit
    yield running
    for process in running:
        process.kill()
        process.communicate()


def test_the_numbers_of_two_processes_are_one(workers: list[subprocess.Popen[bytes]], folder: Path) -> None:
    text = supervisor()
    assert value(text, "ssbtek_outcomes_total", service="AF", outcome="SVARAT") == 2
    assert value(text, "ssbtek_service_seconds_bucket", service="AF", le="0.25") == 1
    assert value(text, "ssbtek_service_seconds_bucket", service="AF", le="30.0") == 2
    assert value(text, "ssbtek_service_seconds_sum", service="AF") == 20.2
    # The worst breaker, places together.
    assert value(text, "ssbtek_breaker_state", service="AF") == 2
    assert value(text, "ssbtek_places_used") == 6
    assert value(text, "ssbtek_workers") == 2
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{process.pid}.json" for process in workers)


@pytest.mark.parametrize("end", [signal.SIGKILL, None], ids=["killed", "ended"])
def test_of_a_worker_that_has_ended_the_counts_stay_and_the_gauges_go(
    workers: list[subprocess.Popen[bytes]], folder: Path, end: signal.Signals | None
) -> None:
    gone = workers[1]
    if end is not None:
        gone.send_signal(end)
    gone.communicate()
    for _ in range(2):
        text = supervisor(gone.pid)
        assert value(text, "ssbtek_outcomes_total", service="AF", outcome="SVARAT") == 2
        assert value(text, "ssbtek_service_seconds_count", service="AF") == 2
        assert value(text, "ssbtek_breaker_state", service="AF") == 0
        assert value(text, "ssbtek_places_used") == 3
        assert value(text, "ssbtek_workers") == 1
    assert sorted(path.name for path in folder.iterdir()) == sorted(["ended.json", f"{workers[0].pid}.json"])
    # The one after it, too.
    workers[0].communicate()
    assert value(supervisor(workers[0].pid), "ssbtek_outcomes_total", service="AF", outcome="SVARAT") == 2


def test_what_a_worker_counts_last_is_not_lost(folder: Path) -> None:
    with metrics.published():
        metrics.OUTCOMES.inc("MIV", "SSBT SPARRAD")
    (written,) = folder.iterdir()
    assert '["MIV", "SSBT SPARRAD"]' in written.read_text()


def test_a_folder_that_cannot_be_written_holds_up_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder / "later"))
    with metrics.published():
        metrics.OUTCOMES.inc("MIV", "SSBT SPARRAD")
        (folder / "later").mkdir()
    assert len(list((folder / "later").iterdir())) == 1


def test_one_process_shows_its_own_numbers() -> None:
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    metrics.forget(1)
    with Change() as change, metrics.published():
        metrics.OUTCOMES.inc("AF", "SVARAT")
    assert change.of("ssbtek_outcomes_total") == {("SVARAT", "AF"): 1}


def test_who_serves_the_metrics_need_not_load_the_gateway() -> None:
    loaded = "import sys; from ssbtek_gateway import metrics; metrics.exposition(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True)
    assert {name for name in done.stdout.split() if name.startswith("ssbtek_gateway.")} == {
        "ssbtek_gateway.metrics",
        "ssbtek_gateway.families",
    }


# Labels


def test_every_name_and_label_follows_the_conventions() -> None:
    names = [family.name for family in metrics.FAMILIES]
    assert len(names) == len(set(names)) > 20
    for family in metrics.FAMILIES:
        assert re.fullmatch(r"ssbtek(_[a-z]+)+", family.name)
        assert family.text
        assert not isinstance(family, Counter) or not family.name.endswith("_total")


def test_whatever_an_agency_calls_itself_or_its_fault_is_no_label() -> None:
    outcomes: dict[str, Outcome] = {
        "AF": agency_fault(PERSON, reason="x"),
        "SO": Data(
            EncodedPayload("svar", b""),
            (Bedomning("Tolvans kassa", Verdict.SVARAT), Bedomning(PERSON, Verdict.KAN_EJ_AVGORAS, "x")),
        ),
        "FK": Data(EncodedPayload("svar", b""), (Bedomning("PM", Verdict.INGET_FUNNET),)),
        "TNS": failure("TIMEOUT"),
    }
    with Change() as change:
        telemetry.answered(question(), outcomes, {"AF": 0.2, "SO": 30}, 30)
    assert change.of("ssbtek_outcomes_total") == {
        ("BT", "AF"): 1,
        ("SVARAT+KAN_EJ_AVGORAS", "SO"): 1,
        ("INGET_FUNNET", "FK"): 1,
        ("SSBT TIMEOUT", "TNS"): 1,
    }
    assert change.of("ssbtek_verdicts_total") == {
        ("SO", "SO", "SVARAT"): 1,
        ("SO", "SO", "KAN_EJ_AVGORAS"): 1,
        ("PM", "FK", "INGET_FUNNET"): 1,
    }
    assert change.of("ssbtek_service_seconds_count") == {("AF",): 1, ("SO",): 1}
    assert b"Tolvan" not in metrics.exposition()
    assert PERSON.encode() not in metrics.exposition()


def test_the_parts_of_csn_and_skv_are_shown_by_name() -> None:
    systems = {f"CSN {system}" for system in csn._SYSTEMS}  # noqa: SLF001 - a list of its own would not prove it
    parts = {f"SKV {part}" for part in SkvDelar.model_fields}
    assert systems | parts <= telemetry.ORGANISATIONS


@pytest.mark.anyio
async def test_a_version_is_used_by_whom_the_register_has_and_nobody_else() -> None:
    way = flow({"AF": FakeService(data(af_answer()))}, organisations=[organisation()])
    with Change() as change:
        await way.hamta(CONTRACT, operation(make.TEMPLATE), CALLER, "incident-1")
        with pytest.raises(GatewayFault):
            await way.hamta(CONTRACT, operation(make.TEMPLATE.replace(KOMMUN, "162120009994")), CALLER, "incident-2")
    assert change.of("ssbtek_version_use_total") == {(KOMMUN, "10"): 1}


def test_every_reason_to_refuse_before_it_is_known_who_asks_is_shown_from_the_start() -> None:
    reasons = Multiset(str(status) for status in framing.UNREADABLE_TEXTS)
    for module in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"metrics.REFUSALS.inc", "HttpError"}:
                reasons.update(str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant))
    assert {(reason,) for reason in reasons} == set(metrics.REFUSALS.read())


# The audit


@pytest.mark.anyio
async def test_groups_that_are_written_and_those_that_cannot_be(tmp_path: Path) -> None:
    database = tmp_path / "audit.sqlite"
    audit = await AuditStore.open(Sqlite(database), ChainKey(b"c" * 32))
    row = record.denied("incident-1", CALLER, "FOR_STOR")
    with Change() as change:
        await audit.append(row)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("ALTER TABLE audit RENAME TO away")
        with pytest.raises(AuditError):
            await audit.append(row)
    assert change.of("ssbtek_audit_commit_seconds_count") == {(): 1}
    assert change.of("ssbtek_audit_group_rows_bucket")[("1.0",)] == 1
    assert change.of("ssbtek_audit_failures_total") == {("commit",): 1}
    # Whether a row that nobody waits for any more is still tried depends on when the writer sees it.
    with Change() as change, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_SECONDS", 0)
        with pytest.raises(AuditError, match="not on disk in time"):
            await audit.append(row)
    assert change.of("ssbtek_audit_failures_total")[("late",)] == 1
    await audit.close()
