"""WS-Security as agencies that want it would have it: signed questions only, and signed answers.

By signxml, which shares nothing with what the gateway signs and verifies with.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import InvalidSignature, SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator import soap

if TYPE_CHECKING:
    from pathlib import Path

    from lxml.etree import _Element

    from ssbtek_gateway.model import PersonId
    from ssbtek_gateway.simulator.agency import Exchange
    from ssbtek_gateway.simulator.asgi import Reply

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE, _WSU = f"{_OASIS}wssecurity-secext-1.0.xsd", f"{_OASIS}wssecurity-utility-1.0.xsd"
_ID = f"{{{_WSU}}}Id"
_X509, _BASE64 = f"{_OASIS}x509-token-profile-1.0#X509v3", f"{_OASIS}soap-message-security-1.0#Base64Binary"
_SOAP = f"{{{soap.NAMESPACE}}}"
_SIGNED = {f"{_SOAP}Body", f"{{{_WSU}}}Timestamp"}
_SECURITY = f"""\
<wsse:Security xmlns:wsse="{_WSSE}" xmlns:wsu="{_WSU}"><wsu:Timestamp wsu:Id="time">\
<wsu:Created>{{0}}</wsu:Created><wsu:Expires>{{1}}</wsu:Expires></wsu:Timestamp>\
<wsse:BinarySecurityToken wsu:Id="token" ValueType="{_X509}" EncodingType="{_BASE64}">{{2}}</wsse:BinarySecurityToken>\
</wsse:Security>"""
_KEY_INFO = f"""\
<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><wsse:SecurityTokenReference xmlns:wsse="{_WSSE}">\
<wsse:Reference URI="#token" ValueType="{_X509}"/></wsse:SecurityTokenReference></ds:KeyInfo>"""


@dataclass(frozen=True, slots=True)
class Signing:
    """An agency's certificate and key, and whose questions it takes."""

    certificate: x509.Certificate
    key: bytes = field(repr=False)
    """PEM."""
    asker: x509.Certificate

    @classmethod
    def load(cls, certificate: Path, key: Path, asker: Path) -> Self:
        """From PEM files. Raises `OSError` and `ValueError`."""
        own, theirs = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (certificate, asker))
        return cls(own, key.read_bytes(), theirs)

    def check(self, question: bytes) -> None:
        """Raises `SoapError` where Body and Timestamp are not signed by the asker."""
        expected = SignatureConfiguration(expect_references=len(_SIGNED))
        try:
            found = XMLVerifier().verify(question, x509_cert=self.asker, expect_config=expected)
        except (InvalidSignature, SignXMLException, etree.LxmlError, ValueError):
            raise soap.SoapError("Client", "Frågan är inte signerad av den som får fråga.") from None
        parts = found if isinstance(found, list) else [found]
        if {part.signed_xml.tag for part in parts if part.signed_xml is not None} != _SIGNED:
            raise soap.SoapError("Client", "Body och Timestamp ska vara signerade.")

    def sign(self, answer: bytes) -> bytes:
        """The envelope with its Body and a Timestamp signed."""
        root = xmlgate.parse_own(answer)
        now = datetime.now(UTC)
        times = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (now, now + timedelta(minutes=5)))
        token = b64encode(self.certificate.public_bytes(Encoding.DER)).decode()
        security = xmlgate.parse_own(_SECURITY.format(*times, token).encode())
        header = root.makeelement(f"{_SOAP}Header")
        header.append(security)
        root.insert(0, header)
        for body in root.iterchildren(f"{_SOAP}Body"):
            body.set(_ID, "body")
        security.append(self._signature(root))
        return soap.serialise(root)

    def _signature(self, root: _Element) -> _Element:
        rsa = isinstance(self.certificate.public_key(), RSAPublicKey)
        signer = XMLSigner(
            SignatureConstructionMethod.detached,
            SignatureMethod.RSA_SHA256 if rsa else SignatureMethod.ECDSA_SHA256,
            DigestAlgorithm.SHA256,
            CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        key_info = xmlgate.parse_own(_KEY_INFO.encode())
        return signer.sign(root, key=self.key, reference_uri=["#body", "#time"], key_info=key_info)


@dataclass(frozen=True, slots=True)
class Signed:
    """An exchange whose answers are signed."""

    exchange: Exchange
    signing: Signing

    @property
    def person(self) -> PersonId | None:
        return self.exchange.person

    def good(self) -> Reply:
        return self._signed(self.exchange.good())

    def flawed(self, kind: str) -> Reply:
        return self._signed(self.exchange.flawed(kind))

    def endless(self) -> tuple[bytes, bytes]:
        return self.exchange.endless()

    def _signed(self, reply: Reply) -> Reply:
        try:
            return replace(reply, body=self.signing.sign(reply.body))
        except xmlgate.XmlError:  # a fault that is no XML that may be read
            return reply
