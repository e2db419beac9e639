"""From the TLS client's certificate to who is asking, anew for each message.

An open connection outlives a certificate's last day, its revocation and its issuer's removal; so everything is asked of
every message, though a certificate is read only once. The caller hears one text, the operator's log every reason.

The organisation number stands in the subject's serialNumber (2.5.4.5) in a form of the issuer's own, or in
organizationIdentifier (2.5.4.97, ETSI EN 319 412-1 section 5.1.4). Exactly one may stand in the whole subject, over all
RDNs; nothing is ever picked as "the first".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ssbtek_gateway import tls
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.model import Caller, has_check_digit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from ssbtek_gateway.revocation import Revocations

# Anchored, ASCII, the groups together are the ten digits. Expisoft `16…`; EFOS `EFOS16…-n`; SITHS `SE…-suffix`.
# Expisoft's person certificates (`16` + ten digits + an employee's id) match none of them on purpose.
FORMS = (
    (NameOID.SERIAL_NUMBER, re.compile(r"16([0-9]{10})", re.ASCII)),
    (NameOID.SERIAL_NUMBER, re.compile(r"EFOS16([0-9]{10})-[A-Z0-9]{1,20}", re.ASCII)),
    (NameOID.SERIAL_NUMBER, re.compile(r"SE([0-9]{10})-[A-Z0-9]{1,20}", re.ASCII)),
    (NameOID.ORGANIZATION_IDENTIFIER, re.compile(r"NTRSE-([0-9]{6})-?([0-9]{4})", re.ASCII)),
)
_PLACES = {NameOID.SERIAL_NUMBER, NameOID.ORGANIZATION_IDENTIFIER}
_RSA_BITS = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authority whose certificates say who is asking, and where in them it stands."""

    certificate: x509.Certificate
    name: str = ""
    forms: tuple[tuple[x509.ObjectIdentifier, re.Pattern[str]], ...] = FORMS
    policies: frozenset[str] = frozenset()
    """At least one of these must stand in the certificate; none are asked for where this is empty."""
    client_authentication: bool = False
    """Whether the certificate must say that it is for TLS clients; one that says it is for others never passes TLS."""
    revocations: Revocations | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """What a certificate says, whenever it is asked: `wrong` is why it says nothing that can be used."""

    caller: Caller
    wrong: tuple[str, ...]
    serial: int = 0
    validity: tuple[datetime, datetime] | None = None
    revocations: Revocations | None = None
    nameless: bool = False
    """It names no organisation, or more than one; a proxy's need not."""


