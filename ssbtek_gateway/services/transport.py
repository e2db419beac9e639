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
    """No usable answer came; `failure` is the section error."""

    def __init__(self, failed: Failure) -> None:
        super().__init__(failed.felkod)
        self.failure = failed


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
            skip_auto_headers=("User-Agent",),
            trust_env=False,
            auto_decompress=False,
        )

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send `body` and read the whole answer. Raises `TransportError`."""
        try:
            async with self._session.post(
                self._settings.url,
                data=body,
                headers={**headers, "Accept-Encoding": "identity"},
                allow_redirects=False,
            ) as response:
                if response.status in _REDIRECTS:
                    raise TransportError(failure("OGILTIGT_SVAR", reason="redirect"))
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise TransportError(failure("OGILTIGT_SVAR", reason="compressed though identity was asked for"))
                return Reply(response.status, response.charset, await self._read(response))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransportError(self._failure(error)) from None

    async def ping(self) -> Failure | None:
        """None where a new connection comes about. No method that could carry a question is used."""
        try:
            async with self._session.head(self._settings.url, headers={"Connection": "close"}, allow_redirects=False):
                return None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._failure(error)

    async def close(self) -> None:
        await self._session.close()

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts = bytearray()
        async for part in response.content.iter_any():
            parts += part
            if len(parts) > self._settings.answer_bytes:
                raise TransportError(failure("OGILTIGT_SVAR", reason=f"over {self._settings.answer_bytes} bytes"))
        return bytes(parts)

    def _failure(self, error: Exception) -> Failure:
        # Only the kind of the error goes on: its text may hold addresses, paths and pieces of the answer.
        kind = type(error).__name__
        match error:
            case aiohttp.ConnectionTimeoutError():
                limit = self._settings.connect_seconds
                return failure("TIMEOUT", f"Anslutningen tog mer än {limit:g} sekunder.", reason=f"connect: {kind}")
            case TimeoutError():
                limit = self._settings.seconds
                return failure("TIMEOUT", f"Svaret tog mer än {limit:g} sekunder.", reason=f"answer: {kind}")
            case aiohttp.ClientSSLError() | ssl.SSLError() | aiohttp.ServerFingerprintMismatch():
                return failure("TLS", reason=kind)
            case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() | ValueError():
                return failure("OGILTIGT_SVAR", reason=kind)
            case _ if isinstance(error.__cause__, ssl.SSLError):
                # TLS 1.3: a refused client certificate shows only when the answer is read.
                return failure("TLS", reason=kind)
            case _:
                return failure("ANSLUTNING", reason=kind)
