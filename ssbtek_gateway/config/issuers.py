"""The part of the configuration that says who issues callers' certificates."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from ssbtek_gateway.config.types import FilePath, Model


class Utfardare(Model):
    """An authority that issues callers' certificates, and the one form in which it writes an organisation number."""

    namn: str = Field(min_length=1)
    certifikat: FilePath
    """The issuing authority's own certificate. Risk: whoever it certifies gets past TLS."""
    attribut: Literal["serialNumber", "organizationIdentifier"]
    monster: str
    """A regular expression over the whole attribute whose groups together are the ten digits. Risk: one that also fits
    certificates of persons lets an employee ask as the organisation."""
    policyer: frozenset[str] = frozenset()
    """Certificate policies, by OID, of which a certificate must have one. Risk: without it every kind that the
    authority issues passes, also those for persons."""
    for_klienter: bool = True
    """Whether the certificate must say that it is for TLS clients (extendedKeyUsage clientAuth)."""
    crl: FilePath | None = None
    """The authority's revocation list; the file is read again when it changes. Risk: without it a stolen key is good
    until the certificate's last day."""
    crl_timmar: float = Field(48, gt=0, le=24 * 31)
    """A list is relied on for this long after it was issued, or until it says, whichever comes first; after that every
    certificate of the issuer is refused. Risk: longer lets in a revoked one for longer."""

    @field_validator("monster")
    @classmethod
    def _is_ascii_and_has_ten_digits(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern, re.ASCII).groups
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if not groups:
            raise ValueError("has no group: write the ten digits as ([0-9]{10})")
        return pattern
