"""Percentiles over every question that was due."""

from __future__ import annotations

import math

from ssbtek_gateway.load.tally import Tally, percentiles


def test_nearest_rank() -> None:
    found = percentiles(range(1000, 0, -1))
    assert found == {50: 500, 90: 900, 99: 990, 99.9: 999, 100: 1000}
    assert percentiles([7]) == dict.fromkeys(found, 7)
    assert percentiles([]) == {}


def test_what_never_came_is_slower_than_anything() -> None:
    found = percentiles([1.0] * 95, never=5)
    assert found == {50: 1, 90: 1, 99: math.inf, 99.9: math.inf, 100: math.inf}


def test_a_question_counts_from_when_it_was_due() -> None:
    tally = Tally()
    tally.send(due=10, now=12)
    tally.answered(due=10, sent=12, now=13, failures=())
    assert (list(tally.late), list(tally.from_due), list(tally.from_sent)) == ([2], [3], [1])


def test_a_timer_that_was_early_makes_nothing_faster() -> None:
    tally = Tally()
    tally.send(due=10, now=9.999)
    tally.answered(due=10, sent=9.999, now=10.5, failures=())
    assert list(tally.late) == [0]
    assert list(tally.from_due) == list(tally.from_sent)


def test_a_question_fails_once_however_many_of_its_sections_do() -> None:
    tally = Tally()
    tally.send(due=0, now=0)
    assert tally.in_flight == 1
    tally.answered(0, 0, 1, ["SO SSBT TIMEOUT", "AF SSBT TIMEOUT"])
    tally.drop("not sent")
    assert (tally.due, tally.sent, tally.right, tally.failed, tally.in_flight) == (2, 1, 0, 2, 0)
    assert tally.kinds == {"SO SSBT TIMEOUT": 1, "AF SSBT TIMEOUT": 1, "not sent": 1}
