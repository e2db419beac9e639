"""An export says what it holds under a signature that others can check."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.exceptions import InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier
from unit.audit.here import Store
from unit.builders import CALLER

from ssbtek_gateway.audit import reader, record
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.export import NAMESPACE, Signer, SignerError, export, signer
from ssbtek_gateway.audit.verify import Report, verify

if TYPE_CHECKING:
    from pathlib import Path

    Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

KEY = ChainKey(b"c" * 32)
RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
# The certificate's own word is enough here: what is tested is the signature.
EXPECTED = SignatureConfiguration(require_x509=True, location="./")


def pem(key: Private) -> tuple[bytes, bytes]:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "arkiv")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate, private


@pytest.fixture
def database(tmp_path: Path) -> Path:
    async def write() -> None:
        audit = Store(Sqlite(tmp_path / "audit"), KEY)
        for number in range(3):
            await audit.append(record.denied(f"{number}", CALLER, "FOR_STOR"))
        await audit.close()

    asyncio.run(write())
    return tmp_path / "audit"


def exported(database: Path, by: Signer) -> tuple[Report, bytes, bytes]:
    out = database.with_name("out.jsonl")
    with reader.opened(Sqlite(database)) as parts:
        report = verify(parts, KEY)
        manifest = export(parts, report, out)
    return report, out.read_bytes(), by.sign(manifest)


@pytest.mark.parametrize("key", [RSA, EC], ids=["RSA", "EC"])
def test_the_manifest_is_signed_and_says_what_the_file_is(database: Path, key: Private) -> None:
    certificate, private = pem(key)
    report, content, manifest = exported(database, signer(certificate, private))
    result = XMLVerifier().verify(manifest, x509_cert=certificate.decode(), expect_config=EXPECTED)
    assert not isinstance(result, list)
    signed = result.signed_xml
    assert signed is not None
    told = {etree.QName(child).localname: child.text for child in signed}
    assert told["sha256"] == hashlib.sha256(content).hexdigest()
    assert (told["file"], told["rows"], len(content.splitlines())) == ("out.jsonl", "3", 3)
    ((writer, tail),) = report.tails.items()
    (entry,) = signed.iter(f"{{{NAMESPACE}}}writer")
    assert dict(entry.attrib) == {"id": writer, "seq": "3", "mac": tail.mac}
    with pytest.raises(InvalidSignature):
        XMLVerifier().verify(manifest.replace(b">3<", b">2<"), x509_cert=certificate.decode(), expect_config=EXPECTED)


def test_what_cannot_sign() -> None:
    (certificate, key), (other, _) = pem(RSA), pem(EC)
    with pytest.raises(SignerError, match="not this key's"):
        signer(other, key)
    with pytest.raises(SignerError, match="not an unencrypted PEM key"):
        signer(certificate, b"nothing")
    with pytest.raises(SignerError, match="neither RSA nor EC"):
        signer(*pem(ed25519.Ed25519PrivateKey.generate()))
