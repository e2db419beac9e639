"""Certificate revocation lists (RFC 5280, section 5) from files that the operator keeps fresh."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SKEW = timedelta(minutes=5)
_PEM = b"-----BEGIN"


@dataclass(frozen=True, slots=True)
class Revocations:
    """What one issuer has revoked, and until when that may be relied on."""

    until: datetime
    serials: frozenset[int] = field(repr=False)


def read(path: Path, issuer: x509.Certificate, longest: timedelta) -> Revocations:
    """The list at `path` (PEM or DER), relied on until it says, and for `longest` after it was issued at most.

    Raises `OSError`, or `ValueError` where it is no complete list that `issuer` has signed, or is of the future. One
    that is too old is taken: `until` is past then, which whoever relies on it looks at.
    """
    data = path.read_bytes()
    try:
        found = x509.load_pem_x509_crl(data) if _PEM in data else x509.load_der_x509_crl(data)
        signed = found.is_signature_valid(issuer.public_key())  # type: ignore[arg-type] # a key that cannot sign is a TypeError
        partial = [extension.oid for extension in found.extensions if extension.critical and _narrows(extension.value)]
    except (ValueError, TypeError):
        raise ValueError(f"{path}: is no certificate revocation list") from None
    if found.issuer != issuer.subject or not signed:
        raise ValueError(f"{path}: is not a list of this issuer")
    if partial:
        raise ValueError(f"{path}: is only a part of a list (delta, indirect or for some reasons)")
    if found.next_update_utc is None:
        raise ValueError(f"{path}: does not say when the next one comes")
    if found.last_update_utc > datetime.now(UTC) + _SKEW:
        raise ValueError(f"{path}: is of the future")
    until = min(found.next_update_utc, found.last_update_utc + longest)
    return Revocations(until, frozenset(entry.serial_number for entry in found))


def stamps(files: Iterable[Path]) -> list[tuple[int, int] | None]:
    """What changes when one of the files does; None for one that is not there."""
    found: list[tuple[int, int] | None] = []
    for file in files:
        try:
            status = file.stat()
            found.append((status.st_mtime_ns, status.st_ino))
        except OSError:
            found.append(None)
    return found


def _narrows(extension: x509.ExtensionType) -> bool:
    """Whether a critical extension makes the list say less than "all that are revoked"."""
    if isinstance(extension, x509.IssuingDistributionPoint):
        part = extension.only_contains_ca_certs or extension.only_contains_attribute_certs
        return bool(part or extension.indirect_crl or extension.only_some_reasons)
    return True
