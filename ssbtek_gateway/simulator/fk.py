"""Försäkringskassan: LEFI Online version 9 over REST, below /fk.

A persona holds a whole answer (LefiExternFormansinformationSvar) as JSON in <![CDATA[ ]]>, complete for all time and
without the person's number, which the simulator fills in. It stands in the persona's own file, and not beside it, so
that one file says all about one person; CDATA lets it be written as JSON is written. Of an answer that is left out or
has no `utlamnare`, both utlämnare are available. `lefi.py` says what of it a question brings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from ssbtek_gateway import resources
from ssbtek_gateway.model import Period, PersonId
from ssbtek_gateway.simulator import lefi
from ssbtek_gateway.simulator.agency import Agency, Flaw, Refusal, Request, World
from ssbtek_gateway.simulator.asgi import Reply
from ssbtek_gateway.simulator.dates import shift_months, span
from ssbtek_gateway.simulator.held_json import read_held, read_object
from ssbtek_gateway.simulator.json_exchange import JSON, JsonExchange, dump

if TYPE_CHECKING:
    from lxml.etree import _Element

_AKTOR = "/fk/lefi-extern-formansinformation/v9/aktorer/(?P<aktor>[^/]+)"
_FRAGA = re.compile(f"{_AKTOR}/formansinformation/fraga")
_TYPER = re.compile(f"{_AKTOR}/tillgangligaInformationstyper")
_MONTHS = 24


class _Rest:
    """The interface; it has no settings."""

    def methods(self, path: str) -> tuple[str, ...]:
        if _FRAGA.fullmatch(path):
            return ("POST",)
        return ("GET",) if _TYPER.fullmatch(path) else ()

    def media(self) -> tuple[str, str]:
        return JSON, "Frågan skickas som application/json."

    def exchange(self, request: Request, world: World) -> JsonExchange:
        found = _FRAGA.fullmatch(request.path) or _TYPER.fullmatch(request.path)
        if found is None or found["aktor"] not in world.aktorer:
            raise Refusal(error(403, "Aktören är okänd eller får inte företrädas av anroparen."))
        if found.re is _TYPER:
            return JsonExchange(None, lefi.available(), error)
        question = _question(request.body)
        period = _period(question)
        person, held = _person(question["personnummer"], world)
        document = read_held(held)
        for somebody in document.get("formansinformation", {}).get("generellPersoninformation", ()):
            somebody["personnummer"] = person.reveal()
        asked = {name: set(question.get(name, ())) for name in lefi.GROUPS}
        answer = lefi.select(document, asked, lambda day: _overlap(span(day), period))
        return JsonExchange(person, answer, error)

    def check(self, person: PersonId, held: _Element | None, today: date) -> None:
        del person, today
        document = read_held(held)
        line = held.sourceline if held is not None else None
        flaw = next(_validator("LefiExternFormansinformationSvar").iter_errors(document), None)
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


def _question(body: bytes) -> dict[str, Any]:
    """A question that follows the schema and names a group. Raises `Refusal`."""
    try:
        question = read_object(body)
    except ValueError:
        raise Refusal(error(400, "Frågan är inte ett JSON-objekt.")) from None
    if not _validator("LefiExternFormansinformationFraga").is_valid(question):
        raise Refusal(error(400, "Frågan följer inte LEFI version 9."))
    if not any(question.get(name) for name in lefi.GROUPS):
        raise Refusal(error(400, "Frågan anger ingen förmånsgrupp eller typ av övrig information."))
    return question


def _period(question: dict[str, Any]) -> Period:
    """The period of a question that follows the schema. Raises `Refusal`."""
    try:
        first, last = (date.fromisoformat(question["period"][name]) for name in ("from", "tom"))
    except ValueError:
        raise Refusal(error(400, "Frågans period har ett datum som inte finns.")) from None
    # Assumed: two years to the day are not longer than two years.
    if not first <= last <= shift_months(first, _MONTHS):
        raise Refusal(error(400, "Frågans period är omvänd eller längre än två år."))
    return Period(first, last)


def _person(number: str, world: World) -> tuple[PersonId, _Element | None]:
    """The person of ten or twelve digits, and what is known. Assumed: whoever is known, else somebody of the 1900s."""
    try:
        persons = [PersonId(sekel + number[-10:]) for sekel in ([number[:2]] if number[10:] else ["20", "19"])]
    except ValueError:
        raise Refusal(error(400, "Frågan följer inte LEFI version 9.")) from None
    for person in persons:
        held = world.held(person)
        if held is not None:
            return person, held
    return persons[-1], None


def _overlap(days: tuple[date, date], period: Period) -> bool:
    return days[0] <= period.tom_datum and days[1] >= period.from_datum


@cache
def _validator(name: str) -> jsonschema_rs.Validator:
    """For one of the schema's definitions, and stricter: what is not public is a mistake, of ours or the gateway's."""
    document = json.loads(resources.xsd("services/fk/lefi-9.schema.json").read_bytes())
    return jsonschema_rs.validator_for(
        {"$schema": document["$schema"], "$ref": f"#/$defs/{name}", "$defs": _strict(document["$defs"])}
    )


def _strict(node: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [_strict(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    strict = {key: _strict(part) for key, part in node.items()}
    if "x-kanda-koder" in node:
        strict["enum"] = node["x-kanda-koder"]
    if "properties" in node and "object" in node.get("type", ()):
        strict["additionalProperties"] = False
    return strict


AGENCY = Agency("FK", (_Rest(),), names_person=False)
