"""What became of the questions, and percentiles over all of them.

A question counts from the moment it was due, not from when it was sent: one that had to wait for its predecessors has
waited, and a service that stalls is not asked less for it (no "coordinated omission").
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PERCENTILES = (50, 90, 99, 99.9, 100)


@dataclass(slots=True)
class Tally:
    """Filled as the load goes. Durations in seconds; 24 bytes a question."""

    due: int = 0
    sent: int = 0
    right: int = 0
    failed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Why questions failed. One answer may have several sections without data."""
    from_due: array[float] = field(default_factory=lambda: array("d"))
    """Of right answers: from when the question was due."""
    from_sent: array[float] = field(default_factory=lambda: array("d"))
    """Of right answers: from when it was sent."""
    late: array[float] = field(default_factory=lambda: array("d"))
    """Of questions sent: how much after they were due."""

    elapsed: float = 0
    cpu: float = 0
    """How much of that this program was computing. Near `elapsed` it measures itself."""

    @property
    def in_flight(self) -> int:
        return self.due - self.right - self.failed

    def drop(self, reason: str) -> None:
        """Count a question that is due and cannot be sent."""
        self.due += 1
        self._fail([reason])

    def send(self, due: float, now: float) -> None:
        """Count a question that is sent now."""
        self.due += 1
        self.sent += 1
        self.late.append(max(0.0, now - due))

    def answered(self, due: float, sent: float, now: float, failures: Iterable[str]) -> None:
        """Count what came of a question that was sent."""
        kinds = list(failures)
        if kinds:
            self._fail(kinds)
        else:
            self.right += 1
            self.from_sent.append(now - sent)
            # A timer may be a moment early.
            self.from_due.append(now - min(due, sent))

    def _fail(self, kinds: list[str]) -> None:
        self.failed += 1
        self.kinds.update(kinds)


def percentiles(values: Iterable[float], never: int = 0) -> dict[float, float]:
    """The nearest-rank percentiles of `values` and of `never` infinite ones; empty where there are none at all."""
    ordered = sorted(values)
    count = len(ordered) + never
    if not count:
        return {}
    ranks = {share: math.ceil(count * share / 100) - 1 for share in PERCENTILES}
    return {share: ordered[rank] if rank < len(ordered) else math.inf for share, rank in ranks.items()}
