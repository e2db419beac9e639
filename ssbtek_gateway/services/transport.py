"""HTTP to one base service: one aiohttp session, mutual TLS, and a bound on every wait and read.

Redirects are never followed (the question and our certificate must not go elsewhere), nothing is decompressed (a small
answer could become a huge one), and neither proxies nor trust stores are taken from the environment.

A question is sent at most once: only where no connection came about is it tried again, within the same limit. A
connection on which something went wrong is not used again, so that no answer is taken for another question's.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from ssbtek_gateway import tls
from ssbtek_gateway.faults import failure, timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import SimpleNamespace

    from aiohttp.abc import ResolveResult
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection

    from ssbtek_gateway.config import Bastjanst
    from ssbtek_gateway.model import Failure

# Shorter than the idle limit of any usual server, so that a question is not sent on a connection that is being closed.
_IDLE_SECONDS = 10
_REDIRECTS = range(300, 400)
# Connections are tried this often for one question.
_ATTEMPTS = 2
# What may be gone the next moment. A certificate that is not trusted is not.
_TRIED_AGAIN = {"ANSLUTNING", "TIMEOUT"}
# aiohttp rounds a limit above this up to a whole second; ours are kept as they are.
_NEVER_ROUNDED = 1e6


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


@dataclass(slots=True)
class _Progress:
    """How far one attempt has come."""

    connected: bool = False


class _Resolver(aiohttp.AsyncResolver):
    """Names by c-ares on the event loop: a thread in the system's resolver could not be given up."""

    def __init__(self, seconds: float) -> None:
        super().__init__(timeout=seconds, tries=1)
        self._seconds = seconds

    async def resolve(self, *args: Any, **kwargs: Any) -> list[ResolveResult]:  # noqa: ANN401 - aiohttp's own
        # c-ares counts its limit for each name server.
        async with asyncio.timeout(self._seconds):
            return await super().resolve(*args, **kwargs)


class _Connector(aiohttp.TCPConnector):
    async def connect(self, *args: Any, **kwargs: Any) -> Connection:  # noqa: ANN401 - aiohttp's own
        """A connection on which nothing has come that nobody asked for: it would be read as the next answer."""
        while True:
            connection = await super().connect(*args, **kwargs)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


class _Response(aiohttp.ClientResponse):
    """Remembers what it came on, which aiohttp forgets with the last byte."""

    carrier: ResponseHandler | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        self.carrier = connection.protocol
        return await super().start(connection)

    def drop(self) -> None:
        if self.carrier is not None:
            self.carrier.close()


class Transport:
    """The connections to one base service. Make it on the running event loop; close it there."""

    def __init__(self, settings: Bastjanst) -> None:
        self._settings = settings
        secure: ssl.SSLContext | bool = True
        if settings.authority is not None:
            secure = tls.client_context(settings.certificate, settings.key, settings.authority)
        self._resolver = _Resolver(settings.connect_seconds)
        self._session = aiohttp.ClientSession(
            connector=_Connector(
                ssl=secure,
                limit=settings.connections,
                keepalive_timeout=_IDLE_SECONDS,
                resolver=self._resolver,
            ),
            response_class=_Response,
            trace_configs=[_traced()],
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
            skip_auto_headers=("User-Agent",),
            trust_env=False,
            auto_decompress=False,
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send `body` and read the whole answer. Raises `TransportError`."""
        return await self._exchange("POST", url, body, headers)

    async def get(self, url: str) -> Reply:
        """Read the whole answer. Raises `TransportError`."""
        return await self._exchange("GET", url, None, {})

    async def ping(self, url: str) -> Failure | None:
        """None where a connection comes about. HEAD cannot carry a question, and what it answers does not matter."""
        try:
            await self._exchange("HEAD", url, None, {"Connection": "close"})
        except TransportError as error:
            return error.failure if not error.connected or error.failure.felkod == "TLS" else None
        return None

    async def close(self) -> None:
        await self._session.close()
        await self._resolver.close()

    async def _exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        clock = asyncio.get_running_loop().time
        started = clock()
        for attempt in range(1, _ATTEMPTS + 1):
            progress = _Progress()
            left = started + self._settings.seconds - clock()
            try:
                return await self._attempt(progress, left, method, url, data=body, headers=headers)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                failed = self._failure(error, progress, clock() - started, attempt)
            used_up = attempt == _ATTEMPTS or clock() - started >= self._settings.seconds
            if progress.connected or used_up or failed.felkod not in _TRIED_AGAIN:
                break
        raise TransportError(failed, connected=progress.connected)

    async def _attempt(self, progress: _Progress, seconds: float, *request: str, **content: Any) -> Reply:  # noqa: ANN401
        limits = aiohttp.ClientTimeout(
            total=seconds, sock_connect=self._settings.connect_seconds, ceil_threshold=_NEVER_ROUNDED
        )
        async with self._session.request(
            *request, **content, allow_redirects=False, timeout=limits, trace_request_ctx=progress
        ) as response:
            assert isinstance(response, _Response)  # noqa: S101 - the session makes no other
            try:
                return Reply(response.status, response.charset, await self._read(response), response.drop)
            except BaseException:
                # aiohttp would keep the connection where the answer happens to have come to its end.
                response.drop()
                raise

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status in _REDIRECTS:
            raise TransportError(failure("OGILTIGT_SVAR", reason="redirect"))
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise TransportError(failure("OGILTIGT_SVAR", reason="compressed though identity was asked for"))
        parts = bytearray()
        async for part in response.content.iter_any():
            parts += part
            if len(parts) > self._settings.answer_bytes:
                raise TransportError(failure("OGILTIGT_SVAR", reason=f"over {self._settings.answer_bytes} bytes"))
        return bytes(parts)

    def _failure(self, error: Exception, progress: _Progress, elapsed: float, attempt: int) -> Failure:
        # Only the kind of the error goes on: its text may hold addresses, paths and pieces of the answer.
        kind = type(error).__name__
        settings = self._settings
        match error:
            case TimeoutError() if progress.connected:
                return timeout("svar", settings.seconds, elapsed, reason=f"answer: {kind}")
            case TimeoutError():
                # Without a connection in the whole limit, it was a free one or the second attempt that was waited for.
                limit = settings.seconds if elapsed >= settings.seconds else settings.connect_seconds
                fas = "anslutning" if attempt == 1 else f"anslutning, försök {attempt}"
                return timeout(fas, limit, elapsed, reason=f"connect: {kind}")
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return failure("TLS", reason=kind)
            case aiohttp.ClientConnectorError():
                return failure("ANSLUTNING", reason=kind)
            case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() | ValueError():
                return failure("OGILTIGT_SVAR", reason=kind)
            case _ if isinstance(error.__cause__, ssl.SSLError):
                # TLS 1.3: a refused client certificate shows only when the answer is read.
                return failure("TLS", reason=kind)
            case _:
                return failure("ANSLUTNING", reason=kind)


def _traced() -> aiohttp.TraceConfig:
    """Tells a request's `_Progress` when there is a connection, new or kept."""

    async def connected(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.connected = True

    traced = aiohttp.TraceConfig()
    traced.on_connection_create_end.append(connected)
    traced.on_connection_reuseconn.append(connected)
    return traced
