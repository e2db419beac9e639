"""What LEFI version 9 takes and answers, as JSON, whichever way it came: the strict schema, the rules, the refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from ssbtek_gateway import resources
from ssbtek_gateway.model import Period, PersonId
from ssbtek_gateway.simulator import lefi
from ssbtek_gateway.simulator.dates import shift_months, span
from ssbtek_gateway.simulator.held_json import read_held

if TYPE_CHECKING:
    from lxml.etree import _Element

    from ssbtek_gateway.simulator.agency import World

FRAGA, SVAR = "LefiExternFormansinformationFraga", "LefiExternFormansinformationSvar"
TYPER = "LefiExternTillgangligaInformationstyper"
_MONTHS = 24


class LefiError(Exception):
    """Why a whole question is refused: the HTTP status that REST has, and a text in Swedish without values."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def admit(aktor: str, world: World) -> None:
    """Raises `LefiError` for an actor that nobody knows."""
    if aktor not in world.aktorer:
        raise LefiError(403, "Aktören är okänd eller får inte företrädas av anroparen.")


def answered(question: dict[str, Any], world: World) -> tuple[PersonId, dict[str, Any]]:
    """Whom the question is about, and the answer. Raises `LefiError`."""
    period = _period(question)
    person, held = _person(question["personnummer"], world)
    document = read_held(held)
    for somebody in document.get("formansinformation", {}).get("generellPersoninformation", ()):
        somebody["personnummer"] = person.reveal()
    asked = {name: set(question.get(name, ())) for name in lefi.GROUPS}
    return person, lefi.select(document, asked, lambda day: _overlap(span(day), period))


def _period(question: dict[str, Any]) -> Period:
    """The period of a question that follows the schema and names a group. Raises `LefiError`."""
    if not validator(FRAGA).is_valid(question):
        raise LefiError(400, "Frågan följer inte LEFI version 9.")
    if not any(question.get(name) for name in lefi.GROUPS):
        raise LefiError(400, "Frågan anger ingen förmånsgrupp eller typ av övrig information.")
    try:
        first, last = (date.fromisoformat(question["period"][name]) for name in ("from", "tom"))
    except ValueError:
        raise LefiError(400, "Frågans period har ett datum som inte finns.") from None
    # Assumed: two years to the day are not longer than two years.
    if not first <= last <= shift_months(first, _MONTHS):
        raise LefiError(400, "Frågans period är omvänd eller längre än två år.")
    return Period(first, last)


def _person(number: str, world: World) -> tuple[PersonId, _Element | None]:
    """The person of ten or twelve digits, and what is known. Assumed: whoever is known, else somebody of the 1900s."""
    try:
        persons = [PersonId(sekel + number[-10:]) for sekel in ([number[:2]] if number[10:] else ["20", "19"])]
    except ValueError:
        raise LefiError(400, "Frågan följer inte LEFI version 9.") from None
    for person in persons:
        held = world.held(person)
        if held is not None:
            return person, held
    return persons[-1], None


def _overlap(days: tuple[date, date], period: Period) -> bool:
    return days[0] <= period.tom_datum and days[1] >= period.from_datum


@cache
def document() -> dict[str, Any]:
    """The published schema."""
    found: dict[str, Any] = json.loads(resources.xsd("services/fk/lefi-9.schema.json").read_bytes())
    return found


@cache
def validator(name: str) -> jsonschema_rs.Validator:
    """For one of the schema's definitions, and stricter: what is not public is a mistake, of ours or the gateway's."""
    return jsonschema_rs.validator_for(
        {"$schema": document()["$schema"], "$ref": f"#/$defs/{name}", "$defs": _strict(document()["$defs"])}
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
