"""Connections to the Redis in which rates are counted. Imported only where one is configured: redis-py loads slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import SSLConnection

from ssbtek_gateway import rates, tls

if TYPE_CHECKING:
    import ssl

    from ssbtek_gateway.config.rates import Rates

# A count takes well under a millisecond.
_CONNECTIONS = 10


class _TlsConnection(SSLConnection):
    """With a context of ours: redis-py's own trusts the system's authorities beside the one that is named."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:  # noqa: ANN401 - the library's options
        super().__init__(**options)
        self.ssl_context.context = context

    def _connection_arguments(self) -> dict[str, Any]:
        # A stop does not wait for a Redis that hangs to close its side of TLS.
        return {**super()._connection_arguments(), "ssl_shutdown_timeout": rates.REDIS_SECONDS}


def connect(settings: Rates) -> BlockingConnectionPool:
    """A pool that connects when it is first used. Raises `OSError` where the authority or the password is no file."""
    options: dict[str, Any] = {"max_connections": _CONNECTIONS, "timeout": rates.REDIS_SECONDS}
    if settings.password is not None:
        options["password"] = settings.password.read_text(encoding="utf-8").strip()
    pool = BlockingConnectionPool.from_url(settings.redis, **options)
    if settings.authority is not None:
        pool.connection_class = _TlsConnection
        pool.connection_kwargs["context"] = tls.client_context(None, None, settings.authority)
    return pool
