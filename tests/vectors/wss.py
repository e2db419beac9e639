"""Makes messages signed by WS-Security, of whatever shape; wss_cases.py has the shapes.

Nothing is written to disk: keys are never committed, and a signature is good for minutes. Made by lxml's
canonicalisation and the library `cryptography`, where the code under test verifies by libxmlsec.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from lxml import etree
from vectors.make import PERSON, SOAP, SSBT, only

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.hashes import HashAlgorithm
    from lxml.etree import _Element

DS, EXC = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
MORE, XENC = "http://www.w3.org/2001/04/xmldsig-more#", "http://www.w3.org/2001/04/xmlenc#"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE, WSU = f"{_OASIS}wssecurity-secext-1.0.xsd", f"{_OASIS}wssecurity-utility-1.0.xsd"
X509, BASE64 = f"{_OASIS}x509-token-profile-1.0#", f"{_OASIS}soap-message-security-1.0#Base64Binary"
_DECLARED = {"soapenv": SOAP, "ssbt": SSBT, "wsse": WSSE, "wsu": WSU, "ds": DS, "ec": EXC, "xenc": XENC}
EXCLUSIVE = f'<ds:Transform Algorithm="{EXC}"/>'
_HASHES: dict[str, HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - what must be refused
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "md5": hashes.MD5(),  # noqa: S303
}
_OPERATION = re.search(r"<ssbt:hamta.*</ssbt:hamtaBastjanstInformation>", only("SO"), re.DOTALL)[0]  # type: ignore[index]
BODY = f'<soapenv:Body wsu:Id="body">{_OPERATION}</soapenv:Body>'
OTHER = "191212721219"
FORGED = BODY.replace(PERSON, OTHER)


@dataclass(frozen=True)
class Party:
    """Somebody with a certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def load(cls, folder: Path, name: str) -> Party:
        key = load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
        return cls(x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes()), key)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def sign(self, method: str, content: bytes) -> bytes:
        """By the algorithm that the last part of an identifier names, such as `rsa-sha256`."""
        kind, _, name = method.rpartition("#")[2].partition("-")
        if kind == "hmac":
            # As a verifier would that takes the key it has, the public one, for a secret.
            public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return hmac.digest(public, content, name)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(content, padding.PKCS1v15(), _HASHES.get(name, hashes.SHA256()))
        r, s = decode_dss_signature(self.key.sign(content, ec.ECDSA(_HASHES.get(name, hashes.SHA256()))))
        size = (self.key.key_size + 7) // 8
        return r.to_bytes(size) + s.to_bytes(size)


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def reference(uri: str = "#body", transforms: str = EXCLUSIVE, digest: str = f"{XENC}sha256") -> str:
    """A Reference whose digest is still to be computed."""
    return (
        f'<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod Algorithm="{digest}"/>'
        "<ds:DigestValue>@digest@</ds:DigestValue></ds:Reference>"
    )


def to_token(uri: str = "#token", value_type: str = f"{X509}X509v3") -> str:
    return (
        f'<wsse:SecurityTokenReference><wsse:Reference URI="{uri}" ValueType="{value_type}"/>'
        "</wsse:SecurityTokenReference>"
    )


@dataclass(frozen=True)
class Draft:
    """A message as text, part by part; `sealed` signs what its references name."""

    signer: Party
    now: datetime
    created: str = ""
    expires: str = ""
    timestamp: str = (
        '<wsu:Timestamp wsu:Id="time"><wsu:Created>{0}</wsu:Created><wsu:Expires>{1}</wsu:Expires></wsu:Timestamp>'
    )
    token: str = (
        f'<wsse:BinarySecurityToken wsu:Id="token" ValueType="{X509}X509v3" EncodingType="{BASE64}">'
        "{}</wsse:BinarySecurityToken>"
    )
    references: tuple[str, ...] = (reference("#time"), reference("#body"))
    canonicalisation: str = f'<ds:CanonicalizationMethod Algorithm="{EXC}"/>'
    method: str = ""
    parameters: str = ""
    key_info: str = to_token()
    more: str = ""
    """Beside the three in the Security header."""
    header: str = ""
    """Beside the Security header."""
    actor: str = ""
    body: str = BODY
    order: str = "{timestamp}{token}{signature}{more}"

    @property
    def algorithm(self) -> str:
        return self.method or f"{MORE}{'rsa' if isinstance(self.signer.key, rsa.RSAPrivateKey) else 'ecdsa'}-sha256"

    @property
    def text(self) -> str:
        times = (self.created or stamp(self.now), self.expires or stamp(self.now + timedelta(minutes=5)))
        key_info = f"<ds:KeyInfo>{self.key_info}</ds:KeyInfo>" if self.key_info else ""
        signature = (
            f"<ds:Signature><ds:SignedInfo>{self.canonicalisation}"
            f'<ds:SignatureMethod Algorithm="{self.algorithm}">{self.parameters}</ds:SignatureMethod>'
            f"{''.join(self.references)}</ds:SignedInfo><ds:SignatureValue>@value@</ds:SignatureValue>{key_info}"
            "</ds:Signature>"
        )
        content = self.order.format(
            timestamp=self.timestamp.format(*times),
            token=self.token.format(b64encode(self.signer.der).decode()),
            signature=signature,
            more=self.more,
        )
        declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _DECLARED.items())
        return (
            f"<soapenv:Envelope{declared}><soapenv:Header>{self.header}"
            f'<wsse:Security soapenv:mustUnderstand="1"{self.actor}>{content}</wsse:Security></soapenv:Header>'
            f"{self.body}</soapenv:Envelope>"
        )

    def sealed(self) -> str:
        text = self.text
        root = etree.fromstring(text)
        for element in root.iter(f"{{{DS}}}Reference"):
            text = text.replace("@digest@", b64encode(digest(root, element)).decode(), 1)
        signed_info = etree.fromstring(text).find(f".//{{{DS}}}SignedInfo")
        assert signed_info is not None
        value = self.signer.sign(self.algorithm, _canonical(signed_info, signed_info[0]))
        return text.replace("@value@", b64encode(value).decode())

    def but(self, **changes: object) -> Draft:
        return replace(self, **changes)  # type: ignore[arg-type]


def digest(root: _Element, reference: _Element) -> bytes:
    name = reference.get("URI", "").removeprefix("#")
    target = next((element for element in root.iter() if element.get(f"{{{WSU}}}Id", element.get("Id")) == name), root)
    transform = reference.find(f"{{{DS}}}Transforms/{{{DS}}}Transform")
    method = reference.find(f"{{{DS}}}DigestMethod")
    assert method is not None
    return hashlib.new(method.get("Algorithm", "").rpartition("#")[2], _canonical(target, transform)).digest()


def _canonical(element: _Element, method: _Element | None) -> bytes:
    inclusive = method is not None and method.get("Algorithm") == INCLUSIVE
    prefixes = method[0].get("PrefixList", "").split() if method is not None and len(method) else []
    return etree.tostring(
        element, method="c14n", exclusive=not inclusive, with_comments=False, inclusive_ns_prefixes=prefixes
    )
