"""A JSON answer, and the ways in which it may be wrong."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.simulator import soap
from ssbtek_gateway.simulator.agency import LONG, about_another
from ssbtek_gateway.simulator.asgi import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssbtek_gateway.model import PersonId

JSON = "application/json"
# Far deeper than a reader that calls itself for each level can go.
_DEPTH = 100_000


@dataclass(frozen=True, slots=True)
class JsonExchange:
    """A valid question's `person`, if any, and the valid `answer` to it; `error` says a text as the agency does."""

    person: PersonId | None
    answer: dict[str, Any] = field(repr=False)
    error: Callable[[int, str], Reply]
    status: int = 200
    content_type: str = JSON

    def good(self) -> Reply:
        return Reply(dump(self.answer), self.status, self.content_type)

    def flawed(self, kind: str) -> Reply:
        return _FLAWED[kind](self)

    def endless(self) -> tuple[bytes, bytes]:
        return b'{"mer":[""', b',"' + b"x" * 65_536 + b'"'


def dump(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _fault(exchange: JsonExchange) -> Reply:
    return exchange.error(500, "Internt fel hos myndigheten.")


def _fault_with_number(exchange: JsonExchange) -> Reply:
    number = exchange.person.reveal() if exchange.person is not None else "-"
    return exchange.error(500, f"ORA-01403: no data found ({number})")


def _long_fault(exchange: JsonExchange) -> Reply:
    return exchange.error(500, LONG)


def _invalid(exchange: JsonExchange) -> Reply:
    # What is an object, an array or a value is now something else, whatever the agency's schema says.
    broken = {
        name: "ogiltigt" if isinstance(value, dict | list) else [value] for name, value in exchange.answer.items()
    }
    return Reply(dump(broken), exchange.status, exchange.content_type)


def _other_person(exchange: JsonExchange) -> Reply:
    good = exchange.good()
    body = about_another(good.body, exchange.person) if exchange.person is not None else good.body
    return Reply(body, good.status, good.content_type)


def _soap_12(exchange: JsonExchange) -> Reply:
    # As before version 10, when LEFI Online was SOAP.
    return Reply(soap.fault("Server", "Använd version 9."), exchange.status, "application/soap+xml; charset=utf-8")


def _two_documents(exchange: JsonExchange) -> Reply:
    return Reply(dump(exchange.answer) * 2, exchange.status, exchange.content_type)


def _not_a_number(exchange: JsonExchange) -> Reply:
    return Reply(dump({**exchange.answer, "mer": math.nan}), exchange.status, exchange.content_type)


def _deep(exchange: JsonExchange) -> Reply:
    return Reply(b'{"djup":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}", exchange.status, exchange.content_type)


def _easily_damaged(exchange: JsonExchange) -> Reply:
    """Valid, with all that is easily lost on the way: white space, escapes, and a double with its decimals."""
    text = json.dumps(exchange.answer, indent=3).replace("/", "\\/")
    text = re.sub(r'("summa": -?\d+)(?:\.0)?(?=[,\s])', r"\1.00", text)
    return Reply(f"\r\n\t{text}\n".encode(), exchange.status, exchange.content_type)


_FLAWED: Mapping[str, Callable[[JsonExchange], Reply]] = {
    "fault": _fault,
    "fault200": lambda exchange: replace(_fault(exchange), status=200),
    "fault-pnr": _fault_with_number,
    "longfault": _long_fault,
    "invalid": _invalid,
    "other-person": _other_person,
    "soap12": _soap_12,
    "two-bodies": _two_documents,
    "doctype": _deep,
    "xxe": _not_a_number,
    "comments": _easily_damaged,
}
