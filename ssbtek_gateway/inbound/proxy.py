"""Behind a proxy that ends TLS: the caller's certificate out of the one header that the proxy was told to write.

Heard is only who may open the Unix socket, or shows a listed certificate of its own. The proxy tells which certificate
its client holds the key of. That an issuer of ours has signed it, that it is valid and not revoked and whose it is, is
judged as everywhere (identity.py).
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from ssbtek_gateway.inbound.app import CERTIFICATE, PROXY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssbtek_gateway.inbound.app import Application, Receive, Scope, Send

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n?")


@dataclass(frozen=True, slots=True)
class ProxiedApp:
    """`app`, for callers whose certificate stands in the header `name` (in lower case).

    With `peers`, by fingerprint, the header is read only where the connection's own certificate is one of them.
    """

    app: Application
    name: bytes
    peers: frozenset[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        extensions = scope["extensions"]
        own = extensions[CERTIFICATE]
        if self.peers is None or sha256(own).hexdigest() in self.peers:
            extensions[PROXY] = own
            extensions[CERTIFICATE] = certificate(scope["headers"], self.name)
        await self.app(scope, receive, send)


def certificate(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The one certificate (DER) in the one header of that name; empty, which is nobody's, where it is not so."""
    headers = list(headers)
    # In any spelling, for a proxy that lets another one through may let through what it does not know to be the same.
    found = [(key, value) for key, value in headers if _folded(key) == _folded(name)]
    hops = [_folded(hop.strip()) for key, value in headers if key == b"connection" for hop in value.split(b",")]
    if len(found) != 1 or found[0][0] != name or _folded(name) in hops:
        return b""
    pem = _PEM.fullmatch(unquote_to_bytes(found[0][1]))
    try:
        return b64decode(pem[1].replace(b"\n", b""), validate=True) if pem else b""
    except ValueError:
        return b""


def _folded(name: bytes) -> bytes:
    return name.lower().replace(b"_", b"-")
