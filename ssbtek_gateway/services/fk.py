"""Försäkringskassan, with information from Pensionsmyndigheten: LEFI Online version 9, REST.

The question is passed on and the answer handed on byte for byte; in between they are only read and judged.
"""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jsonschema_rs

from ssbtek_gateway import resources
from ssbtek_gateway.faults import failure
from ssbtek_gateway.model import Data, EncodedPayload, Failure
from ssbtek_gateway.services import rest
from ssbtek_gateway.services.csn import months
from ssbtek_gateway.services.service import judged, undecided
from ssbtek_gateway.services.transport import Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssbtek_gateway.config import Fk
    from ssbtek_gateway.model import Bedomning, FkFraga, Outcome, Question

_SCHEMA = "services/fk/lefi-9.schema.json"
_VERSION = "v9"
# The lists that name what is asked for; LEFI answers 400 where none names anything.
_KINDS = ("formansinformation", "ansprak", "beslut", "preliminaraUtbetalningar", "utbetalningar", "ovrigInformation")
# Where PM's own data stand; FK's stand under formansinformation.
_PM_KEYS = ("ansprak", "beslut", "preliminaraUtbetalningar", "utbetalningar", "ovrigInformation")
_STATES = {"FELANDE", "OTILLGANGLIG"}
_LONGEST_MONTHS = 24
_MEANINGS = {
    400: (
        "Försäkringskassan avvisade frågan (HTTP-status 400).",
        "Den saknar grupp eller avser mer än två år, eller så är den fel skriven. Rätta FK/fraga.",
    ),
    403: (
        "Försäkringskassan avvisade aktören (HTTP-status 403).",
        "Den är okänd eller får inte företrädas. Kontrollera aktorsid hos Försäkringskassan.",
    ),
}
_DATE_LENGTH = len("ÅÅÅÅ-MM-DD")


class FkService:
    """A `BaseService`. Make it on the running event loop."""

    def __init__(self, settings: Fk) -> None:
        self._settings = settings
        self._transport = Transport(settings)
        self._validator, self._strict = _validators()

    def refusal(self, question: Question) -> Failure | None:
        if question.fk is None:
            return failure(
                "OGILTIG_FRAGA", "FK/fraga: saknas. Ange aktorsid och vad som efterfrågas.", reason="no fraga"
            )
        limit = _limit(question.fk)
        return failure("OGILTIG_FRAGA", limit, reason="a limit of this base service") if limit else None

    async def ask(self, question: Question) -> Outcome:
        refused, fraga = self.refusal(question), question.fk
        if refused is not None:
            return refused
        assert fraga is not None  # noqa: S101 - else it is refused
        url = self._url(fraga.aktorsid, "formansinformation/fraga")
        answer = await rest.ask(self._transport, url, fraga.lefi_json, _MEANINGS)
        if isinstance(answer, Failure):
            return answer
        if not self._validator.is_valid(answer.value) or _says_nothing(answer.value):
            # An answer names no person: after this one the next on the connection could be another question's.
            answer.drop()
            return failure("OGILTIGT_SVAR", reason="breaks LEFI's JSON schema")
        unknown = 0 if self._strict.is_valid(answer.value) else _count_unknown(answer.value)
        return Data(EncodedPayload("lefiJsonSvar", answer.body), tuple(_judge(answer.value)), unknown)

    async def test(self) -> tuple[bool, Failure | None]:
        """LEFI's list of available kinds, for the configured actor."""
        if self._settings.test_aktorsid is None:
            return False, await self._transport.ping(self._settings.url)
        try:
            reply = await self._transport.get(self._url(self._settings.test_aktorsid, "tillgangligaInformationstyper"))
        except TransportError as error:
            return error.connected, error.failure
        return True, rest.refusal(reply, _MEANINGS)

    async def close(self) -> None:
        await self._transport.close()

    def _url(self, aktorsid: str, operation: str) -> str:
        # aktorsid is registered for the asker; still, nothing that a caller wrote becomes a step of the path.
        actor = quote(aktorsid, safe="")
        return f"{self._settings.url}/lefi-extern-formansinformation/{_VERSION}/aktorer/{actor}/{operation}"


def connect(settings: Fk) -> FkService:
    """Call on the running event loop."""
    return FkService(settings)


def _limit(fraga: FkFraga) -> str | None:
    if fraga.version not in {None, "", _VERSION}:
        return f"FK/fraga/version: ska vara {_VERSION}, eller utelämnas."
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


def _says_nothing(answer: Mapping[str, Any]) -> bool:
    """Whether nothing in it is of an answer: LEFI's own error document is valid too, for the schema demands nothing."""
    known = _schema()["$defs"]["LefiExternFormansinformationSvar"]["properties"]
    return bool(answer) and known.keys().isdisjoint(answer)


def _judge(answer: Mapping[str, Any]) -> Iterator[Bedomning]:
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
    return jsonschema_rs.validator_for(schema | {"$ref": "#/$defs/LefiExternFormansinformationSvar"})


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(resources.xsd(_SCHEMA).read_text(encoding="utf-8"))
    return schema


def _count_unknown(answer: object) -> int:
    """The fields and codes in a valid answer that the published schema does not have."""
    return sum(_unknown(answer, {"$ref": "#/$defs/LefiExternFormansinformationSvar"}))


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
