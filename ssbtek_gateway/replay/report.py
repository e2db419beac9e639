"""Results as one HTML page that opens offline: no script, nothing fetched.

The page is built as a tree, so that nothing which came over the network or from a folder can be markup; and it tells
the browser to run and to fetch nothing (Content-Security-Policy).
"""

from __future__ import annotations

from difflib import SequenceMatcher
from importlib.resources import files
from itertools import zip_longest
from typing import TYPE_CHECKING

from lxml import etree
from lxml.builder import E

from ssbtek_gateway.replay import told
from ssbtek_gateway.replay.lines import lines, prefixes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element

    from ssbtek_gateway.replay.compare import Result

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
# Equal lines that are shown round a difference.
_CONTEXT = 3
# Aligning takes time that grows with the square of the lines; an answer has some hundreds.
_MOST_LINES = 20_000


def page(results: Sequence[Result], folder: str, url: str, when: str) -> bytes:
    """The whole page; `when` the questions were sent, for a reader."""
    made = E.html(
        {"lang": "en"},
        E.head(
            E.meta(charset="utf-8"),
            E.meta({"http-equiv": "Content-Security-Policy", "content": _POLICY}),
            E.title(f"Replay of {folder}"),
            E.style((files(__package__) / "report.css").read_text(encoding="utf-8")),
        ),
        E.body(
            E.h1(f"Replay of {folder}"),
            E.p(f"Sent to {url} {when}."),
            E.p({"id": "summary"}, told.summary(results)),
            _table(
                "results",
                ("result", "question", "ms", "differences", "left out"),
                [_row(number, result) for number, result in enumerate(results)],
            ),
            *(_section(number, result) for number, result in enumerate(results)),
        ),
    )
    return etree.tostring(made, encoding="UTF-8", method="html", doctype="<!DOCTYPE html>")


def _table(kind: str, names: Sequence[str], rows: Sequence[_Element]) -> _Element:
    return E.table({"class": kind}, E.thead(E.tr(*map(E.th, names))), E.tbody(*rows))


def _row(number: int, result: Result) -> _Element:
    word = told.word(result)
    left_out = sum(max(ignored.stored, ignored.answered) for ignored in result.ignored)
    return E.tr(
        {"class": word},
        E.td(word),
        E.td(E.a(result.name, href=f"#q{number}")),
        E.td(f"{1000 * result.seconds:.0f}"),
        E.td(str(len(result.differences))),
        E.td(str(left_out)),
    )


def _section(number: int, result: Result) -> _Element:
    """What is told of one question; open where there is something to look at."""
    section = E.details({"id": f"q{number}", "class": told.word(result)}, E.summary(result.name))
    if not result.equal:
        section.set("open", "open")
    if result.error is not None:
        section.append(E.p({"class": "reason"}, result.error))
    if result.differences:
        rows = [
            E.tr(E.td(difference.location), *map(E.td, told.clipped(difference))) for difference in result.differences
        ]
        section.append(_table("differences", ("where", "stored", "answered"), rows))
    section.append(E.h3("Left out of the comparison"))
    section.append(
        E.ul({"class": "ignored"}, *(E.li(told.rule(ignored)) for ignored in result.ignored))
        if result.ignored
        else E.p("Nothing.")
    )
    known = prefixes(*(side for side in result.sides if side is not None))
    stored, answered = (lines(side, known) if side is not None else [] for side in result.sides)
    if len(stored) + len(answered) > _MOST_LINES:
        section.append(E.p("The answers are too long to be shown side by side."))
    elif stored or answered:
        section.append(E.h3("As they were compared: stored, answered"))
        section.append(E.div(*_sides(stored, answered)))
        section.append(E.ul({"class": "namespaces"}, *(E.li(f"{prefix} = {uri}") for uri, prefix in known.items())))
    return section


def _sides(stored: Sequence[str], answered: Sequence[str]) -> Iterator[_Element]:
    """The two messages beside each other, a row a line; long runs of equal lines folded."""
    aligned = SequenceMatcher(None, stored, answered, autojunk=False)
    for what, start, end, other_start, other_end in aligned.get_opcodes():
        if what != "equal":
            for one, other in zip_longest(stored[start:end], answered[other_start:other_end]):
                yield E.div({"class": "row changed"}, *_changed(one, other))
            continue
        rows = [E.div({"class": "row"}, E.pre(line), E.pre(line)) for line in stored[start:end]]
        # The folded lines are those that are near no difference: the message may begin or end without one.
        first = _CONTEXT if start else 0
        last = len(rows) - (_CONTEXT if end < len(stored) else 0)
        if last - first <= 1:
            yield from rows
        else:
            yield from rows[:first]
            yield E.details({"class": "fold"}, E.summary(f"{last - first} equal lines"), *rows[first:last])
            yield from rows[last:]


def _changed(stored: str | None, answered: str | None) -> Iterator[_Element]:
    """Both lines with the part marked that is not the same; an empty place for a line that is not there."""
    one, other = stored or "", answered or ""
    start = told.alike(one, other)
    end = told.alike(one[start:][::-1], other[start:][::-1])
    for kind, line in (("stored", stored), ("answered", answered)):
        if line is None:
            yield E.pre({"class": "none"})
        else:
            until = len(line) - end
            yield E.pre({"class": kind}, line[:start], E.mark(line[start:until]), line[until:])
