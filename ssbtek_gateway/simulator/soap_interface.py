"""An agency's way in over SOAP 1.1, at one path."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.model import Period, PersonId
from ssbtek_gateway.simulator import soap
from ssbtek_gateway.simulator.agency import Flaw, Refusal, Request, World
from ssbtek_gateway.simulator.asgi import Reply
from ssbtek_gateway.simulator.dates import span
from ssbtek_gateway.simulator.soap_exchange import SoapExchange

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from lxml.etree import XMLSchema, _Element

_EVER = Period(date.min, date.max)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that follows the agency's schema, and the day it came. `period` is all time where it names none."""

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


def spelled(*names: str) -> Callable[[_Element], str]:
    """Reads the person's number from the elements with these local names."""
    return lambda question: "".join(question.findtext(f".//{{*}}{name}", "") for name in names)


def read_question(request: Request, schema: XMLSchema, tags: Container[str]) -> _Element:
    """The valid element, one of `tags`, in an envelope's Body. Raises `SoapError`."""
    try:
        question = soap.body_child(xmlgate.parse_agency(request.body, request.charset))
    except xmlgate.XmlError as error:
        raise soap.SoapError("Client", error.regel) from None
    if question.tag not in tags or not schema.validate(question):
        raise soap.SoapError("Client", "Frågan följer inte bastjänstens schema.")
    return question


@dataclass(frozen=True, slots=True)
class SoapInterface:
    """A question and its answer in one schema.

    `schema` is relative to xsd/ and holds both the question, whose element is `request`, and the answer. `person` finds
    the person's number in the question, and `period` names (locally) the elements of its days, if it has any.
    `specimen` is a valid question with the fields of `_specimen`, for trying personas as they load.

    `answer` gets what the persona holds for this agency, an element whose children are the answer's to keep, or None
    where no persona does. It raises `ValueError` with a rule where the persona holds what it cannot. An answer that is
    a `fault` element goes as a SOAP fault's detail.
    """

    path: str
    schema: str
    request: str
    person: Callable[[_Element], str]
    period: tuple[str, str] | None
    specimen: str = field(repr=False)
    answer: Callable[[Asked, _Element | None], _Element]
    dated: tuple[Dated, ...] = ()
    fault: str | None = None

    def methods(self, path: str) -> tuple[str, ...]:
        return ("POST",) if path == self.path else ()

    def media(self) -> tuple[str, str]:
        return "text/xml", "SOAP 1.1 skickas som text/xml."

    def compiled_schema(self) -> XMLSchema:
        """The schema, compiled once a process."""
        return xmlgate.schema(resources.xsd(self.schema))

    def exchange(self, request: Request, world: World) -> SoapExchange:
        try:
            return self._exchange(request, world)
        except soap.SoapError as error:
            raise Refusal(Reply(soap.fault(error.code, error.text), 500)) from None

    def check(self, person: PersonId, held: _Element | None, today: date) -> None:
        asked = self._specimen(person, today)
        schema = self.compiled_schema()
        if not schema.validate(asked.question):
            raise Flaw(None, f"personidentitet: {self.path} cannot be asked about this number")
        line = held.sourceline if held is not None else None
        try:
            answer = self.answer(asked, held)
        except ValueError as error:
            raise Flaw(line, str(error)) from None
        if not schema.validate(answer):
            flaw = schema.error_log[0]
            # What the simulator made itself has no line; then the flaw is in what stands, or is missing, on the top
            # level. A text of libxml2 may quote a value, and the value may be somebody's number.
            raise Flaw(flaw.line or line, re.sub(r"\d[\d-]{5,}", "…", flaw.message))
        # CSN's schema lets pass days that are not in the calendar, and a question would stumble on them.
        for row in self.dated:
            for element in answer.iter(f"{{*}}{row.element}"):
                try:
                    row.span(element)
                except ValueError as error:
                    rule = f"{row.first} or {row.last} of {row.element}: {error}"
                    raise Flaw(element.sourceline, rule) from None

    def _exchange(self, request: Request, world: World) -> SoapExchange:
        """The question and the answer. Raises `SoapError`."""
        schema = self.compiled_schema()
        question = read_question(request, schema, [self.request])
        try:
            asked = self._read(question, world.today)
        except ValueError:
            raise soap.SoapError(
                "Client", "Frågan saknar en personidentitet eller har ett datum som inte finns."
            ) from None
        held = world.held(asked.person)
        if held is not None:
            self._cut(held, asked.period)
        answer = self.answer(asked, held)
        if not schema.validate(answer):
            # The personas were tried as they were loaded, so this is a mistake of ours.
            raise soap.SoapError("Server", "Simulatorn gjorde ett svar som inte följer schemat.")
        return SoapExchange(asked.person, answer, schema, is_fault=answer.tag == self.fault)

    def _read(self, question: _Element, today: date) -> Asked:
        """What a valid question asks. Raises `ValueError` for a number that is none or a day that no calendar has."""
        person = PersonId(self.person(question))
        if self.period is None:
            return Asked(question, person, _EVER, today)
        (first, _), (_, last) = (span(question.findtext(f".//{{*}}{name}", "")) for name in self.period)
        return Asked(question, person, Period(first, last), today)

    def _specimen(self, person: PersonId, today: date) -> Asked:
        """A valid question about `person` and `today` alone."""
        digits = person.reveal()
        text = self.specimen.format(
            person=digits, sekel=digits[:2], personnummer=digits[2:], day=today.isoformat(), compact=f"{today:%Y%m%d}"
        )
        return self._read(xmlgate.parse_own(text.encode()), today)

    def _cut(self, held: _Element, period: Period) -> None:
        """Leave out of `held` what the table says lies outside `period`."""
        for row in self.dated:
            for element in list(held.iter(f"{{*}}{row.element}")):
                first, last = row.span(element)
                parent = element.getparent()
                if parent is not None and (last < period.from_datum or first > period.tom_datum):
                    parent.remove(element)
