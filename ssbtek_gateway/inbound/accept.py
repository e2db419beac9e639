"""Takes connections from a listening socket and brings TLS up on each, so many at once and no more.

Whoever opens connections and says nothing cannot keep others out: where there are too many, the oldest that has not
come through gives way to the one that has just come. asyncio's own server has no such bound.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from ssbtek_gateway.config import Listen

_LOG = structlog.get_logger()
# How long a client may take to close its side of TLS; an idle one that never does would hold up a stop.
_CLOSE_SECONDS = 1
# Until descriptors may be free again.
_PAUSE_SECONDS = 0.1


class Acceptor:
    """What uvicorn needs of an `asyncio.Server`. Make it on the running event loop; it accepts at once."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext | None,
        limits: Listen,
        protocol: Callable[[], asyncio.Protocol],
    ) -> None:
        listening.settimeout(0)
        self._listening = listening
        self._context = context
        self._limits = limits
        self._protocol = protocol
        # In the order of their coming; a dict, for a set has none.
        self._half_open: dict[asyncio.Task[None], None] = {}
        self._loop = asyncio.get_running_loop()
        self._accepting = self._loop.create_task(self._accept())

    def close(self) -> None:
        """Accept no more; connections that have been accepted are left to themselves."""
        self._accepting.cancel()
        self._listening.close()

    async def wait_closed(self) -> None:
        """Wait for handshakes under way, after `close`."""
        await asyncio.gather(self._accepting, *self._half_open, return_exceptions=True)

    async def _accept(self) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._listening)
            except OSError as error:
                _LOG.error("accept", reason=type(error).__name__, errno=error.errno)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if len(self._half_open) >= self._limits.handshakes:
                oldest = next(iter(self._half_open))
                del self._half_open[oldest]
                oldest.cancel()
            task = self._loop.create_task(self._shake_hands(connection))
            self._half_open[task] = None
            task.add_done_callback(lambda done: self._half_open.pop(done, None))

    async def _shake_hands(self, connection: socket.socket) -> None:
        # What fails here is the client's: no certificate, none of ours, no TLS at all, or too late.
        with suppress(OSError):
            await self._loop.connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=self._limits.handshake_seconds if self._context else None,
                ssl_shutdown_timeout=_CLOSE_SECONDS if self._context else None,
            )
