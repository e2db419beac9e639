"""Authorities and certificates for tests, sound unless told otherwise: each flaw is one argument."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
POLICY, OTHER_POLICY = "1.2.752.999.1", "1.2.752.999.2"
CLIENT, SERVER, MAIL = (
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
)
# sha256WithRSAEncryption, sha1WithRSAEncryption.
_SHA256, _SHA1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
_SKEW, _DAY = timedelta(minutes=5), timedelta(days=1)
UNKNOWN_CRITICAL = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.752.999.9"), b"\x05\x00")


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Authority:
    """Whoever signs with `key` and is called `name`; `above` are the certificates that lead to a trusted one."""

    name: str
    key: Key = field(default_factory=new_key)
    path_length: int | None = 0
    above: tuple[x509.Certificate, ...] = ()

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    def certificate(self, issuer: Authority | None = None) -> x509.Certificate:
        """Its own, by itself or by `issuer`."""
        by = issuer or self
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=True, path_length=self.path_length), True),
            (_usage(authority=True), True),
        ]
        return _signed(self.subject, self.key, by, extensions)

    def under(self, issuer: Authority) -> Authority:
        """The same, certified by `issuer`, whose own certificate need not be sent along."""
        return replace(self, above=(self.certificate(issuer), *issuer.above))

    def pem(self) -> bytes:
        return self.certificate().public_bytes(Encoding.PEM)

    def leaf(
        self,
        serial_number: str | None = "162021004748",
        key: Key | None = None,
        *,
        usages: Sequence[x509.ObjectIdentifier] = (CLIENT,),
        policies: Sequence[str] = (POLICY,),
        names: Sequence[str] = ("localhost",),
        extension: x509.UnrecognizedExtension | None = None,
        critical: bool = False,
        days: tuple[int, int] = (0, 30),
    ) -> Leaf:
        """A certificate, valid between those days from now."""
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, "Test")]
        if serial_number is not None:
            attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
        stated = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in policies]
        hosts = [*map(x509.DNSName, names), x509.IPAddress(ip_address("127.0.0.1"))]
        own = key or new_key()
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(authority=False), True),
            (x509.SubjectAlternativeName(hosts if "localhost" in names else hosts[:-1]), False),
        ]
        extensions += [(x509.ExtendedKeyUsage(usages), False)] if usages else []
        extensions += [(x509.CertificatePolicies(stated), False)] if stated else []
        extensions += [(extension, critical)] if extension else []
        made = _signed(x509.Name(attributes), own, self, extensions, days)
        return Leaf(made, own, self.above)

    def sha1_leaf(self) -> Leaf:
        """A certificate that an authority with an RSA key has signed as nobody should any more."""
        assert isinstance(self.key, rsa.RSAPrivateKey)
        sound = self.leaf()
        tbs = sound.certificate.tbs_certificate_bytes
        # The two algorithms' identifiers are equally long, and so are the signatures; the library refuses to do this.
        signature = self.key.sign(tbs.replace(_SHA256, _SHA1), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the flaw
        der = sound.certificate.public_bytes(Encoding.DER).replace(_SHA256, _SHA1)
        der = der.replace(sound.certificate.signature, signature)
        return Leaf(x509.load_der_x509_certificate(der), sound.key)

    def crl(self, *revoked: Leaf, seconds: float = 3600) -> bytes:
        """The list of who is revoked, good for so long."""
        now = datetime.now(UTC)
        next_one = now + timedelta(seconds=seconds)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.subject)
        builder = builder.last_update(min(now, next_one) - _SKEW).next_update(next_one)
        for leaf in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(leaf.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now - _SKEW).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Leaf:
    """A certificate, its key, and what is sent along."""

    certificate: x509.Certificate
    key: Key
    chain: tuple[x509.Certificate, ...] = ()

    def write(self, folder: Path, name: str) -> Leaf:
        """As `NAME.pem` and `NAME.key`, each put there whole."""
        sent = (self.certificate, *self.chain)
        put(folder / f"{name}.pem", b"".join(one.public_bytes(Encoding.PEM) for one in sent))
        put(folder / f"{name}.key", self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return self


def fingerprint(leaf: Leaf) -> str:
    """As a configuration lists it."""
    return leaf.certificate.fingerprint(hashes.SHA256()).hex()


def put(path: Path, content: bytes) -> None:
    """Replace a file at once: nobody sees half of it."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.replace(path)


def _signed(
    subject: x509.Name,
    key: Key,
    issuer: Authority,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    days: tuple[int, int] = (0, 30),
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * _DAY - _SKEW)
        .not_valid_after(now + days[1] * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer.key, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")
    nothing = dict.fromkeys((*others, "decipher_only"), False)
    return x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **nothing)
