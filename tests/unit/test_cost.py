"""What `make cost` says of figures; the figures themselves are CI's (.ci/run)."""

from __future__ import annotations

import json

import pytest
from load.cost import BASELINE, report

WAS = {"gate": 0.1, "spyne": 0.2}


@pytest.mark.parametrize(
    ("now", "worse"),
    [(WAS, False), ({"gate": 0.2, "spyne": 0.01}, False), ({"gate": 0.21, "spyne": 0.2}, True), ({"new": 0.1}, True)],
)
def test_only_a_stage_that_doubles_or_is_new_is_wrong(now: dict[str, float], *, worse: bool) -> None:
    text, wrong = report(now, WAS)
    assert wrong is worse
    assert ("TOO MUCH" in text) is worse
    assert all(stage in text for stage in now)


def test_the_baseline_has_stages() -> None:
    assert all(ratio > 0 for ratio in json.loads(BASELINE.read_text(encoding="utf-8")).values())
