"""LEFI Online version 9, whichever way it is asked: what it does not take, and what its answer lets one conclude.

All of it is about JSON: over SOAP the answer is made into the JSON that it would have been over REST.
"""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from ssbtek_gateway import resources
from ssbtek_gateway.services.csn import months
from ssbtek_gateway.services.service import judged, undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssbtek_gateway.model import Bedomning, Question

FRAGA, SVAR = "LefiExternFormansinformationFraga", "LefiExternFormansinformationSvar"
VERSION = "v9"
# Our Swedish texts for what LEFI refuses a whole question with, by its status.
MEANINGS = {
    "400": (
        "Försäkringskassan avvisade frågan (status 400).",
        "Den saknar grupp eller avser mer än två år, eller så är den fel skriven. Rätta FK/fraga.",
    ),
    "403": (
        "Försäkringskassan avvisade aktören (status 403).",
        "Den är okänd eller får inte företrädas. Kontrollera aktorsid hos Försäkringskassan.",
    ),
}
BREAKS_THE_SCHEMA = "breaks LEFI's JSON schema"
_SCHEMA = "services/fk/lefi-9.schema.json"
# The lists that name what is asked for; LEFI answers 400 where none names anything.
_KINDS = ("formansinformation", "ansprak", "beslut", "preliminaraUtbetalningar", "utbetalningar", "ovrigInformation")
# Where PM's own data stand; FK's stand under formansinformation.
_PM_KEYS = ("ansprak", "beslut", "preliminaraUtbetalningar", "utbetalningar", "ovrigInformation")
_STATES = {"FELANDE", "OTILLGANGLIG"}
_LONGEST_MONTHS = 24
_DATE_LENGTH = len("ÅÅÅÅ-MM-DD")


def limit(question: Question) -> str | None:
    """What keeps LEFI from being asked, in Swedish."""
    fraga = question.fk
    if fraga is None:
        return "FK/fraga: saknas. Ange aktorsid och vad som efterfrågas."
    if fraga.version not in {None, "", VERSION}:
        return f"FK/fraga/version: ska vara {VERSION}, eller utelämnas."
    if not any(isinstance(fraga.content.get(kind), list) and fraga.content[kind] for kind in _KINDS):
        return f"{fraga.falt}: minst en av {', '.join(_KINDS)} ska namnge en grupp eller typ."
    period = fraga.content.get("period")
    days = [_day(period.get(end)) for end in ("from", "tom")] if isinstance(period, dict) else [None, None]
    first, last = days
    if first is None or last is None or first > last:
        return f"{fraga.falt}: period ska ha from och tom på formen ÅÅÅÅ-MM-DD, i den ordningen."
    if last > months(first, _LONGEST_MONTHS):
        return f"{fraga.falt}: period får vara högst två år."
    return None


def _day(value: object) -> date | None:
    if not isinstance(value, str) or len(value) != _DATE_LENGTH or not value.isascii():
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def is_answer(answer: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether it is valid and something in it is of an answer, if there is anything.

    LEFI's own error document is valid too, for the schema demands nothing.
    """
    known = _schema()["$defs"][SVAR]["properties"]
    return _validators()[0].is_valid(answer) and (not answer or not known.keys().isdisjoint(answer))


def judge(answer: Mapping[str, Any]) -> Iterator[Bedomning]:
    """FK and PM apart, by their `tillstand`; then each group that the answer lists under `avvikelser`."""
    states = {
        state.get("utlamnare", {}).get("kod"): state.get("tillstand", {}).get("kod")
        for state in answer.get("utlamnare", ())
    }
    found = {"FK": _holds(answer.get("formansinformation", {})), "PM": any(_holds(answer.get(key)) for key in _PM_KEYS)}
    for organisation, has_data in found.items():
        state = states.get(organisation)
        if state == "OK":
            yield judged(organisation, found=has_data)
        else:
            yield undecided(organisation, f"tillstand {state}" if state in _STATES else "tillstand saknas")
    avvikelser = answer.get("avvikelser") or {}
    for kind, deviations in avvikelser.items():
        for deviation in deviations if kind in _KINDS else ():
            group = deviation.get("formansgrupp") or deviation.get("ovrigInformationstyp") or {}
            yield undecided(_group(group.get("kod")), f"avvikelse i {kind}")


def _holds(value: object) -> bool:
    """Whether there is anything in a list, or in any list of an object."""
    return any(_holds(child) for child in value.values()) if isinstance(value, dict) else bool(value)


def _group(code: object) -> str:
    return str(code) if code in _codes() else "okänd grupp"


@cache
def _codes() -> frozenset[object]:
    """Every code that the published schema has."""
    definitions = _schema()["$defs"].values()
    return frozenset(code for definition in definitions for code in definition.get("x-kanda-koder", ()))


@cache
def _validators() -> tuple[jsonschema_rs.Validator, jsonschema_rs.Validator]:
    """What an answer must be, and what it is where nothing in it is new to us."""
    schema = _schema()
    strict = deepcopy(schema)
    for definition in strict["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
        if "x-kanda-koder" in definition:
            definition["enum"] = definition["x-kanda-koder"]
    return _validator(schema), _validator(strict)


def _validator(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(schema | {"$ref": f"#/$defs/{SVAR}"})


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(resources.xsd(_SCHEMA).read_text(encoding="utf-8"))
    return schema


def count_unknown(answer: object) -> int:
    """The fields and codes in a valid answer that the published schema does not have."""
    return 0 if _validators()[1].is_valid(answer) else sum(_unknown(answer, {"$ref": f"#/$defs/{SVAR}"}))


def _unknown(value: object, definition: Mapping[str, Any]) -> Iterator[int]:
    # The schema file holds a $ref alone, or properties, or items (tests/unit/test_lefi_schema.py).
    if "$ref" in definition:
        definition = _schema()["$defs"][definition["$ref"].rpartition("/")[2]]
    if isinstance(value, dict):
        known = definition.get("properties", {})
        for name, child in value.items():
            if name in known:
                yield from _unknown(child, known[name])
            else:
                yield 1
    elif isinstance(value, list):
        for child in value:
            yield from _unknown(child, definition.get("items", {}))
    elif value not in definition.get("x-kanda-koder", [value]):
        yield 1
