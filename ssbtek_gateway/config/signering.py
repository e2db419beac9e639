"""The configuration of WS-Security: what the gateway signs with, and whose signed answers it takes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ssbtek_gateway.config.types import FilePath, Model, Seconds

# Off, optional, demanded.
WsSecurity = Literal["av", "tillaten", "kravs"]


class Signering(Model):
    """WS-Security with callers (docs/ws-security.md). Who signs or is signed to, the register says."""

    certificate: FilePath | None = None
    """The gateway's own, for signed answers."""
    key: FilePath | None = None
    giltig_seconds: float = Field(300, gt=0, le=3600)
    """The longest time from Created to Expires that is taken. Risk: a signed message that leaked can be sent as long,
    and is kept from being taken twice by the replay store alone."""
    klocka_seconds: Seconds = 60
    """How far a caller's clock may be ahead of ours. Risk: it comes on top of `giltig_seconds`."""

    @model_validator(mode="after")
    def _is_a_pair(self) -> Signering:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return self


class BastjanstSignering(Model):
    """WS-Security with one base service: questions to it are signed, and its answers may have to be."""

    certificate: FilePath
    key: FilePath
    svar: WsSecurity = "av"
    """Whether answers are signed. Risk: with "tillaten" whoever can remove the signature can change the answer."""
    svar_certifikat: tuple[FilePath, ...] = ()
    """The certificates that answers are signed with, several while one is replaced by another. No authority's."""

    @model_validator(mode="after")
    def _says_whose(self) -> BastjanstSignering:
        if (self.svar == "av") == bool(self.svar_certifikat):
            raise ValueError("svar_certifikat goes with svar = 'tillaten' or 'kravs'")
        return self
