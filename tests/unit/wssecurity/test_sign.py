"""What we sign: believed by ourselves and by a library that is not ours, and otherwise as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier
from unit.wssecurity.signers import DAY, Authority, ec_key, for_purpose, rsa_key
from vectors import make
from vectors.wss import DS, WSU

from ssbtek_gateway import xmlgate
from ssbtek_gateway.wssecurity import trust
from ssbtek_gateway.wssecurity.sign import Signer
from ssbtek_gateway.wssecurity.timestamp import Window, utc_now
from ssbtek_gateway.wssecurity.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from lxml.etree import _Element
    from unit.wssecurity.signers import Key
    from vectors.wss import Party

SOAP = f"{{{make.SOAP}}}"
# What is easily lost on the way through a library: a prefix that only a value uses, a comment, references, white space.
PAYLOAD = (
    '<svar xmlns="urn:svar" xmlns:q="urn:q" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="q:T" '
    'Id="id" a="&#13;&#10;&#9;&lt;"><!-- från myndigheten --><?p i?> å &#13; &amp;amp; <![CDATA[<&>]]>\n</svar>'
)
HEADER = '<soap:Header><oversikt:svarsoversikt xmlns:oversikt="urn:oversikt"/></soap:Header>'


def written(folder: Path, party: Party) -> tuple[Path, Path]:
    certificate, key = folder / "signing.pem", folder / "signing.key"
    certificate.write_bytes(party.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(party.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


def issued(key: Key | None = None) -> Party:
    now = utc_now()
    return Authority().issue(key=key, begins=now - DAY, ends=now + DAY)


def envelope(header: str = "") -> bytes:
    return f'<soap:Envelope xmlns:soap="{make.SOAP}">{header}<soap:Body>{PAYLOAD}</soap:Body></soap:Envelope>'.encode()


def canonical(element: _Element) -> bytes:
    # A prefix for wsu is in scope now, which inclusive canonicalisation would show.
    return etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=["q"], with_comments=True)


KEYS: dict[str, Key] = {"rsa": rsa_key(), "p-256": ec_key(), "p-384": ec_key(ec.SECP384R1())}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("header", ["", HEADER, "<soap:Header/>"])
def test_body_timestamp_and_every_header_block_are_signed(kind: str, header: str, tmp_path: Path) -> None:
    party = issued(KEYS[kind])
    signed = Signer.load(*written(tmp_path, party), must_understand=False).sign(envelope(header))
    names = ["svarsoversikt"] * (header == HEADER) + ["Body", "Timestamp"]
    expected = SignatureConfiguration(expect_references=len(names))
    results = XMLVerifier().verify(signed, x509_cert=party.certificate, expect_config=expected)
    found = results if isinstance(results, list) else [results]
    assert [etree.QName(result.signed_xml).localname for result in found if result.signed_xml is not None] == names


@pytest.mark.parametrize("kind", KEYS)
def test_we_believe_what_we_sign(kind: str, tmp_path: Path) -> None:
    party = issued(KEYS[kind])
    signed = Signer.load(*written(tmp_path, party), must_understand=True).sign(envelope())
    verified = verify(xmlgate.parse_agency(signed, None), Window(), trust.one_of([party.certificate]))
    assert b"urn:svar" in verified.body


def test_nothing_else_is_changed(tmp_path: Path) -> None:
    signed = Signer.load(*written(tmp_path, issued()), must_understand=False).sign(envelope(HEADER))
    assert signed.startswith(b'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope ')
    before, after = (xmlgate.parse_agency(message, None) for message in (envelope(HEADER), signed))
    assert canonical(after[-1][0]) == canonical(before[-1][0])
    assert after[-1][0].nsmap["q"] == "urn:q"
    assert [etree.QName(block).localname for block in after[0]] == ["Security", "svarsoversikt"]
    assert set(after[-1].attrib) == {f"{{{WSU}}}Id"}


@pytest.mark.parametrize(("must", "said"), [(True, "1"), (False, "0")])
def test_who_cannot_verify_may_be_told_to_refuse(must: bool, said: str, tmp_path: Path) -> None:  # noqa: FBT001
    signed = Signer.load(*written(tmp_path, issued()), must_understand=must).sign(envelope())
    assert xmlgate.parse_agency(signed, None)[0][0].get(f"{SOAP}mustUnderstand") == said


def test_a_message_is_valid_for_five_minutes_and_each_has_its_own_ids(tmp_path: Path) -> None:
    signer = Signer.load(*written(tmp_path, issued()), must_understand=False)
    ids = []
    for _ in range(2):
        root = xmlgate.parse_agency(signer.sign(envelope()), None)
        window = Window(clock=signer.clock)
        timestamp = next(root.iter(f"{{{WSU}}}Timestamp"))
        assert 299 <= (window.check(timestamp) - signer.clock()).total_seconds() <= 300
        ids += [reference.get("URI") for reference in root.iter(f"{{{DS}}}Reference")]
    assert len(set(ids)) == 4


def test_a_certificate_that_we_would_not_believe_is_not_loaded(tmp_path: Path) -> None:
    now = utc_now()
    extensions = ((for_purpose(ExtendedKeyUsageOID.SERVER_AUTH), False),)
    with pytest.raises(ValueError, match="not for signing messages"):
        Signer.load(*written(tmp_path, Authority().issue(extensions=extensions)), must_understand=False)
    expired = Authority().issue(begins=now - 2 * DAY, ends=now - DAY)
    assert Signer.load(*written(tmp_path, expired), must_understand=False)


def test_the_key_must_be_the_certificates(tmp_path: Path) -> None:
    certificate, key = written(tmp_path, issued())
    (tmp_path / "other").mkdir()
    _, other = written(tmp_path / "other", issued())
    with pytest.raises(ValueError, match="does not belong"):
        Signer.load(certificate, other, must_understand=False)
    key.write_text("junk")
    with pytest.raises(ValueError, match="the key cannot be used"):
        Signer.load(certificate, key, must_understand=False)
    key.unlink()
    with pytest.raises(FileNotFoundError):
        Signer.load(certificate, key, must_understand=False)
