"""A question to a base service and its answer: mutual TLS, and a bound on every wait and read.

Redirects are never followed (the question and our certificate must not go elsewhere), nothing is decompressed (a small
answer could become a huge one), and neither proxies nor trust stores are taken from the environment.

A question is sent at most once: only where no connection came about is it tried again, within the same limit. A
connection on which something went wrong is not used again, so that no answer is taken for another question's.
"""

from __future__ import annotations

import asyncio
import ssl
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ssbtek_gateway import observe, tls
from ssbtek_gateway.faults import failure, timeout
from ssbtek_gateway.services.http1 import AnswerError, Pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ssbtek_gateway.config import Bastjanst
    from ssbtek_gateway.model import Failure
    from ssbtek_gateway.services.http1 import Connection

# Connections are tried this often for one question.
_ATTEMPTS = 2
# What may be gone the next moment. A certificate that is not trusted is not.
_TRIED_AGAIN = {"ANSLUTNING", "TIMEOUT"}
_PORTS = {"http": 80, "https": 443}


class TransportError(Exception):
    """No usable answer came; `failure` is the section error. `connected` is False where nothing can have been sent."""

    def __init__(self, failed: Failure, *, connected: bool = True) -> None:
        super().__init__(failed.felkod)
        self.failure = failed
        self.connected = connected


@dataclass(frozen=True, slots=True)
class Reply:
    """An agency's HTTP answer, whole and within bounds."""

    status: int
    charset: str | None
    body: bytes = field(repr=False)
    drop: Callable[[], None] = field(default=lambda: None, repr=False)
    """Close the connection that it came on: for whoever finds that it is not what was asked for."""


# Told of each question that got an answer, with its address, where a recording listens (`record`); never otherwise.
TAP: ContextVar[Callable[[str, bytes, Reply], None] | None] = ContextVar("tap", default=None)


class Transport:
    """The connections to one base service. Make it on the running event loop; close it there."""

    def __init__(self, settings: Bastjanst) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        if settings.authority is not None:
            self._context = tls.client_context(settings.certificate, settings.key, settings.authority)
        self._clock = asyncio.get_running_loop().time
        self._pools: dict[tuple[str, int], Pool] = {}

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Awaitable[Reply]:
        """Send `body` and read the whole answer. Raises `TransportError`."""
        return self._exchange("POST", url, body, headers)

    def get(self, url: str) -> Awaitable[Reply]:
        """Read the whole answer. Raises `TransportError`."""
        return self._exchange("GET", url, b"", {})

    async def ping(self, url: str) -> Failure | None:
        """None where a connection comes about. HEAD cannot carry a question, and what it answers does not matter."""
        try:
            await self._exchange("HEAD", url, b"", {"Connection": "close"})
        except TransportError as error:
            return error.failure if not error.connected or error.failure.felkod == "TLS" else None
        return None

    async def close(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Awaitable[Reply]:
        exchange = self._told if observe.points() else self._exchanged
        return exchange(method, url, body, headers)

    async def _told(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        started = monotonic()
        came: dict[str, object] = {"utfall": "cancelled"}
        observe.point("request-out", method=method, bytes=len(body))
        try:
            reply = await self._exchanged(method, url, body, headers)
            came = {"status": reply.status, "bytes": len(reply.body)}
        except TransportError as error:
            came = {"utfall": error.failure.felkod}
            raise
        else:
            return reply
        finally:
            observe.point("response-in", **came, milliseconds=round(1000 * (monotonic() - started)))

    async def _exchanged(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        host, port, secure, head = _head(method, url, tuple(headers.items()))
        length = b"Content-Length: %d\r\n" % len(body) if method == "POST" else b""
        started = self._clock()
        pool = self._pool(host, port, secure=secure)
        connection = await (pool.take() if pool.ready() else self._connected(pool, started))
        try:
            request = b"%b%b\r\n%b" % (head, length, body)
            limit, deadline = self._settings.answer_bytes, started + self._settings.seconds
            answer = await connection.exchange(request, limit, deadline, head_only=method == "HEAD")
        except TimeoutError:
            failed = timeout("svar", self._settings.seconds, self._clock() - started, reason="no whole answer in time")
        except AnswerError as error:
            failed = failure("OGILTIGT_SVAR", reason=str(error))
        except OSError as error:
            failed = _failure(error)
        else:
            reply = Reply(answer.status, answer.charset, bytes(answer.body), connection.drop)
            if method == "POST" and (tap := TAP.get()) is not None:
                tap(url, body, reply)
            return reply
        finally:
            pool.give(connection)
        raise TransportError(failed)

    def _pool(self, host: str, port: int, *, secure: bool) -> Pool:
        if (host, port) not in self._pools:
            settings = self._settings
            context = self._context if secure else None
            if secure and context is None:
                raise ValueError("https needs an authority")  # the configuration sees to it
            self._pools[host, port] = Pool(host, port, context, settings.connections, settings.connect_seconds)
        return self._pools[host, port]

    async def _connected(self, pool: Pool, started: float) -> Connection:
        """A connection, at the second attempt where the first one fails. Raises `TransportError`."""
        deadline = started + self._settings.seconds
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout_at(deadline):
                    return await pool.take()
            except TimeoutError:
                # Without a connection in the whole limit, it was a free one or the second attempt that was waited for.
                limit = self._settings.seconds if self._clock() >= deadline else self._settings.connect_seconds
                fas = "anslutning" if attempt == 1 else f"anslutning, försök {attempt}"
                failed = timeout(fas, limit, self._clock() - started, reason="no connection in time")
            except OSError as error:
                failed = _failure(error)
            if self._clock() >= deadline or failed.felkod not in _TRIED_AGAIN:
                break
        raise TransportError(failed, connected=False)


def _failure(error: OSError) -> Failure:
    # Only the kind of the error goes on: its text may hold addresses and names.
    return failure("TLS" if isinstance(error, ssl.SSLError) else "ANSLUTNING", reason=type(error).__name__)


@lru_cache(maxsize=64)
def _head(method: str, url: str, headers: tuple[tuple[str, str], ...]) -> tuple[str, int, bool, bytes]:
    """Host, port, whether over TLS, and the request's header but for the length of what follows it."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}", "Accept-Encoding: identity"]
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join([*lines, ""]).encode("ascii")
    return parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme == "https", head
