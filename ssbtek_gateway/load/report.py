"""The result as a value for JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.load.tally import percentiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.load.tally import Tally

_MAXIMUM = 100


def report(tally: Tally) -> dict[str, Any]:
    """Times are in milliseconds; a percentile is null where it is never, and there are none of nothing."""
    return {
        "elapsed_seconds": round(tally.elapsed, 3),
        "generator_cpu": round(tally.cpu / tally.elapsed, 3),
        "due": tally.due,
        "sent": tally.sent,
        "right": tally.right,
        "failed": tally.failed,
        "unfinished": tally.in_flight,
        "right_per_second": round(tally.right / tally.elapsed, 1),
        "failures": dict(tally.kinds.most_common()),
        "latency_ms": _milliseconds(percentiles(tally.from_due, never=tally.failed)),
        "from_sending_ms": _milliseconds(percentiles(tally.from_sent)),
        "late_ms": _milliseconds(percentiles(tally.late)),
    }


def _milliseconds(found: Mapping[float, float]) -> dict[str, float | None]:
    return {
        "max" if share == _MAXIMUM else f"p{share:g}": None if math.isinf(value) else round(1000 * value, 1)
        for share, value in found.items()
    }
