"""Faults on demand, by name: what each is, how one is written, and when it is played."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssbtek_gateway.simulator import AGENCIES
from ssbtek_gateway.simulator.conduct import CONDUCTS, CONNECTION, REPLIES, Peer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.simulator.agency import Exchange
    from ssbtek_gateway.simulator.asgi import Receive, Scope, Send

# Every kind, and what it is in a line. What is neither in REPLIES nor in CONDUCTS the `Exchange` says in its own way.
KINDS: Mapping[str, str] = {
    "slow": "the good answer, SECONDS late (slow:3)",
    "hang": "takes the question and says nothing",
    "hangheaders": "stops in the middle of the header",
    "drip": "the good answer, a byte every tenth of a second",
    "too-long": "promises ten bytes more than it sends, and keeps the connection open",
    "close": "takes the question and closes the connection",
    "reset": "takes the question and breaks the connection (RST)",
    "truncated": "closes in the middle of the answer",
    "flap": "N good answers, then N times reset, and again (flap:1)",
    "http401": "HTTP 401, empty",
    "http403": "HTTP 403, empty",
    "http404": "HTTP 404, empty",
    "http429": "HTTP 429, empty, Retry-After 99999",
    "http500": "HTTP 500, empty",
    "http503": "HTTP 503, an HTML page, Retry-After 99999",
    "fault": "a fault of the agency's own (SOAP fault, LEFI's felsvar, a problem)",
    "fault200": "the same with HTTP 200",
    "fault-pnr": "the same, with the person's number and a database's text in it",
    "longfault": "the same, with a text of 5 MB",
    "garbage": "HTTP 200 and an HTML page",
    "empty": "HTTP 200 and nothing",
    "not-xml": "a line of text that says it is the answer's media type",
    "invalid": "well-formed, but breaks the agency's schema",
    "soap12": "a SOAP 1.2 envelope",
    "two-bodies": "two Body elements; two documents in JSON",
    "doctype": "an entity bomb; nesting that no reader survives in JSON",
    "xxe": "an external entity; in JSON NaN, which some readers take",
    "comments": "valid, with comments, an instruction and prefixes; white space and escapes in JSON",
    "other-person": "about another person than was asked about",
    "korrelationsid": "with another korrelationsid than the question's (MIV)",
    "extra": "the good answer, and at once another one that nobody asked for",
    "huge": "an answer without end",
    "gzip": "compressed, though nobody asked for it",
    "gzip-bomb": "64 MB of spaces, compressed",
    "charset": "UTF-8 under a header that says ISO 8859-1",
    "utf-16": "in UTF-16, and says so",
    "redirect": "to another host",
    "redirect-loop": "to itself",
    "redirect-file": "to a file",
    "http09": "the good answer without status and header",
    "bad-chunk": "a chunk whose size is no number",
    "too-short": "ten bytes more than it promises",
}
# Kinds that not every agency can play: the property of `Agency` that they need, and why not.
_NEEDS = {
    "other-person": ("names_person", "does not say whom it is about"),
    "korrelationsid": ("repeats_korrelationsid", "has no korrelationsid"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """How to answer: one of `KINDS`. `number` is SECONDS of `slow`, N of `flap`, and of no other."""

    kind: str
    number: float = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.number:g}" if self.kind in _NUMBERS else self.kind

    def at(self, asked: int) -> Fault | None:
        """What to play to a question, of which the agency was asked `asked` before; None is to answer well."""
        if self.kind != "flap":
            return self
        return _BROKEN if asked // int(self.number) % 2 else None

    async def play(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        if self.kind in CONDUCTS:
            peer = Peer(receive, send, **scope["extensions"][CONNECTION])
            return await CONDUCTS[self.kind](exchange, peer, self.number)
        reply = REPLIES[self.kind](exchange) if self.kind in REPLIES else exchange.flawed(self.kind)
        return await reply.send(send)


_BROKEN = Fault("reset")


def parse_fault(text: str) -> tuple[str, Fault]:
    """Base service and fault of `SERVICE=KIND`. Raises `ValueError` saying what is allowed."""
    service, _, spec = text.partition("=")
    if service not in AGENCIES:
        raise ValueError(f"{text!r}: write SERVICE=KIND, where SERVICE is one of {', '.join(AGENCIES)}")
    return service, fault_of(service, spec)


def fault_of(service: str, text: str) -> Fault:
    """The fault that `text`, as `slow:3`, is for `service`. Raises `ValueError` saying what is allowed."""
    kind, colon, number = text.partition(":")
    if kind not in KINDS:
        raise ValueError(f"{text!r}: KIND is one of {', '.join(sorted(KINDS))}")
    lacks, why = _NEEDS.get(kind, ("", ""))
    if lacks and not getattr(AGENCIES[service], lacks):
        raise ValueError(f"{text!r}: an answer of {service} {why}")
    if kind in _NUMBERS:
        return Fault(kind, _NUMBERS[kind](number))
    if colon:
        raise ValueError(f"{text!r}: only {' and '.join(_NUMBERS)} take a number")
    return Fault(kind)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{text!r}: write slow:SECONDS, such as slow:3 or slow:0.5")
    return seconds


def _times(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ValueError(f"{text!r}: write flap:N, such as flap:1")
    return int(text)


_NUMBERS = {"slow": _seconds, "flap": _times}
