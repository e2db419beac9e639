"""The management port: a few pages over plain HTTP, on asyncio's streams. Standard library only.

Nothing that it reads decides anything but which page is given out, and every wait and length has a bound.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping

    Pages = Mapping[str, Callable[[], Awaitable["Page | None"]]]

_SECONDS = 5
_HEADER_BYTES = 8192
_CONNECTIONS = 50


@dataclass(frozen=True, slots=True)
class Page:
    """What one address gives out."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK

    @classmethod
    def of_json(cls, value: object, status: HTTPStatus = HTTPStatus.OK) -> Page:
        return cls(json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n", "application/json", status)


_NOT_FOUND = Page(b"not found\n", status=HTTPStatus.NOT_FOUND)
_NOT_ALLOWED = Page(b"GET or HEAD only\n", status=HTTPStatus.METHOD_NOT_ALLOWED)


async def listen(bound: socket.socket, pages: Pages) -> asyncio.Server:
    """Give out `pages` by path; one that is None now is not found."""
    places = asyncio.Semaphore(_CONNECTIONS)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not places.locked():
                async with places, asyncio.timeout(_SECONDS):
                    await _answer(reader, writer, pages)
            writer.close()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            # The client left, said too much or nothing, or does not read: nothing is waited for any more.
            writer.transport.abort()

    return await asyncio.start_server(connected, sock=bound, limit=_HEADER_BYTES)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pages: Pages) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, _, rest = head.decode("latin-1").partition(" ")
    page = _NOT_ALLOWED
    if method in {"GET", "HEAD"}:
        find = pages.get(rest.partition(" ")[0])
        page = (await find() if find else None) or _NOT_FOUND
    lines = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}",
        f"Content-Type: {page.content_type}",
        f"Content-Length: {len(page.body)}",
        "Allow: GET, HEAD",
        "Cache-Control: no-store",
        "Connection: close",
    )
    writer.write("\r\n".join((*lines, "", "")).encode() + (b"" if method == "HEAD" else page.body))
    await writer.drain()
