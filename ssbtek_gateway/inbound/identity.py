"""From the TLS client's certificate to who is asking.

The organisation number stands in the subject's serialNumber (2.5.4.5) in a form of the issuer's own, or in
organizationIdentifier (2.5.4.97, ETSI EN 319 412-1 section 5.1.4). Exactly one may stand in the whole subject, over all
RDNs; nothing is ever picked as "the first".
"""

from __future__ import annotations

import re
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.model import Caller

# Anchored, ASCII, one group: the ten digits. Expisoft `16…`; EFOS `EFOS16…-n`; SITHS `SE…-suffix`. Expisoft's person
# certificates (`16` + ten digits + an employee's id) match none of them on purpose.
_SERIAL_NUMBER = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (r"16([0-9]{10})", r"EFOS16([0-9]{10})-[A-Z0-9]{1,20}", r"SE([0-9]{10})-[A-Z0-9]{1,20}")
)
_ORGANIZATION_IDENTIFIER = (re.compile(r"NTRSE-([0-9]{6})-?([0-9]{4})", re.ASCII),)
_PLACES = {NameOID.SERIAL_NUMBER: _SERIAL_NUMBER, NameOID.ORGANIZATION_IDENTIFIER: _ORGANIZATION_IDENTIFIER}


@lru_cache(maxsize=1024)
def caller(certificate: bytes) -> Caller:
    """The caller whose certificate (DER) TLS has verified.

    Raises `GatewayFault` EJ_BEHORIG where the subject does not hold exactly one organisation number.
    """
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        claims = [
            (attribute.oid, str(attribute.value))
            for rdn in parsed.subject.rdns
            for attribute in rdn
            if attribute.oid in _PLACES
        ]
    except ValueError:
        raise GatewayFault("EJ_BEHORIG", reason="the certificate's subject cannot be read") from None
    oids = [oid for oid, _ in claims]
    numbers = {_number(oid, value) for oid, value in claims}
    if not claims or None in numbers or len(numbers) != 1 or len(oids) != len(set(oids)):
        raise GatewayFault("EJ_BEHORIG", reason="the certificate does not hold exactly one organisation number")
    return Caller(f"16{numbers.pop()}", parsed.fingerprint(hashes.SHA256()).hex())


def _number(oid: x509.ObjectIdentifier, value: str) -> str | None:
    for pattern in _PLACES[oid]:
        found = pattern.fullmatch(value)
        if found:
            digits = "".join(found.groups())
            # The third digit tells an organisation from a person (a sole trader's number is a personnummer).
            return digits if digits[2] >= "2" and _luhn(digits) else None
    return None


def _luhn(digits: str) -> bool:
    products = (int(digit) * (2 - index % 2) for index, digit in enumerate(digits))
    return sum(product // 10 + product % 10 for product in products) % 10 == 0
