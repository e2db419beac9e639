"""Faults on demand: what an agency, or the network on the way to it, may do instead of answering well."""

from __future__ import annotations

import asyncio
import gzip
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.simulator import AGENCIES, soap
from ssbtek_gateway.simulator.asgi import Reply, disconnected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from lxml.etree import _Element

    from ssbtek_gateway.model import PersonId
    from ssbtek_gateway.simulator.agency import Agency
    from ssbtek_gateway.simulator.asgi import Receive, Scope, Send

# The scope's extension that breaks the connection; server.py provides it.
RESET = "ssbtek.reset"

_XSD = "http://www.w3.org/2001/XMLSchema"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_HTML = "text/html; charset=utf-8"
# By century, for an answer carries that apart; from Skatteverket's list of test numbers.
_OTHERS = {"19": ("194408139089", "190301249801"), "20": ("201701012393", "200001022391")}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A valid question's `person` and the valid `answer` to it."""

    agency: Agency
    person: PersonId
    answer: _Element = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """How to answer: one of `REPLIES` or `CONDUCTS` by name; `seconds` is of `slow` alone."""

    kind: str
    seconds: float = 0.0

    async def play(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        if self.kind in REPLIES:
            return await REPLIES[self.kind](exchange).send(send)
        return await CONDUCTS[self.kind](self, exchange, scope, receive, send)


def parse_fault(text: str) -> tuple[str, Fault]:
    """Base service and fault of `SERVICE=KIND`, KIND `slow:SECONDS` too. Raises `ValueError` saying what is allowed."""
    service, _, spec = text.partition("=")
    kind, colon, seconds = spec.partition(":")
    if service not in AGENCIES:
        raise ValueError(f"{text!r}: write SERVICE=KIND, where SERVICE is one of {', '.join(AGENCIES)}")
    if kind not in REPLIES and kind not in CONDUCTS:
        raise ValueError(f"{text!r}: KIND is one of {', '.join(sorted({*REPLIES, *CONDUCTS}))}")
    if kind != "slow":
        if colon:
            raise ValueError(f"{text!r}: only slow takes a number")
        return service, Fault(kind)
    try:
        delay = float(seconds)
    except ValueError:
        delay = math.nan
    if not 0 <= delay < math.inf:
        raise ValueError(f"{text!r}: write slow:SECONDS, such as slow:3 or slow:0.5")
    return service, Fault(kind, delay)


def good(exchange: Exchange) -> bytes:
    """The answer as it should be, in its envelope."""
    return soap.serialise(soap.envelope(exchange.answer))


def _fault(_exchange: Exchange) -> Reply:
    return Reply(soap.fault("Server", "Internt fel hos myndigheten."), 500)


def _fault_with_number(exchange: Exchange) -> Reply:
    return Reply(soap.fault("Server", f"ORA-01403: no data found ({exchange.person.reveal()})"), 500)


def _unavailable(_exchange: Exchange) -> Reply:
    return Reply(b"<html><body><h1>503 Service Unavailable</h1></body></html>", 503, _HTML)


def _garbage(_exchange: Exchange) -> Reply:
    return Reply("<html><body><p>Tjänsten är stängd för underhåll.<br></body></html>".encode(), 200, _HTML)


def _invalid(exchange: Exchange) -> Reply:
    # Every agency's answer begins with a child that the schema demands; an added one could fall into AF's xs:any.
    exchange.answer.remove(exchange.answer[0])
    return Reply(good(exchange))


def _other_person(exchange: Exchange) -> Reply:
    # The last place: the echo of the question stays right, and the data are somebody else's.
    asked = exchange.person.reveal()
    other = next(number for number in _OTHERS.get(asked[:2], _OTHERS["19"]) if number != asked)
    before, _, after = good(exchange).rpartition(asked[2:].encode())
    return Reply(before + other[2:].encode() + after)


def _soap_12(exchange: Exchange) -> Reply:
    root = soap.envelope(exchange.answer, _SOAP_12)
    return Reply(soap.serialise(root), content_type="application/soap+xml; charset=utf-8")


def _doctype(exchange: Exchange) -> Reply:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    declaration, _, rest = good(exchange).partition(b"\n")
    bomb = f'<!DOCTYPE soap:Envelope [<!ENTITY e0 "ha">{entities}]>'.encode()
    return Reply(declaration + bomb + rest.replace(b"</soap:Body>", b"&e9;</soap:Body>"))


def _redirect(_exchange: Exchange) -> Reply:
    return Reply(b"", 307, _HTML, (("location", "https://flyttad.invalid/"),))


def _gzip(exchange: Exchange) -> Reply:
    return Reply(gzip.compress(good(exchange)), headers=(("content-encoding", "gzip"),))


def _comments(exchange: Exchange) -> Reply:
    """Valid, with all that is easily lost on the way: comments, an instruction, a prefix that only a value uses."""
    answer = exchange.answer
    root = soap.envelope(answer, prefixes={"xsd": _XSD})
    schema = exchange.agency.compiled_schema()
    for leaf in [element for element in answer.iter("*") if not len(element)]:
        leaf.set(_XSI_TYPE, "xsd:string")
        if schema.validate(answer):
            # In the middle of a text, which stays one text to the schema.
            middle = etree.Comment(" mitt i texten ")
            text = leaf.text or ""
            leaf.text, middle.tail = text[:2], text[2:]
            leaf.append(middle)
            break
        del leaf.attrib[_XSI_TYPE]
    answer.insert(0, etree.Comment(" från myndigheten "))
    answer.append(etree.ProcessingInstruction("myndighet", "slut"))
    return Reply(soap.serialise(root))


async def _slow(fault: Fault, exchange: Exchange, _scope: Scope, _receive: Receive, send: Send) -> None:
    await asyncio.sleep(fault.seconds)
    await Reply(good(exchange)).send(send)


async def _hang(_fault: Fault, _exchange: Exchange, _scope: Scope, receive: Receive, _send: Send) -> None:
    await disconnected(receive)


async def _reset(_fault: Fault, _exchange: Exchange, scope: Scope, receive: Receive, _send: Send) -> None:
    scope["extensions"][RESET]["abort"]()
    await disconnected(receive)


async def _truncated(_fault: Fault, exchange: Exchange, _scope: Scope, _receive: Receive, send: Send) -> None:
    reply = Reply(good(exchange))
    await reply.start(send)
    # Half of what content-length promises. Returning now makes the server close the connection.
    await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})


async def _huge(_fault: Fault, exchange: Exchange, _scope: Scope, receive: Receive, send: Send) -> None:
    reply = Reply(good(exchange).partition(b"<soap:Body>")[0] + b"<soap:Body>")
    await reply.start(send, length=False)
    gone = asyncio.ensure_future(disconnected(receive))
    chunk = reply.body
    try:
        while not gone.done():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = b"<mer>" + b"x" * 65_536 + b"</mer>"
            await asyncio.sleep(0)
    finally:
        gone.cancel()


# Another answer than the good one.
REPLIES: Mapping[str, Callable[[Exchange], Reply]] = {
    "fault": _fault,
    "fault-pnr": _fault_with_number,
    "http503": _unavailable,
    "garbage": _garbage,
    "invalid": _invalid,
    "other-person": _other_person,
    "soap12": _soap_12,
    "doctype": _doctype,
    "redirect": _redirect,
    "gzip": _gzip,
    "comments": _comments,
}

# Another way to answer.
CONDUCTS: Mapping[str, Callable[[Fault, Exchange, Scope, Receive, Send], Awaitable[None]]] = {
    "slow": _slow,
    "hang": _hang,
    "reset": _reset,
    "truncated": _truncated,
    "huge": _huge,
}
