"""Whether a message is what a believed signer has signed, and what it then says.

First the shape (selection.py), the time and the signer, all cheap; then the signature, by xmlsec. The Body is given
back as the bytes that its digest is of, so that what is read is what was signed, and nothing that stood beside it: a
comment, say, or a prefix that somebody else declared.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from ssbtek_gateway.wssecurity import trust
from ssbtek_gateway.wssecurity.names import WSU, SecurityError
from ssbtek_gateway.wssecurity.selection import select

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from lxml.etree import _Element

    from ssbtek_gateway.wssecurity.selection import Reference, Selected
    from ssbtek_gateway.wssecurity.timestamp import Window
    from ssbtek_gateway.wssecurity.trust import Trust


@dataclass(frozen=True, slots=True)
class Verified:
    """What a believed signature vouches for. Nothing else of the message may be used."""

    body: bytes = field(repr=False)
    """The Body element in canonical XML, UTF-8."""
    mark: str
    """Stands for this message in the replay store; 64 hexadecimal digits."""
    expires: datetime


def verify(envelope: _Element, window: Window, believed: Trust) -> Verified:
    """Raises `SecurityError`. Takes most of a millisecond: call it on a worker's thread, and parse there too.

    libxml2 keeps one table of names for each thread that parses, and xmlsec writes to the document's.
    """
    selected = select(envelope)
    expires = window.check(selected.timestamp.element)
    key = trust.read(selected.certificate, window.clock())
    if selected.algorithm not in key.algorithms:
        raise SecurityError("UnsupportedAlgorithm", "an algorithm that does not fit the certificate's key")
    believed(key.certificate)
    try:
        body, _ = (_signed(reference) for reference in (selected.body, selected.timestamp))
        _check_signature(selected, key.certificate)
        signed_info = _canonical(selected.signed_info, selected.prefixes)
    except (xmlsec.Error, etree.LxmlError):
        # Not chained: the text of the cause may hold a piece of the message.
        raise SecurityError("FailedCheck", "the signature does not verify") from None
    # Not the signature's value: of an ECDSA signature anybody can make another that verifies as well.
    mark = hashlib.sha256(hashlib.sha256(selected.certificate).digest() + signed_info).hexdigest()
    return Verified(body, mark, expires)


def _signed(reference: Reference) -> bytes:
    """The bytes that the reference's digest is of. Raises `SecurityError`."""
    signed = _canonical(reference.element, reference.prefixes)
    if not hmac.compare_digest(hashlib.new(reference.hash, signed).digest(), reference.digest):
        raise SecurityError("FailedCheck", "the Body or the Timestamp is not what was signed")
    return signed


def _canonical(element: _Element, prefixes: list[str]) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes)


def _check_signature(selected: Selected, certificate: x509.Certificate) -> None:
    context = xmlsec.SignatureContext()
    # With a key given, KeyInfo is not looked at.
    context.key = xmlsec.Key.from_memory(certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatCertPem)
    for reference in (selected.body, selected.timestamp):
        context.register_id(reference.element, "Id", WSU)
    context.verify(selected.signature)
