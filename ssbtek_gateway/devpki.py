"""A public key infrastructure for development and tests. Never for production: its keys lie unprotected on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

_LIFETIME = timedelta(days=365)
# Of the audit: for pseudonyms, and for the chain.
_KEYS = ("audit.key", "audit-chain.key")
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Leaf:
    file: str
    common_name: str
    serial_number: str | None
    usage: x509.ObjectIdentifier
    rsa: bool = False


# The organisation number stands in the subject's serialNumber, as in Expisoft's certificates: `16` + ten digits.
_LEAVES = (
    _Leaf("server", "ssbtek-gateway", None, ExtendedKeyUsageOID.SERVER_AUTH),
    _Leaf("agency", "simulerade myndigheter", None, ExtendedKeyUsageOID.SERVER_AUTH),
    _Leaf("gateway", "ssbtek-gateway", None, ExtendedKeyUsageOID.CLIENT_AUTH),
    _Leaf("client", "Testkommunen", "162021004748", ExtendedKeyUsageOID.CLIENT_AUTH),
    _Leaf("bitrade", "Testbolaget", "165560000167", ExtendedKeyUsageOID.CLIENT_AUTH),
    _Leaf("grannkommun", "Grannkommunen", "162120009994", ExtendedKeyUsageOID.CLIENT_AUTH),
    # For WS-Security, with a key of either kind.
    *(
        _Leaf(f"{file}-signing{'-rsa' * rsa}", common_name, serial_number, ExtendedKeyUsageOID.CLIENT_AUTH, rsa)
        for file, common_name, serial_number in (
            ("gateway", "ssbtek-gateway signering", None),
            ("agency", "simulerade myndigheter signering", None),
            ("client", "Testkommunen signering", "162021004748"),
        )
        for rsa in (False, True)
    ),
)


def write(folder: Path) -> list[Path]:
    """Write an authority, the audit's keys and, for each leaf, `NAME.pem` and `NAME.key` into `folder` (mode 0600).

    Returns what was written. `audit.key` and `audit-chain.key` are 32 random bytes each.
    The authority's own key is not kept, so that nothing more can be issued: to change anything, write all anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority("ssbtek-gateway utveckling")
    written = [_put(folder / "ca.pem", authority.pem)]
    written += [_put(folder / name, os.urandom(32)) for name in _KEYS]
    for leaf in _LEAVES:
        certificate, key = authority.issue(leaf.common_name, leaf.serial_number, leaf.usage, rsa_key=leaf.rsa)
        written += [_put(folder / f"{leaf.file}.pem", certificate), _put(folder / f"{leaf.file}.key", key)]
    return written


def complete(folder: Path) -> bool:
    """Whether everything that `write` makes is there; a folder that an earlier version made may lack something."""
    names = {"ca.pem", *_KEYS, *(f"{leaf.file}{ending}" for leaf in _LEAVES for ending in (".pem", ".key"))}
    return all((folder / name).exists() for name in names)


class Authority:
    """A certificate authority that lives in memory (P-256, SHA-256)."""

    def __init__(self, common_name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        public = self._key.public_key()
        self._certificate = (
            _builder(self._name, self._name, public)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self, common_name: str, serial_number: str | None, usage: x509.ObjectIdentifier, *, rsa_key: bool = False
    ) -> tuple[bytes, bytes]:
        """A leaf for `localhost` and 127.0.0.1: its certificate and its private key, both PEM."""
        key = rsa.generate_private_key(65537, 2048) if rsa_key else ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        if serial_number is not None:
            attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        certificate = (
            _builder(x509.Name(attributes), self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return certificate.public_bytes(serialization.Encoding.PEM), private


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _put(path: Path, content: bytes) -> Path:
    # Created unreadable for others, not made so afterwards.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    return path
