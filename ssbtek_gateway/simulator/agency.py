"""What the simulator must know about one agency. One module a base service makes one `Agency` of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.model import Period, PersonId
from ssbtek_gateway.simulator.dates import span

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from lxml.etree import XMLSchema, _Element


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that follows the agency's schema, and the day it came."""

    question: _Element = field(repr=False)
    person: PersonId
    period: Period
    today: date


@dataclass(frozen=True, slots=True)
class Dated:
    """A row in the table of what depends on the asked period.

    Every `element` is left out whose days, from its child `first` to its child `last`, all lie outside. The names are
    local ones, for the same element stands in several of CSN's namespaces.
    """

    element: str
    first: str
    last: str

    def span(self, element: _Element) -> tuple[date, date]:
        """First and last day of `element`. Raises `ValueError` where a child is missing or names no day."""
        return span(element.findtext(f"{{*}}{self.first}", ""))[0], span(element.findtext(f"{{*}}{self.last}", ""))[1]


@dataclass(frozen=True, slots=True)
class Agency:
    """One base service as the simulator plays it, at the path `/CODE` in lower case.

    `schema` is relative to xsd/ and holds both the question, whose element is `request`, and the answer. In the
    question, the elements `person` (local names) spell the person's number and the two of `period` its days. `specimen`
    is a valid question with the fields of `specimen_question`, for trying personas as they load. `answer` gets what the
    persona holds for this agency, an element whose children are in the agency's own namespace and which is the
    answer's to keep, or None where no persona does.
    """

    code: str
    schema: str
    request: str
    person: tuple[str, ...]
    period: tuple[str, str]
    specimen: str = field(repr=False)
    dated: tuple[Dated, ...]
    answer: Callable[[Asked, _Element | None], _Element]

    def compiled_schema(self) -> XMLSchema:
        """The schema, compiled once a process."""
        return xmlgate.schema(resources.xsd(self.schema))

    def read(self, question: _Element, today: date) -> Asked:
        """What a valid question asks. Raises `ValueError` where one of its days is not in the calendar."""
        number = "".join(question.findtext(f".//{{*}}{name}", "") for name in self.person)
        (first, _), (_, last) = (span(question.findtext(f".//{{*}}{name}", "")) for name in self.period)
        return Asked(question, PersonId(number), Period(first, last), today)

    def specimen_question(self, person: PersonId, today: date) -> Asked:
        """A valid question about `person` and `today` alone."""
        digits = person.reveal()
        text = self.specimen.format(
            person=digits, sekel=digits[:2], personnummer=digits[2:], day=today.isoformat(), compact=f"{today:%Y%m%d}"
        )
        return self.read(xmlgate.parse_own(text.encode()), today)

    def cut(self, held: _Element, period: Period) -> None:
        """Leave out of `held` what the table says lies outside `period`."""
        for row in self.dated:
            for element in list(held.iter(f"{{*}}{row.element}")):
                first, last = row.span(element)
                parent = element.getparent()
                if parent is not None and (last < period.from_datum or first > period.tom_datum):
                    parent.remove(element)
