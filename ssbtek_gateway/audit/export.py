"""All rows as JSON lines, with a signed manifest that says what they are, how many, and how far the chain had come."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner

from ssbtek_gateway.audit.reader import stream
from ssbtek_gateway.audit.tables import ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from lxml.etree import _Element

    from ssbtek_gateway.audit.reader import Parts
    from ssbtek_gateway.audit.verify import Report

NAMESPACE = "urn:ssbtek-gateway:audit-export:1"
# A row that somebody changed can hold what XML cannot.
_UNFIT = re.compile(r"[^\x20-\x7e]")


class SignerError(ValueError):
    """The key or certificate cannot sign."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who vouches for an export."""

    certificate: str
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    def sign(self, manifest: _Element) -> bytes:
        """The manifest with an enveloped signature that holds the certificate."""
        rsa_key = isinstance(self.key, rsa.RSAPrivateKey)
        method = SignatureMethod.RSA_SHA256 if rsa_key else SignatureMethod.ECDSA_SHA256
        signed = XMLSigner(signature_algorithm=method).sign(manifest, key=self.key, cert=self.certificate)
        return etree.tostring(signed, xml_declaration=True, encoding="utf-8")


def signer(certificate: bytes, key: bytes) -> Signer:
    """Of PEM. Raises `SignerError` where the two do not belong together, or are of another kind than RSA or EC."""
    try:
        private = load_pem_private_key(key, None)
        public = x509.load_pem_x509_certificate(certificate).public_key()
    except (ValueError, TypeError):
        raise SignerError("not an unencrypted PEM key and a PEM certificate") from None
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SignerError("the key is neither RSA nor EC")
    if private.public_key() != public:
        raise SignerError("the certificate is not this key's")
    return Signer(certificate.decode("ascii", "replace"), private)


def export(parts: Parts, report: Report, out: Path) -> _Element:
    """Write every row, one part after the other, to `out`, a new file for our own user only; returns the manifest.

    `report` becomes part of it. Raises `OSError` where the file is there already or cannot be written.
    """
    digest = hashlib.sha256()
    count, first, last = 0, "", ""
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for row in (row for connection in parts.values() for row in stream(connection, ROWS)):
            line = json.dumps(row, default=repr).encode() + b"\n"
            digest.update(line)
            file.write(line)
            time = str(row["tidpunkt"])
            count, first, last = count + 1, min(first or time, time), max(last, time)
        file.flush()
        os.fsync(file.fileno())
    manifest = etree.Element(f"{{{NAMESPACE}}}auditExport", nsmap={None: NAMESPACE})
    told = {"file": out.name, "sha256": digest.hexdigest(), "rows": count, "first": first, "last": last}
    for name, value in (told | {"exported": datetime.now(UTC).isoformat()}).items():
        etree.SubElement(manifest, f"{{{NAMESPACE}}}{name}").text = _UNFIT.sub("?", str(value))
    chain = etree.SubElement(manifest, f"{{{NAMESPACE}}}chain", intact="false" if report.findings else "true")
    for writer, tail in report.tails.items():
        place = {"id": writer, "seq": tail.seq, "mac": tail.mac}
        fit = {name: _UNFIT.sub("?", str(value)) for name, value in place.items()}
        etree.SubElement(chain, f"{{{NAMESPACE}}}writer", fit)
    return manifest
