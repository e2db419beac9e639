"""The listener: uvicorn over sockets and a TLS of ours, for uvicorn passes no limit for the handshake."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from ssbtek_gateway import metrics
from ssbtek_gateway.inbound.accept import Acceptor
from ssbtek_gateway.inbound.protocol import Protocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator

    from ssbtek_gateway.config import Listen

_BACKLOG = 1024
# How long a kept connection may still be used as the process stops; its next answer says that it ends.
_LEAVE_SECONDS = 1
_LEAVE_TICK = 0.05


@dataclass(frozen=True, slots=True)
class Door:
    """One listening address: a bound socket, its TLS context, and the ASGI application behind it.

    Without a context it is the Unix socket that a proxy connects to.
    """

    bound: socket.socket
    context: ssl.SSLContext | None
    app: Callable[..., Any]


class Listener(uvicorn.Server):
    """One server process: every door, one life cycle. SIGTERM and SIGINT let questions that were asked finish."""

    def __init__(
        self, doors: list[Door], limits: Listen, drain_seconds: float, started: Callable[[list[int]], None]
    ) -> None:
        self._doors = doors
        self._limits = limits
        self._tell = started
        self._drain_seconds = drain_seconds
        self._leaving = asyncio.Event()
        super().__init__(self._config(doors[0]))

    def _config(self, door: Door) -> uvicorn.Config:
        protocol = type("Limited", (Protocol,), {"limits": self._limits, "leaving": self._leaving})
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
        self.servers: list[Acceptor] = [self._open(door) for door in self._doors]  # type: ignore[assignment] # all it uses
        self.started = True
        self._tell([door.bound.getsockname()[1] for door in self._doors if door.context is not None])

    def _open(self, door: Door) -> Acceptor:
        config = self._config(door)
        config.load()

        def protocol() -> asyncio.Protocol:
            metrics.ACCEPTED.inc()
            handler: asyncio.Protocol = config.http_protocol_class(config, self.server_state, {})  # type: ignore[call-arg]
            return handler

        door.bound.listen(_BACKLOG)
        return Acceptor(door.bound, door.context, self._limits, protocol)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let who is connected ask for a moment more, for a question under way must not meet a closed connection."""
        self._leaving.set()
        for server in self.servers:
            server.close()
        await asyncio.gather(*(server.wait_closed() for server in self.servers))
        for _ in range(round(_LEAVE_SECONDS / _LEAVE_TICK)):
            if not self.server_state.connections:
                break
            await asyncio.sleep(_LEAVE_TICK)
        await super().shutdown(sockets)

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
