"""HTTP to one base service: one aiohttp session, mutual TLS, and a bound on every wait and read.

Redirects are never followed (the question and our certificate must not go elsewhere), nothing is decompressed (a small
answer could become a huge one), and neither proxies nor trust stores are taken from the environment.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from ssbtek_gateway import tls
from ssbtek_gateway.faults import failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.config import Bastjanst
    from ssbtek_gateway.model import Failure

# Shorter than the idle limit of any usual server, so that a question is not sent on a connection that is being closed.
_IDLE_SECONDS = 10
_REDIRECTS = range(300, 400)


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


class Transport:
    """The connections to one base service. Make it on the running event loop; close it there."""

    def __init__(self, settings: Bastjanst) -> None:
        self._settings = settings
        secure: ssl.SSLContext | bool = True
        if settings.authority is not None:
            secure = tls.client_context(settings.certificate, settings.key, settings.authority)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=secure, limit=settings.connections, keepalive_timeout=_IDLE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=settings.seconds, sock_connect=settings.connect_seconds),
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

    async def _exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status in _REDIRECTS:
                    raise TransportError(failure("OGILTIGT_SVAR", reason="redirect"))
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise TransportError(failure("OGILTIGT_SVAR", reason="compressed though identity was asked for"))
                return Reply(response.status, response.charset, await self._read(response))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._error(error) from None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts = bytearray()
        async for part in response.content.iter_any():
            parts += part
            if len(parts) > self._settings.answer_bytes:
                raise TransportError(failure("OGILTIGT_SVAR", reason=f"over {self._settings.answer_bytes} bytes"))
        return bytes(parts)

    def _error(self, error: Exception) -> TransportError:
        # Only the kind of the error goes on: its text may hold addresses, paths and pieces of the answer.
        kind = type(error).__name__
        match error:
            case aiohttp.ConnectionTimeoutError():
                detalj = f"Anslutningen tog mer än {self._settings.connect_seconds:g} sekunder."
                return TransportError(failure("TIMEOUT", detalj, reason=f"connect: {kind}"), connected=False)
            case TimeoutError():
                detalj = f"Svaret tog mer än {self._settings.seconds:g} sekunder."
                return TransportError(failure("TIMEOUT", detalj, reason=f"answer: {kind}"))
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return TransportError(failure("TLS", reason=kind), connected=False)
            case aiohttp.ClientConnectorError():
                return TransportError(failure("ANSLUTNING", reason=kind), connected=False)
            case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() | ValueError():
                return TransportError(failure("OGILTIGT_SVAR", reason=kind))
            case _ if isinstance(error.__cause__, ssl.SSLError):
                # TLS 1.3: a refused client certificate shows only when the answer is read.
                return TransportError(failure("TLS", reason=kind))
            case _:
                return TransportError(failure("ANSLUTNING", reason=kind))
