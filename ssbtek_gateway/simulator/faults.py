"""Faults on demand: what an agency, or the network on the way to it, may do instead of answering well."""

from __future__ import annotations

import asyncio
import gzip
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssbtek_gateway.simulator import AGENCIES
from ssbtek_gateway.simulator.asgi import Reply, disconnected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ssbtek_gateway.simulator.agency import Exchange
    from ssbtek_gateway.simulator.asgi import Receive, Scope, Send

# The scope's extension with what ASGI cannot do to the connection: `reset` breaks it, `close` ends it in the middle of
# an answer. server.py provides it.
CONNECTION = "ssbtek.connection"

_HTML = "text/html; charset=utf-8"

# What SOAP and JSON answers do each in their own way.
OWN = ("fault", "fault-pnr", "invalid", "other-person", "soap12", "doctype", "comments")


@dataclass(frozen=True, slots=True)
class Fault:
    """How to answer: one of `OWN`, `REPLIES` or `CONDUCTS` by name; `seconds` is of `slow` alone."""

    kind: str
    seconds: float = 0.0

    async def play(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        if self.kind in OWN:
            return await exchange.flawed(self.kind).send(send)
        if self.kind in REPLIES:
            return await REPLIES[self.kind](exchange).send(send)
        return await CONDUCTS[self.kind](self, exchange, scope, receive, send)


def parse_fault(text: str) -> tuple[str, Fault]:
    """Base service and fault of `SERVICE=KIND`, KIND `slow:SECONDS` too. Raises `ValueError` saying what is allowed."""
    service, _, spec = text.partition("=")
    kind, colon, seconds = spec.partition(":")
    if service not in AGENCIES:
        raise ValueError(f"{text!r}: write SERVICE=KIND, where SERVICE is one of {', '.join(AGENCIES)}")
    if kind not in OWN and kind not in REPLIES and kind not in CONDUCTS:
        raise ValueError(f"{text!r}: KIND is one of {', '.join(sorted({*OWN, *REPLIES, *CONDUCTS}))}")
    if kind == "other-person" and not AGENCIES[service].names_person:
        raise ValueError(f"{text!r}: an answer of {service} does not say whom it is about")
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


def _unavailable(_exchange: Exchange) -> Reply:
    return Reply(b"<html><body><h1>503 Service Unavailable</h1></body></html>", 503, _HTML)


def _garbage(_exchange: Exchange) -> Reply:
    return Reply("<html><body><p>Tjänsten är stängd för underhåll.<br></body></html>".encode(), 200, _HTML)


def _redirect(_exchange: Exchange) -> Reply:
    return Reply(b"", 307, _HTML, (("location", "https://flyttad.invalid/"),))


def _gzip(exchange: Exchange) -> Reply:
    good = exchange.good()
    return Reply(gzip.compress(good.body), good.status, good.content_type, (("content-encoding", "gzip"),))


async def _slow(fault: Fault, exchange: Exchange, _scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await asyncio.wait_for(disconnected(receive), fault.seconds)
    except TimeoutError:
        await exchange.good().send(send)


async def _hang(_fault: Fault, _exchange: Exchange, _scope: Scope, receive: Receive, _send: Send) -> None:
    await disconnected(receive)


async def _reset(_fault: Fault, _exchange: Exchange, scope: Scope, receive: Receive, _send: Send) -> None:
    scope["extensions"][CONNECTION]["reset"]()
    await disconnected(receive)


async def _truncated(_fault: Fault, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
    reply = exchange.good()
    await reply.start(send)
    # Half of what content-length promises.
    await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
    scope["extensions"][CONNECTION]["close"]()
    await disconnected(receive)


async def _huge(_fault: Fault, exchange: Exchange, _scope: Scope, receive: Receive, send: Send) -> None:
    chunk, piece = exchange.endless()
    await exchange.good().start(send, length=False)
    gone = asyncio.ensure_future(disconnected(receive))
    try:
        while not gone.done():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = piece
            await asyncio.sleep(0)
    finally:
        gone.cancel()


# Another answer than the good one, whatever the good one is.
REPLIES: Mapping[str, Callable[[Exchange], Reply]] = {
    "http503": _unavailable,
    "garbage": _garbage,
    "redirect": _redirect,
    "gzip": _gzip,
}

# Another way to answer.
CONDUCTS: Mapping[str, Callable[[Fault, Exchange, Scope, Receive, Send], Awaitable[None]]] = {
    "slow": _slow,
    "hang": _hang,
    "reset": _reset,
    "truncated": _truncated,
    "huge": _huge,
}
