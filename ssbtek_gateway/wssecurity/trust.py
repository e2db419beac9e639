"""Whose signature is believed. A signature alone says that somebody with a key has signed.

What is asked of any certificate stands here; whose it must be, whoever verifies says (`Trust`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from ssbtek_gateway import tls
from ssbtek_gateway.wssecurity.names import ECDSA_SHA256, ECDSA_SHA384, RSA, SecurityError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime
    from pathlib import Path

    # Raises `SecurityError` where nothing says that this certificate's signatures are to be believed.
    Trust = Callable[[x509.Certificate], None]

_RSA_BITS = range(2048, 8193)
# The curve's own hash first.
_CURVES = {"secp256r1": (ECDSA_SHA256, ECDSA_SHA384), "secp384r1": (ECDSA_SHA384, ECDSA_SHA256)}
# An organisation's certificate is one for TLS clients; documents may be signed with one of its own (RFC 9336).
_USAGES = {
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),
}
_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
}


def one_of(certificates: Collection[x509.Certificate]) -> Trust:
    """Believes exactly these certificates."""

    def check(certificate: x509.Certificate) -> None:
        if certificate not in certificates:
            raise SecurityError("FailedAuthentication", "the signer's certificate is not one of the configured")

    return check


def load(paths: Iterable[Path]) -> tuple[x509.Certificate, ...]:
    """All certificates in PEM files. Raises `OSError`, or `ValueError` where one holds none."""
    return tuple(found for path in paths for found in x509.load_pem_x509_certificates(path.read_bytes()))


@dataclass(frozen=True, slots=True)
class Key:
    """A signer's certificate and what may be signed with its key."""

    certificate: x509.Certificate = field(repr=False)
    algorithms: tuple[str, ...]
    """The first is what we would use."""


def read(der: bytes, now: datetime) -> Key:
    """A certificate that is fit for signing at `now`. Raises `SecurityError`."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = list(certificate.extensions)
        key = certificate.public_key()
        # Whoever looks at a name later need not expect that it cannot be read.
        hashed, *_ = certificate.signature_hash_algorithm, certificate.subject, certificate.issuer
    except tls.UNREADABLE:
        raise SecurityError("InvalidSecurityToken", "the signer's certificate cannot be read") from None
    algorithms = _algorithms(key)
    if not algorithms or not isinstance(hashed, tls.HASHES):
        raise SecurityError("InvalidSecurityToken", "the signer's certificate has a key or a hash that is not allowed")
    if not all(_allows_signing(extension) for extension in extensions):
        raise SecurityError("FailedAuthentication", "the signer's certificate is not for signing messages")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SecurityError("FailedAuthentication", "the signer's certificate is not valid now")
    return Key(certificate, algorithms)


def _algorithms(key: object) -> tuple[str, ...]:
    match key:
        case rsa.RSAPublicKey() if key.key_size in _RSA_BITS:
            return RSA
        case ec.EllipticCurvePublicKey():
            return _CURVES.get(key.curve.name, ())
    return ()


def _allows_signing(extension: x509.Extension[x509.ExtensionType]) -> bool:
    match extension.value:
        case x509.BasicConstraints(ca=True):
            return False
        case x509.KeyUsage() as usage:
            return usage.digital_signature or usage.content_commitment
        case x509.ExtendedKeyUsage() as usages:
            return not _USAGES.isdisjoint(usages)
    return not extension.critical or extension.oid in _UNDERSTOOD
