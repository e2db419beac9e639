"""When questions are due."""

from __future__ import annotations

import ssl

from ssbtek_gateway.load.run import Plan


def moments(rate: float, seconds: float, *, poisson: bool) -> list[float]:
    context = ssl.create_default_context()
    return list(Plan("https://x/", context, [b""], ["AF"], rate, seconds, poisson, 1, keep=True).moments())


def test_at_equal_distances() -> None:
    assert moments(4, 1.5, poisson=False) == [0, 0.25, 0.5, 0.75, 1, 1.25]


def test_as_callers_come_who_know_nothing_of_each_other() -> None:
    found = moments(100, 100, poisson=True)
    gaps = [later - earlier for earlier, later in zip([0.0, *found], found, strict=False)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    # Ten thousand: the number is within eight times its own spread (100), and a gap's spread is its mean.
    assert 9_200 < len(found) < 10_800
    assert 0.8 < spread / mean < 1.2
    assert found == sorted(found)
    assert found[-1] < 100
