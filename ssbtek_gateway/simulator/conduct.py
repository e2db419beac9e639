"""What an agency, or the network on the way to it, does instead of answering well: one function or row a kind.

`faults.KINDS` says in a line what each is. What SOAP and JSON do each in their own way stands with their exchanges.
"""

from __future__ import annotations

import asyncio
import gzip
import io
from dataclasses import dataclass, replace
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from ssbtek_gateway.simulator.asgi import Reply, disconnected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ssbtek_gateway.simulator.agency import Exchange
    from ssbtek_gateway.simulator.asgi import Receive, Send

# The scope's extension with what ASGI cannot do to a connection, `Peer`'s write, close and reset; of server.py.
CONNECTION = "ssbtek.connection"

_HTML = "text/html; charset=utf-8"
_LONG_WAIT = (("retry-after", "99999"),)
_BOMB_PIECE, _BOMB_PIECES = b" " * 1_048_576, 64
_DRIP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Peer:
    """Whoever asked. `write` sends bytes past HTTP, `close` ends the connection in order, `reset` breaks it."""

    receive: Receive
    send: Send
    write: Callable[[bytes], None]
    close: Callable[[], None]
    reset: Callable[[], None]

    async def gone(self) -> None:
        """Wait until the peer goes away."""
        await disconnected(self.receive)


def _html(status: int, text: str, *headers: tuple[str, str]) -> Callable[[Exchange], Reply]:
    return lambda _: Reply(f"<html><body><p>{text}<br></body></html>".encode(), status, _HTML, headers)


def _status(status: int, *headers: tuple[str, str]) -> Callable[[Exchange], Reply]:
    return lambda exchange: Reply(b"", status, exchange.good().content_type, headers)


def _compressed(body: bytes, like: Reply) -> Reply:
    return replace(like, body=body, headers=(("content-encoding", "gzip"),))


@cache
def _bomb() -> bytes:
    packed = io.BytesIO()
    with gzip.open(packed, "wb") as file:
        for _ in range(_BOMB_PIECES):
            file.write(_BOMB_PIECE)
    return packed.getvalue()


def _charset(exchange: Exchange) -> Reply:
    good = exchange.good()
    return replace(good, content_type=f"{good.content_type.partition(';')[0]}; charset=iso-8859-1")


def _utf_16(exchange: Exchange) -> Reply:
    good = exchange.good()
    body = good.body.decode().replace("UTF-8", "UTF-16", 1).encode("utf-16")
    return Reply(body, good.status, f"{good.content_type.partition(';')[0]}; charset=utf-16")


# Another answer than the good one, whatever the good one is.
REPLIES: Mapping[str, Callable[[Exchange], Reply]] = {
    "http401": _status(401, ("www-authenticate", "Basic")),
    "http403": _status(403),
    "http404": _status(404),
    "http429": _status(429, *_LONG_WAIT),
    "http500": _status(500),
    "http503": _html(503, "503 Service Unavailable", *_LONG_WAIT),
    "garbage": _html(200, "Tjänsten är stängd för underhåll."),
    "empty": _status(200),
    "not-xml": lambda exchange: replace(exchange.good(), body="Tjänsten är stängd.\x00".encode()),
    "redirect": _status(307, ("location", "https://flyttad.invalid/")),
    "redirect-loop": _status(307, ("location", "?")),
    "redirect-file": _status(302, ("location", "file:///etc/passwd")),
    "gzip": lambda exchange: _compressed(gzip.compress(exchange.good().body), exchange.good()),
    "gzip-bomb": lambda exchange: _compressed(_bomb(), exchange.good()),
    "charset": _charset,
    "utf-16": _utf_16,
}


async def _slow(exchange: Exchange, peer: Peer, seconds: float) -> None:
    try:
        await asyncio.wait_for(peer.gone(), seconds)
    except TimeoutError:
        await exchange.good().send(peer.send)


async def _hang(_exchange: Exchange, peer: Peer, _number: float) -> None:
    await peer.gone()


async def _close(_exchange: Exchange, peer: Peer, _number: float) -> None:
    peer.close()
    await peer.gone()


async def _reset(_exchange: Exchange, peer: Peer, _number: float) -> None:
    peer.reset()
    await peer.gone()


async def _truncated(exchange: Exchange, peer: Peer, _number: float) -> None:
    reply = exchange.good()
    await reply.start(peer.send)
    # Half of what content-length promises.
    await peer.send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
    peer.close()
    await peer.gone()


async def _huge(exchange: Exchange, peer: Peer, _number: float) -> None:
    chunk, piece = exchange.endless()
    await exchange.good().start(peer.send, length=False)
    gone = asyncio.ensure_future(peer.gone())
    try:
        while not gone.done():
            await peer.send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = piece
            await asyncio.sleep(0)
    finally:
        gone.cancel()


async def _drip(exchange: Exchange, peer: Peer, _number: float) -> None:
    good = exchange.good()
    gone = asyncio.ensure_future(peer.gone())
    try:
        for byte in _head(good, _length(good)) + good.body:
            peer.write(bytes([byte]))
            if (await asyncio.wait([gone], timeout=_DRIP_SECONDS))[0]:
                return
        await gone
    finally:
        gone.cancel()


def _head(reply: Reply, framing: str) -> bytes:
    start = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"
    return f"{start}\r\ncontent-type: {reply.content_type}\r\n{framing}\r\n\r\n".encode()


def _length(reply: Reply, more: int = 0) -> str:
    return f"content-length: {len(reply.body) + more}"


# Bytes that uvicorn would not send; whether the connection is closed after them.
_RAW: Mapping[str, tuple[Callable[[Reply], bytes], bool]] = {
    "hangheaders": (lambda good: _head(good, _length(good))[:-2] + b"x-mer: ", False),
    "http09": (lambda good: good.body, True),
    "bad-chunk": (lambda good: _head(good, "transfer-encoding: chunked") + b"zz\r\n" + good.body + b"\r\n", False),
    "too-short": (lambda good: _head(good, _length(good, -10)) + good.body, False),
    "too-long": (lambda good: _head(good, _length(good, 10)) + good.body, False),
    "extra": (
        lambda good: _head(good, _length(good)) + good.body + _head(Reply(b"", 500), "content-length: 0"),
        False,
    ),
}


async def _raw(kind: str, exchange: Exchange, peer: Peer, _number: float) -> None:
    written, closes = _RAW[kind]
    peer.write(written(exchange.good()))
    if closes:
        peer.close()
    await peer.gone()


# Another way to answer; the number is what stands after the kind, seconds of `slow`.
CONDUCTS: Mapping[str, Callable[[Exchange, Peer, float], Awaitable[None]]] = {
    "slow": _slow,
    "hang": _hang,
    "close": _close,
    "reset": _reset,
    "truncated": _truncated,
    "huge": _huge,
    "drip": _drip,
} | {kind: partial(_raw, kind) for kind in _RAW}
