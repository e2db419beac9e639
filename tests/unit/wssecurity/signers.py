"""An authority in memory that issues certificates with whatever is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from vectors.make import KOMMUN
from vectors.wss import Party

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    Key = EllipticCurvePrivateKey | RSAPrivateKey

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@cache
def rsa_key(bits: int = 2048) -> RSAPrivateKey:
    """One for the whole run: they take long to find."""
    return rsa.generate_private_key(65537, bits)


def ec_key(curve: ec.EllipticCurve | None = None) -> EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def usage(*, sign: bool = True) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=not sign,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def for_purpose(*purposes: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage(purposes)


# What a client's certificate has, with whether it is critical.
CLIENT: tuple[tuple[x509.ExtensionType, bool], ...] = (
    (x509.BasicConstraints(ca=False, path_length=None), True),
    (usage(), True),
    (for_purpose(ExtendedKeyUsageOID.CLIENT_AUTH), False),
)


@dataclass(frozen=True)
class Authority:
    """Named `name`: two of one name are two authorities."""

    name: str = "Testutfärdare"
    key: Key = field(default_factory=ec_key)

    @property
    def certificate(self) -> x509.Certificate:
        return self.issue(key=self.key, name=self.name, number=None, extensions=()).certificate

    def issue(
        self,
        *,
        key: Key | None = None,
        name: str = "Testkommunen",
        number: str | None = KOMMUN,
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + DAY,
        extensions: tuple[tuple[x509.ExtensionType, bool], ...] = CLIENT,
    ) -> Party:
        key = key or ec_key()
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if number is not None:
            subject.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, number))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return Party(builder.sign(self.key, hashes.SHA256()), key)
