"""Skatteverket's parts, each asked by itself over REST, as the combined service of version 11 hands them on.

How the operator calls Skatteverket is not public, so the paths and the question are assumed:

    POST /skv/v11/PART    {"identitet": "ÅÅÅÅMMDDNNNN", "ar": [2025, …]}

Answered with 200 and JSON; with 404 and a problem (RFC 9457) where nothing is found. A persona holds a JSON object by
part in the element `v11` of `SKV`, without whom it is about, which the simulator fills in. A part that is an object
with a numeric `status` is answered with that status. `individuppgifter` and `beskattningsbilagor` are not public.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.model import PersonId
from ssbtek_gateway.simulator.agency import Flaw, Refusal, Request, World
from ssbtek_gateway.simulator.asgi import Reply
from ssbtek_gateway.simulator.held_json import read_held, read_object
from ssbtek_gateway.simulator.json_exchange import JSON, JsonExchange, dump

if TYPE_CHECKING:
    from datetime import date

    from lxml.etree import _Element

PARTS = ("foretagsinformation", "individuppgifter", "skattekonto", "skatteuppgifter", "beskattningsbilagor")
PROBLEM = "application/problem+json"
_PATH = re.compile(f"/skv/v11/({'|'.join(PARTS)})")
_ANY = "{*}v11"
# Where each part says whom it is about.
_WHO = {
    "foretagsinformation": ("foretag", "foretagId"),
    "skattekonto": ("kontohavare",),
    "skatteuppgifter": ("identitet",),
}
# What has been seen in each part, in place of a schema.
_SEEN = {
    "foretagsinformation": {"foretag"},
    "skattekonto": {
        "utbetaltBelopp",
        "bokforingsdag",
        "saldo",
        "preliminarRanta",
        "utbetalningskonto",
        "senastUppdaterad",
    },
    "skatteuppgifter": {"beslutadeSkatteuppgifter"},
}
_YEARS = ("beslutadeSkatteuppgifter", "beskattningsar")


class _Rest:
    """The interface; it has no settings."""

    def methods(self, path: str) -> tuple[str, ...]:
        return ("POST",) if _PATH.fullmatch(path) else ()

    def media(self) -> tuple[str, str]:
        return JSON, "Frågan skickas som application/json."

    def exchange(self, request: Request, world: World) -> JsonExchange:
        found = _PATH.fullmatch(request.path)
        part = found[1] if found else ""
        person, years = _read(request)
        held = world.held(person)
        answer = _answer(part, person, read_held(held.find(_ANY) if held is not None else None))
        if part == "skatteuppgifter" and _YEARS[0] in answer:
            answer[_YEARS[0]] = [decided for decided in answer[_YEARS[0]] if decided[_YEARS[1]] in years]
            if not answer[_YEARS[0]]:
                answer = _nothing()
        if "status" in answer:
            return JsonExchange(person, answer, problem, answer["status"], PROBLEM)
        return JsonExchange(person, answer, problem)

    def check(self, person: PersonId, held: _Element | None, today: date) -> None:
        del person, today
        element = held.find(_ANY) if held is not None else None
        line = element.sourceline if element is not None else None
        for part, content in read_held(element).items():
            if part not in _SEEN and not (part in PARTS and isinstance(content, dict) and "status" in content):
                raise Flaw(line, f"v11 holds {', '.join(_SEEN)}, or a part of Skatteverket's with a status")
            if not isinstance(content, dict) or not ("status" in content or set(content) <= _SEEN[part]):
                raise Flaw(line, f"{part} holds what has not been seen in an answer")
            if not isinstance(content.get("status", 500), int):
                raise Flaw(line, f"the status of {part} is a number")
            for decided in content.get(_YEARS[0], ()):
                if not isinstance(decided.get(_YEARS[1]), int):
                    raise Flaw(line, f"{_YEARS[1]} of {_YEARS[0]} is a number")


def problem(status: int, text: str) -> Reply:
    return Reply(dump({"status": status, "title": text}), status, PROBLEM)


def _nothing() -> dict[str, Any]:
    return {"status": 404, "title": "Uppgift saknas"}


def _read(request: Request) -> tuple[PersonId, list[int]]:
    """Whom and which years the question is about. Raises `Refusal`."""
    refusal = Refusal(problem(400, "Frågan ska ha identitet, tolv siffror, och ar, en lista av årtal."))
    try:
        question = read_object(request.body)
        person = PersonId(str(question.get("identitet")))
    except ValueError:
        raise refusal from None
    years = question.get("ar")
    if len(question) != 2 or not isinstance(years, list) or not years or {type(year) for year in years} != {int}:  # noqa: PLR2004
        raise refusal
    return person, years


def _answer(part: str, person: PersonId, held: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = held.get(part) or _nothing()
    if "status" in answer:
        return answer
    *outer, name = _WHO[part]
    place = answer
    for key in outer:
        place = place[key]
    content = dict(place)
    place.clear()
    place.update({name: person.reveal()}, **content)
    return answer


INTERFACE = _Rest()
