"""Försäkringskassan: LEFI Online version 9 over REST, below /fk. `fk_soap.py` has it over SOAP, at /fk.

A persona holds a whole answer (LefiExternFormansinformationSvar) as JSON in <![CDATA[ ]]>, complete for all time and
without the person's number, which the simulator fills in. It stands in the persona's own file, and not beside it, so
that one file says all about one person; CDATA lets it be written as JSON is written. Of an answer that is left out or
has no `utlamnare`, both utlämnare are available. `lefi.py` says what of it a question brings.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.simulator import fk_soap, lefi
from ssbtek_gateway.simulator.agency import Agency, Flaw, Refusal, Request, World
from ssbtek_gateway.simulator.asgi import Reply
from ssbtek_gateway.simulator.dates import span
from ssbtek_gateway.simulator.held_json import read_held, read_object
from ssbtek_gateway.simulator.json_exchange import JSON, JsonExchange, dump
from ssbtek_gateway.simulator.lefi_json import SVAR, LefiError, admit, answered, validator

if TYPE_CHECKING:
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.model import PersonId

_AKTOR = "/fk/lefi-extern-formansinformation/v9/aktorer/(?P<aktor>[^/]+)"
_FRAGA = re.compile(f"{_AKTOR}/formansinformation/fraga")
_TYPER = re.compile(f"{_AKTOR}/tillgangligaInformationstyper")


class _Rest:
    """The interface; it has no settings."""

    def methods(self, path: str) -> tuple[str, ...]:
        if _FRAGA.fullmatch(path):
            return ("POST",)
        return ("GET",) if _TYPER.fullmatch(path) else ()

    def media(self) -> tuple[str, str]:
        return JSON, "Frågan skickas som application/json."

    def exchange(self, request: Request, world: World) -> JsonExchange:
        try:
            return _exchange(request, world)
        except LefiError as refused:
            raise Refusal(error(refused.status, refused.text)) from None

    def check(self, person: PersonId, held: _Element | None, today: date) -> None:
        del person, today
        document = read_held(held)
        line = held.sourceline if held is not None else None
        flaw = next(validator(SVAR).iter_errors(document), None)
        if flaw is not None:
            # Not its message, which quotes values.
            place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in flaw.instance_path)
            raise Flaw(line, f"${place} breaks the schema's {flaw.schema_path[-1]}")
        fk: dict[str, Any] = document.get("formansinformation", {})
        unreachable = sorted(set(fk) - lefi.KEYS)
        if unreachable:
            raise Flaw(line, f"no code is known that asks for {', '.join(unreachable)}")
        try:
            days = [(key, one["datum"]) for key in lefi.PAYMENTS.values() for one in fk.get(key, ())]
            days += [(key, one["utbetalningsdatum"]) for key in lefi.PAYMENTS for one in document.get(key, ())]
            for _, day in days:
                span(day)
            every = {name: set(groups) for name, groups in lefi.GROUPS.items()}
            lefi.select(document, every, lambda _: True)
        except KeyError as error_:
            raise Flaw(line, f"{error_} is missing where the simulator must know it") from None
        except ValueError as error_:
            raise Flaw(line, f"a payment's day: {error_}") from None


def error(status: int, text: str) -> Reply:
    """A LefiFelsvar."""
    return Reply(dump({"meddelande": text, "timestamp": datetime.now(UTC).isoformat()}), status, JSON)


def _exchange(request: Request, world: World) -> JsonExchange:
    """The question and the answer. Raises `LefiError`."""
    found = _FRAGA.fullmatch(request.path) or _TYPER.fullmatch(request.path)
    admit(found["aktor"] if found else "", world)
    if found is not None and found.re is _TYPER:
        return JsonExchange(None, lefi.available(), error)
    try:
        question = read_object(request.body)
    except ValueError:
        raise LefiError(400, "Frågan är inte ett JSON-objekt.") from None
    person, answer = answered(question, world)
    return JsonExchange(person, answer, error)


AGENCY = Agency("FK", (_Rest(), fk_soap.INTERFACE), names_person=False)
