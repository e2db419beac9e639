"""A name server on this machine that takes its time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_HEADER_BYTES = 12
# An answer (RFC 1035, section 4.1): for the name in the question, type A, class IN, 60 s, 127.0.0.1.
_LOOPBACK = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01"
_TYPE_A = b"\x00\x01"


@dataclass
class Names(asyncio.DatagramProtocol):
    """Says 127.0.0.1 to every name, `seconds` after it was asked; never, where that is None. Use `name_server`."""

    seconds: float | None
    asked: list[bytes] = field(default_factory=list)
    port: int = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # what it is
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = data[_HEADER_BYTES : data.index(b"\x00", _HEADER_BYTES) + 5]
        self.asked.append(question)
        if self.seconds is not None:
            found = question[-4:-2] == _TYPE_A
            header = data[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if found else b"\x00\x00") + b"\x00\x00\x00\x00"
            answer = header + question + (_LOOPBACK if found else b"")
            asyncio.get_running_loop().call_later(self.seconds, self._transport.sendto, answer, addr)


@asynccontextmanager
async def name_server(seconds: float | None) -> AsyncIterator[Names]:
    """A `Names` that listens on `port`."""
    transport, names = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Names(seconds), local_addr=("127.0.0.1", 0)
    )
    try:
        yield names
    finally:
        transport.close()
