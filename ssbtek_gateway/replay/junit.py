"""Results as JUnit XML, which build servers show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree
from lxml.builder import E

from ssbtek_gateway.replay import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

    from ssbtek_gateway.replay.compare import Result

# A fixture that differs is a failure; one that could not be compared is an error.
_KINDS = {"differs": "failure", "error": "error"}


def document(results: Sequence[Result], suite: str) -> bytes:
    """One suite, a case a fixture; times in seconds, of each question."""
    words = [told.word(result) for result in results]
    counts = {
        "name": suite,
        "tests": str(len(results)),
        "failures": str(words.count("differs")),
        "errors": str(words.count("error")),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }
    made = E.testsuites(E.testsuite(counts, *(_case(result, suite) for result in results)))
    return etree.tostring(made, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _case(result: Result, suite: str) -> _Element:
    folder, _, name = result.name.rpartition("/")
    classname = ".".join(filter(None, [suite, folder.replace("/", ".")]))
    case = E.testcase(classname=classname, name=name, time=f"{result.seconds:.3f}")
    if not result.equal:
        lines = list(told.details(result))
        case.append(E(_KINDS[told.word(result)], "\n".join(lines), message=lines[0]))
    if result.ignored:
        case.append(E("system-out", "\n".join(["left out of the comparison:", *map(told.rule, result.ignored)])))
    return case
