"""What is counted, and how whoever serves `/metrics` gets it (docs/operate/metrics.md).

A process counts in plain lists: prometheus-client's own cells cost several times as much where processes share them
(docs/decisions/0011). Where PROMETHEUS_MULTIPROC_DIR names a folder, each worker writes its numbers once a second to a
file of its own there, and `exposition` adds them together.

Labels are from closed lists, or organisation numbers of the register: never anything that a message says.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from ssbtek_gateway import __version__
from ssbtek_gateway.families import Counter, Family, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from ssbtek_gateway.families import Cells

    # By metric; in a file, the cells are a list of pairs.
    Numbers = Mapping[str, Cells]

CONTENT_TYPE = CONTENT_TYPE_LATEST
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_ENDED = "ended.json"
_SECONDS = 1
# A worker's file must not go into the sum of the ended while somebody reads both.
_reading = threading.Lock()
# Above its deadline, a question has waited for a place.
_QUESTION = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 25, 30)
_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_GROUP = (1, 2, 5, 10, 20, 50, 100, 200)


QUESTIONS = Counter(
    "ssbtek_questions",
    "Messages from callers whose certificate names an organisation, by what came of them.",
    *("version", "operation", "result"),
)
QUESTION_SECONDS = Histogram(
    "ssbtek_question_seconds",
    "From the whole message read to its answer written; faults left out.",
    _QUESTION,
    "operation",
)
OUTCOMES = Counter("ssbtek_outcomes", "What came of each base service in answered questions.", "service", "outcome")
VERDICTS = Counter("ssbtek_verdicts", "What each answering organisation said.", "service", "organisation", "verdict")
SERVICE_SECONDS = Histogram(
    "ssbtek_service_seconds",
    "How long a base service took that was sent a question, failures included.",
    _QUESTION,
    "service",
)
VERSION_USE = Counter(
    "ssbtek_version_use", "Authorised questions, by the ingivare of the register.", "organisation", "version"
)
REFUSALS = Counter(
    "ssbtek_unauthenticated_refusals",
    "Requests refused before they were read, or before it was known who asks.",
    "reason",
)
ACCEPTED = Counter("ssbtek_connections_accepted", "TCP connections, before TLS.")
HANDSHAKES = Counter("ssbtek_tls_handshakes", "Connections whose TLS handshake was completed.")
CONNECTIONS = Gauge("ssbtek_connections", "Open connections from callers.")
BREAKER_STATE = Gauge(
    "ssbtek_breaker_state", "0 closed, 1 half-open, 2 open; the worst of the workers.", "service", merge=max
)
PLACES = Gauge("ssbtek_places", "Questions that can be answered at once.")
PLACES_USED = Gauge("ssbtek_places_used", "Questions being answered.")
QUEUE_LENGTH = Gauge("ssbtek_queue_length", "Questions waiting for a place.")
AUDIT_COMMIT_SECONDS = Histogram("ssbtek_audit_commit_seconds", "One durable commit of a group of rows.", _COMMIT)
AUDIT_GROUP_ROWS = Histogram("ssbtek_audit_group_rows", "Rows in one commit.", _GROUP)
AUDIT_FAILURES = Counter("ssbtek_audit_failures", "Groups not committed, and rows not on disk in time.", "reason")
LOG_LOST = Counter("ssbtek_log_lines_lost", "Log lines that standard error could not take at once.")
WORKERS = Gauge("ssbtek_workers", "Processes that answer questions.")
WRITTEN = Gauge("ssbtek_numbers_written_timestamp_seconds", "The oldest of the workers' numbers here.", merge=min)
BUILD_INFO = Gauge("ssbtek_build_info", "Always 1; the version of this program.", "version", merge=max)

FAMILIES = tuple(value for value in list(globals().values()) if isinstance(value, Family))
"""Every metric that there is."""

AUDIT_FAILURES.start([("commit",), ("late",)])
REFUSALS.start([(reason,) for reason in ("400", "404", "405", "408", "411", "413", "414", "415")])
REFUSALS.start([(reason,) for reason in ("417", "431", "501", "503", "505")])
REFUSALS.start([("slow",), ("gone",), ("no_organisation",)])
for _plain in (ACCEPTED, HANDSHAKES, LOG_LOST):
    _plain.start([()])
BUILD_INFO.watch(lambda: 1, __version__)


class _Shown(Collector):
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        return (family.shown(self._numbers[family.name]) for family in FAMILIES)


def exposition() -> bytes:
    """This process's numbers in Prometheus' text format, with those of the workers where a folder has them."""
    folder = _folder()
    with _reading:
        written = [] if folder is None else [path for path in folder.glob("*.json") if path != _own(folder)]
        return generate_latest(_Shown(_merged([_now(), *map(_load, written)])))


def forget(pid: int) -> None:
    """Keep what a worker that has ended counted, and drop its gauges. Without a folder there is nothing to do."""
    folder = _folder()
    if folder is None:
        return
    ended, gone = folder / _ENDED, folder / f"{pid}.json"
    with _reading:
        if gone.exists():
            numbers = _merged([_load(path) for path in (ended, gone) if path.exists()])
            gauges = {family.name for family in FAMILIES if isinstance(family, Gauge)}
            _store(ended, {name: cells for name, cells in numbers.items() if name not in gauges})
        for path in (gone, _part(gone)):
            path.unlink(missing_ok=True)


@contextmanager
def published() -> Iterator[None]:
    """A worker's numbers are in the folder, if there is one, until the block ends; what was counted stays there.

    A thread of its own writes them, which a disk that hangs holds up alone.
    """
    folder = _folder()
    if folder is None:
        yield
        return
    WORKERS.watch(lambda: 1)
    WRITTEN.watch(time)
    ended = threading.Event()

    def write() -> None:
        going_on = True
        while going_on:
            going_on = not ended.is_set()
            # What cannot be written now, the next second can: until then WRITTEN tells how old the numbers are.
            with suppress(OSError):
                _store(_own(folder), _now())
            ended.wait(_SECONDS)

    writer = threading.Thread(target=write, name="metrics", daemon=True)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join(_SECONDS)


def _folder() -> Path | None:
    return Path(os.environ[_FOLDER]) if _FOLDER in os.environ else None


def _own(folder: Path) -> Path:
    return folder / f"{os.getpid()}.json"


def _part(path: Path) -> Path:
    return path.with_suffix(".part")


def _now() -> Numbers:
    return {family.name: family.read() for family in FAMILIES}


def _merged(several: list[Numbers]) -> Numbers:
    merged: dict[str, Cells] = {}
    for family in FAMILIES:
        found = [numbers.get(family.name, {}) for numbers in several]
        merged[family.name] = {
            labels: family.merged(cells[labels] for cells in found if labels in cells)
            for labels in {labels for cells in found for labels in cells}
        }
    return merged


def _store(path: Path, numbers: Numbers) -> None:
    """Whole or not at all, to whoever reads it."""
    text = json.dumps({name: list(cells.items()) for name, cells in numbers.items()})
    _part(path).write_text(text, encoding="utf-8")
    _part(path).replace(path)


def _load(path: Path) -> Numbers:
    written = json.loads(path.read_text(encoding="utf-8"))
    return {name: {tuple(labels): cells for labels, cells in pairs} for name, pairs in written.items()}
