"""Signs a SOAP 1.1 envelope: the Body, a new Timestamp, and every header block that it has."""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree

from ssbtek_gateway import xmlgate
from ssbtek_gateway.wssecurity import trust
from ssbtek_gateway.wssecurity.names import (
    BASE64,
    BODY,
    DS,
    EXC_C14N,
    HEADER,
    ID,
    SHA256,
    SOAP,
    WSSE,
    WSU,
    X509V3,
    SecurityError,
)
from ssbtek_gateway.wssecurity.timestamp import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from lxml.etree import _Element

_VALID = timedelta(seconds=300)
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
_SECURITY = f"""\
<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" xmlns:soap="{SOAP}" soap:mustUnderstand="%(must)d">\
<wsu:Timestamp><wsu:Created>%(created)s</wsu:Created><wsu:Expires>%(expires)s</wsu:Expires></wsu:Timestamp>\
<wsse:BinarySecurityToken wsu:Id="%(token)s" ValueType="{X509V3}" EncodingType="{BASE64}">%(certificate)s\
</wsse:BinarySecurityToken>\
<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/>\
<ds:SignatureMethod Algorithm="%(algorithm)s"/></ds:SignedInfo><ds:SignatureValue/>\
<ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference URI="#%(token)s" ValueType="{X509V3}"/>\
</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security>"""
_REFERENCE = f"""\
<ds:Reference xmlns:ds="{DS}" URI="#%s"><ds:Transforms><ds:Transform Algorithm="{EXC_C14N}"/></ds:Transforms>\
<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue/></ds:Reference>"""

# Of names that the library has to find a prefix for.
etree.register_namespace("wsu", WSU)


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature, and whether a receiver that cannot verify it must refuse the message (mustUnderstand)."""

    certificate: bytes
    """DER."""
    key: xmlsec.Key = field(repr=False)
    algorithm: str
    must_understand: bool
    clock: Callable[[], datetime] = utc_now

    @classmethod
    def load(cls, certificate: Path, key: Path, *, must_understand: bool) -> Self:
        """From PEM files. Raises `OSError`, or `ValueError` where they cannot be used."""
        pem = key.read_bytes()
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
        try:
            # What we would not believe ourselves is not sent. Its last day must not stop a gateway that restarts.
            algorithm, *_ = trust.read(leaf.public_bytes(Encoding.DER), leaf.not_valid_before_utc).algorithms
            loaded = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
        except SecurityError as error:
            raise ValueError(error.reason) from None
        except xmlsec.Error:
            raise ValueError("the key cannot be used") from None
        if load_pem_private_key(pem, None).public_key() != leaf.public_key():
            raise ValueError("the key does not belong to the certificate")
        return cls(leaf.public_bytes(Encoding.DER), loaded, algorithm, must_understand)

    def sign(self, envelope: bytes) -> bytes:
        """The same envelope, signed, UTF-8. Takes about a millisecond: call it on a worker's thread."""
        root = xmlgate.parse_own(envelope)
        header = root.find(HEADER)
        if header is None:
            header = root.makeelement(HEADER)
            root.insert(0, header)
        security = self._security()
        timestamp, _, signature = security
        signed = [*header, *root.iterchildren(BODY), timestamp]
        header.insert(0, security)
        context = xmlsec.SignatureContext()
        context.key = self.key
        for element in signed:
            name = _name()
            element.set(ID, name)
            context.register_id(element, "Id", WSU)
            signature[0].append(xmlgate.parse_own((_REFERENCE % name).encode()))
        context.sign(signature)
        return _DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False)

    def _security(self) -> _Element:
        created = self.clock()
        return xmlgate.parse_own(
            (
                _SECURITY
                % {
                    "must": self.must_understand,
                    "created": _written(created),
                    "expires": _written(created + _VALID),
                    "token": _name(),
                    "certificate": b64encode(self.certificate).decode(),
                    "algorithm": self.algorithm,
                }
            ).encode()
        )


def _name() -> str:
    """An Id that the message does not have, whatever an agency wrote into it."""
    return f"id-{secrets.token_hex(16)}"


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
