"""A result in words, the same in a terminal and in a report."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ssbtek_gateway.replay.compare import Ignored, Result
    from ssbtek_gateway.replay.walk import Difference

# How much of a long value is shown, and how much of it from before the first difference.
_SHOWN, _BEFORE = 120, 30


def word(result: Result) -> str:
    if result.error is not None:
        return "error"
    return "ok" if result.equal else "differs"


def summary(results: Sequence[Result]) -> str:
    words = Counter(map(word, results))
    return f"{len(results)} questions: {words['ok']} ok, {words['differs']} differ, {words['error']} without answer"


def details(result: Result) -> Iterator[str]:
    """Lines: why there is nothing to compare, and each difference with both values."""
    if result.error is not None:
        yield result.error
    for difference in result.differences:
        stored, answered = clipped(difference)
        yield from (difference.location, f"  stored   {stored}", f"  answered {answered}")


def rule(ignored: Ignored) -> str:
    """By which rule something was left out of the comparison, and how much."""
    return f"{ignored.expression} ({ignored.source}): {ignored.stored} stored, {ignored.answered} answered"


def clipped(difference: Difference) -> tuple[str, str]:
    """Both values round the first place where they differ, control characters escaped."""
    start = max(0, alike(difference.stored or "", difference.answered or "") - _BEFORE)

    def part(value: str | None) -> str:
        if value is None:
            return "(nothing)"
        shown = value[start : start + _SHOWN]
        return f"{'…' if start else ''}{shown!r}{'…' if start + _SHOWN < len(value) else ''}"

    return part(difference.stored), part(difference.answered)


def alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
