"""The table `[rates]`: where the rates of organisations are counted."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from ssbtek_gateway.config.types import FilePath, Model


def _redis(url: str) -> str:
    parts = urlsplit(url)
    number = parts.path.removeprefix("/")
    plain = not (parts.query or parts.fragment or parts.password) and (number.isdecimal() or not number)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname or not plain or parts.port == 0:
        raise ValueError("must be rediss://[user@]host[:port][/number], with the password in a file")
    return url


RedisUrl = Annotated[str, AfterValidator(_redis)]


class Rates(Model):
    """Where the rates of organisations are counted, for several processes or nodes to share them.

    Without this table, and while Redis does not answer, each process counts for itself (docs/decisions/0010).
    """

    redis: RedisUrl
    """Risk: redis:// is in the clear; whoever is on the way can read the password and change the counts."""
    authority: FilePath | None = None
    """The only authority trusted for it. Required for rediss."""
    password: FilePath | None = None
    """A file with the password and nothing else."""

    @model_validator(mode="after")
    def _authority_goes_with_tls(self) -> Rates:
        if (self.authority is not None) != self.redis.startswith("rediss://"):
            raise ValueError("rediss:// and authority go together: name the authority that issued Redis's certificate")
        return self
