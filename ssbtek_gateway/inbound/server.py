"""The listener: uvicorn's HTTP over sockets and a TLS of ours, with a deadline on everything a client can leave undone.

uvicorn passes no limit for the handshake and hands no client certificate on, so the sockets are made here.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ssbtek_gateway import metrics
from ssbtek_gateway.inbound.app import CERTIFICATE

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator

    from ssbtek_gateway.config import Listen

_BACKLOG = 1024
# How long a client may take to close its side of TLS; an idle one that never does would hold up a stop.
_CLOSE_SECONDS = 1
# All header lines together. A SOAP client sends a few hundred bytes.
_HEADER_BYTES = 16_384
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Door:
    """One listening address: a bound socket, its TLS context, and the ASGI application behind it."""

    bound: socket.socket
    context: ssl.SSLContext
    app: Callable[..., Any]


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol with a client certificate in the scope and bounds on the header."""

    limits: Listen  # set on the subclass that a Listener makes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        super().connection_made(transport)
        metrics.HANDSHAKES.inc()
        peer = transport.get_extra_info("ssl_object")
        self._certificate = peer.getpeercert(binary_form=True) if peer else None
        self._in_header = True
        self._header_bytes = 0
        # TLS is up and nothing has been read. Should the client be sending, it may see the connection reset instead.
        self._refused = len(self.connections) > self.limits.connections
        if self._refused:
            metrics.REFUSALS.inc("503")
            transport.write(_FULL)
            transport.close()
        self._deadline = self.loop.call_later(self.limits.header_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._in_header:
            self._header_bytes += len(data)
        super().data_received(data)
        # Only what has not yet become a whole header counts: a body may have come along in the same packet.
        if self._in_header and self._header_bytes > _HEADER_BYTES and not self.transport.is_closing():
            metrics.REFUSALS.inc("431")
            self.transport.write(b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n")
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        metrics.REFUSALS.inc("400")
        super().send_400_response(msg)

    def _give_up(self) -> None:
        metrics.REFUSALS.inc("slow")
        self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_header = True
        self._deadline.cancel()
        self._deadline = self.loop.call_later(self.limits.header_seconds, self._give_up)
        self.scope["extensions"] = {CERTIFICATE: self._certificate}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        self._in_header = False
        self._header_bytes = 0
        self._deadline.cancel()
        super().on_headers_complete()


class Listener(uvicorn.Server):
    """One server process: every door, one life cycle. SIGTERM and SIGINT let questions that were asked finish."""

    def __init__(
        self, doors: list[Door], limits: Listen, drain_seconds: float, started: Callable[[list[int]], None]
    ) -> None:
        self._doors = doors
        self._limits = limits
        self._tell = started
        self._drain_seconds = drain_seconds
        super().__init__(self._config(doors[0]))

    def _config(self, door: Door) -> uvicorn.Config:
        protocol = type("Protocol", (_Protocol,), {"limits": self._limits})
        return uvicorn.Config(
            door.app,
            http=protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # a header is trusted from no one
            timeout_keep_alive=round(self._limits.idle_seconds),
            timeout_graceful_shutdown=round(self._drain_seconds),
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Listen on every door; all of them, or `OSError`."""
        metrics.CONNECTIONS.watch(lambda: len(self.server_state.connections))
        self.servers = [await self._open(door) for door in self._doors]
        self.started = True
        self._tell([door.bound.getsockname()[1] for door in self._doors])

    async def _open(self, door: Door) -> asyncio.Server:
        config = self._config(door)
        config.load()

        def protocol() -> asyncio.Protocol:
            metrics.ACCEPTED.inc()
            handler: asyncio.Protocol = config.http_protocol_class(config, self.server_state, {})  # type: ignore[call-arg]
            return handler

        return await asyncio.get_running_loop().create_server(
            protocol,
            sock=door.bound,
            ssl=door.context,
            backlog=_BACKLOG,
            ssl_handshake_timeout=self._limits.handshake_seconds,
            ssl_shutdown_timeout=_CLOSE_SECONDS,
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal and return normally; uvicorn's own would raise the signal again and end in its status."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
