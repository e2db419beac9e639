"""What a question's metrics and log lines cost, run by hand: `PYTHONPATH=tests python tests/load/telemetry_cost.py`.

The calls that one question makes are recorded and played again, on our own cells and on prometheus-client's
(docs/decisions/0011).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable

# Before prometheus-client is imported: that is when it decides.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp())

import prometheus_client
from unit.builders import CALLER, question

from ssbtek_gateway import metrics, observe, telemetry
from ssbtek_gateway.config import KODER
from ssbtek_gateway.families import Counter, Histogram
from ssbtek_gateway.model import Bedomning, Data, EncodedPayload, Verdict

Call = tuple[Any, tuple[Any, ...]]
TIMES = 20_000
# As many answering organisations as a full answer names.
JUDGED = {"AF": 2, "CSN": 5, "FK": 2, "SO": 4}


def outcome(kod: str) -> Data:
    named = tuple(Bedomning(f"{kod} {index}", Verdict.SVARAT) for index in range(JUDGED.get(kod, 1)))
    return Data(EncodedPayload("svar", b""), named)


def tell() -> None:
    """All that is counted of a question with seven answers, its two groups of audit rows included."""
    telemetry.answered(question(), {kod: outcome(kod) for kod in KODER}, dict.fromkeys(KODER, 0.3), 0.4)
    telemetry.finished("10", "hamtaBastjanstInformation", CALLER, None, 12_000, 0.4)
    metrics.VERSION_USE.inc(CALLER.organisationsnummer, "10")
    for _ in range(2):
        metrics.AUDIT_COMMIT_SECONDS.observe(0.002)
        metrics.AUDIT_GROUP_ROWS.observe(4)


def recorded() -> list[Call]:
    calls: list[Call] = []

    def kept(family: Any, *values: Any) -> None:  # noqa: ANN401 - labels, or a value and labels
        calls.append((family, values))

    with patch.object(Counter, "inc", kept), patch.object(Histogram, "observe", kept):
        tell()
    return calls


def microseconds(work: Callable[[], object]) -> float:
    work()
    started = time.process_time()
    for _ in range(TIMES):
        work()
    return 1e6 * (time.process_time() - started) / TIMES


def ours(calls: list[Call]) -> Callable[[], None]:
    bound = [(family.observe if isinstance(family, Histogram) else family.inc, values) for family, values in calls]

    def play() -> None:
        for call, values in bound:
            call(*values)

    return play


def theirs(calls: list[Call]) -> Callable[[], None]:
    """The same with every child resolved beforehand."""
    bound = []
    made: dict[str, Any] = {}
    for family, values in calls:
        timed = isinstance(family, Histogram)
        kind = prometheus_client.Histogram if timed else prometheus_client.Counter
        if family.name not in made:
            made[family.name] = kind(family.name, family.text, family.labels)
        child = made[family.name]
        labels = values[1:] if timed else values
        child = child.labels(*labels) if labels else child
        bound.append((child.observe, values[:1]) if timed else (child.inc, ()))

    def play() -> None:
        for call, values in bound:
            call(*values)

    return play


def main() -> None:
    observe.configure()
    calls = recorded()
    say = sys.stdout.write
    say(f"{len(calls)} counts and times a question\n")
    say(f"  our cells                       {microseconds(ours(calls)):5.1f} µs\n")
    say(f"  prometheus-client, shared files {microseconds(theirs(calls)):5.1f} µs\n")
    file = Path(tempfile.mkdtemp(), "numbers.json")
    say(f"writing them, once a second       {microseconds(lambda: metrics._store(file, metrics._now())):5.1f} µs\n")  # noqa: SLF001
    for points in (False, True):
        observe.configure(four_points=points)
        cost = microseconds(lambda: observe.point("request-in", version="10", bytes=2))
        say(f"a point, points = {str(points).lower():5}           {cost:5.1f} µs\n")


if __name__ == "__main__":
    main()
