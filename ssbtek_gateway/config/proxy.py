"""The part of the configuration that says whether a proxy ends callers' TLS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator, model_validator

from ssbtek_gateway.config.types import FilePath, Model

if TYPE_CHECKING:
    from pathlib import Path

# Of sun_path in Linux, with the byte that ends it.
_PATH_BYTES = 108
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Proxy(Model):
    """A proxy that asks callers for their certificate and hands it on (examples/nginx/nginx.conf).

    On this machine it comes over `socket`, from another to `listen` with a certificate in `peers`.
    """

    socket: FilePath | None = None
    """A Unix socket, readable and writable for the gateway's user and group, beside `listen`. Risk: whoever may open it
    can show any caller's certificate, which is no secret, and so ask as any caller."""
    peers: frozenset[Fingerprint] = frozenset()
    """Of the proxies' own certificates, each by an issuer of ours: SHA-256 in hexadecimal. More than one while a
    certificate is renewed. Risk: whoever has the key of one can ask as any caller, likewise."""
    header: str = Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")
    """The only header that is read: the certificate in PEM, percent-encoded, as nginx's `$ssl_client_escaped_cert`.
    Risk: where the proxy does not overwrite it, a caller writes it."""

    @field_validator("socket")
    @classmethod
    def _fits(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        if len(os.fsencode(path.absolute())) >= _PATH_BYTES:
            raise ValueError(f"is longer than the {_PATH_BYTES - 1} bytes that a socket's path may have")
        return path.absolute()

    @model_validator(mode="after")
    def _is_heard_somewhere(self) -> Proxy:
        if self.socket is None and not self.peers:
            raise ValueError("name socket, peers or both")
        return self
