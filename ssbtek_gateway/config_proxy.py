"""The part of the configuration that says whether a proxy ends callers' TLS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from ssbtek_gateway.config_types import FilePath, Model

if TYPE_CHECKING:
    from pathlib import Path

# Of sun_path in Linux, with the byte that ends it.
_PATH_BYTES = 108


class Proxy(Model):
    """A proxy on this machine that asks callers for their certificate and hands it on (examples/nginx/nginx.conf)."""

    socket: FilePath
    """A Unix socket, readable and writable for the gateway's user and group, beside `listen`. Risk: whoever may open it
    can show any caller's certificate, which is no secret, and so ask as any caller."""
    header: str = Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")
    """The only header that is read: the certificate in PEM, percent-encoded, as nginx's `$ssl_client_escaped_cert`.
    Risk: where the proxy does not overwrite it, a caller writes it."""

    @field_validator("socket")
    @classmethod
    def _fits(cls, path: Path) -> Path:
        if len(os.fsencode(path.absolute())) >= _PATH_BYTES:
            raise ValueError(f"is longer than the {_PATH_BYTES - 1} bytes that a socket's path may have")
        return path.absolute()
