"""As much of ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html) as the simulator uses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# A question is some 2 kB.
_BODY_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Never printed."""

    body: bytes = field(repr=False)
    status: int = 200
    content_type: str = "text/xml; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    async def start(self, send: Send, *, length: bool = True) -> None:
        """Send status and headers; without `length` the body goes in chunks until somebody ends it."""
        headers = [("content-type", self.content_type), *self.headers]
        if length:
            headers.append(("content-length", str(len(self.body))))
        pairs = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": self.status, "headers": pairs})

    async def send(self, send: Send) -> None:
        await self.start(send)
        await send({"type": "http.response.body", "body": self.body})


async def read_body(receive: Receive) -> bytes | None:
    """The request's body; None where it is larger than we read or the peer went away."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or len(body) > _BODY_LIMIT:
            return None
        more = message.get("more_body", False)
    return body


async def disconnected(receive: Receive) -> None:
    """Wait until the peer goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def media_type(scope: Scope) -> tuple[str, str | None]:
    """The request's media type in lower case and its charset, if any."""
    header = Message()
    header["Content-Type"] = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    return header.get_content_type(), header.get_content_charset()