class Identity:
    """Who is asking, according to `issuers`. What was read of a certificate is kept; `clock` tells the time."""

    def __init__(self, issuers: Iterable[Issuer], clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self.trust(issuers)

    def trust(self, issuers: Iterable[Issuer]) -> None:
        """From now on ask these."""
        self.issuers = tuple(issuers)
        self._read = lru_cache(_KEPT)(self._reading)

    def caller(self, certificate: bytes, proxy: bytes | None = None) -> Caller:
        """The caller whose certificate (DER) TLS has verified, or a proxy that is listed has handed on.

        `proxy` is that one's own, which TLS has verified. Raises `GatewayFault` EJ_BEHORIG.
        """
        if proxy is not None and (wrong := self._wrong(self._read(proxy))):
            raise GatewayFault("EJ_BEHORIG", reason=f"the listed proxy: {'; '.join(wrong)}")
        if not certificate and proxy is not None:
            raise GatewayFault("EJ_BEHORIG", reason="the listed proxy did not hand on exactly one certificate")
        if not certificate:
            raise GatewayFault("EJ_BEHORIG", reason="no certificate came with the message")
        read = self._read(certificate)
        wrong = self._wrong(read)
        if read.nameless:
            wrong.append("the certificate does not hold exactly one organisation number")
        if wrong:
            raise GatewayFault("EJ_BEHORIG", reason="; ".join(wrong))
        return read.caller

    def _wrong(self, read: _Read) -> list[str]:
        """Why a certificate cannot be relied on now, whosever it is."""
        wrong, now = list(read.wrong), self._clock()
        if read.validity is not None and not read.validity[0] <= now <= read.validity[1]:
            wrong.append("the certificate or its issuer's is not valid now")
        if read.revocations is not None and read.revocations.until < now:
            wrong.append("the issuer's revocation list is too old")
        if read.revocations is not None and read.serial in read.revocations.serials:
            wrong.append("the certificate is revoked")
        return wrong

    def _reading(self, der: bytes) -> _Read:
        try:
            certificate = x509.load_der_x509_certificate(der)
            issuer = next((issuer for issuer in self.issuers if _issued(issuer.certificate, certificate)), None)
            wrong = ["the certificate is of no issuer in the configuration"] if issuer is None else []
            number = organisation(certificate, issuer.forms if issuer else FORMS)
            if not _strong(certificate):
                wrong.append("the certificate's key or signature is too weak")
            if issuer is not None:
                wrong += _unfit(certificate, issuer)
        except tls.UNREADABLE:
            return _Read(Caller("", ""), ("the certificate cannot be read",))
        revocations = issuer.revocations if issuer else None
        caller = Caller(number or "", certificate.fingerprint(hashes.SHA256()).hex())
        both = [certificate, issuer.certificate] if issuer else [certificate]
        validity = max(one.not_valid_before_utc for one in both), min(one.not_valid_after_utc for one in both)
        return _Read(caller, tuple(wrong), certificate.serial_number, validity, revocations, nameless=number is None)


def organisation(
    certificate: x509.Certificate, forms: Collection[tuple[x509.ObjectIdentifier, re.Pattern[str]]] = FORMS
) -> str | None:
    """The one organisation number in the subject, `16` and ten digits, or None. Raises `ValueError`."""
    claims = [
        (attribute.oid, str(attribute.value))
        for rdn in certificate.subject.rdns
        for attribute in rdn
        if attribute.oid in _PLACES
    ]
    oids = [oid for oid, _ in claims]
    # What stands beside in the other place must agree, in whatever form is known for it.
    asked = {oid for oid, _ in forms}
    known = [*forms, *(form for form in FORMS if form[0] not in asked)]
    numbers = {_number(oid, value, known) for oid, value in claims}
    if asked.isdisjoint(oids) or None in numbers or len(numbers) != 1 or len(oids) != len(set(oids)):
        return None
    return f"16{numbers.pop()}"


def _number(
    oid: x509.ObjectIdentifier, value: str, forms: Iterable[tuple[x509.ObjectIdentifier, re.Pattern[str]]]
) -> str | None:
    for place, pattern in forms:
        found = pattern.fullmatch(value) if place == oid else None
        if found:
            digits = "".join(found.groups())
            # The third digit tells an organisation from a person (a sole trader's number is a personnummer).
            return digits if digits[2] >= "2" and has_check_digit(digits) else None
    return None


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether the key of `issuer` has signed `certificate`: a name proves nothing."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _strong(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    enough = isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS
    enough |= isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    return enough and isinstance(certificate.signature_hash_algorithm, tls.HASHES)


def _unfit(certificate: x509.Certificate, issuer: Issuer) -> list[str]:
    """How a certificate breaks its issuer's rule. Raises `ValueError` where its extensions cannot be read.

    Some of it TLS refuses too, where it is ours and no proxy's.
    """
    wrong = []
    if any(one.critical and isinstance(one.value, x509.UnrecognizedExtension) for one in certificate.extensions):
        wrong.append("the certificate has a critical extension that is not known")
    if issuer.policies and issuer.policies.isdisjoint(_policies(certificate)):
        wrong.append("the certificate has none of the policies of its issuer's rule")
    usages = _usages(certificate)
    if (usages or issuer.client_authentication) and ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
        wrong.append("the certificate does not say that it is for TLS clients")
    return wrong


def _policies(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return []
    return [policy.policy_identifier.dotted_string for policy in found]


def _usages(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []
