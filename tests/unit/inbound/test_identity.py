"""From certificate to organisation: every issuer's form, and everything that must not pass for one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from unit.builders import BITRADE, GRANNKOMMUN, KOMMUN, PERSON
from vectors import make

from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound import identity

if TYPE_CHECKING:
    from pathlib import Path

KEY = ec.generate_private_key(ec.SECP256R1())
CN, O, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME  # noqa: E741 - X.520's names
SN, OI = NameOID.SERIAL_NUMBER, NameOID.ORGANIZATION_IDENTIFIER
Rdn = list[tuple[x509.ObjectIdentifier, str]]
TEN = KOMMUN[2:]


def certificate(*rdns: Rdn) -> bytes:
    """DER of a certificate whose subject is these RDNs, each with one or more attributes."""
    subject = x509.Name([x509.RelativeDistinguishedName([attribute(*pair) for pair in rdn]) for rdn in rdns])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(CN, "issuer")]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(KEY, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    # serialNumber is a PrintableString; whoever issues something else can write it as UTF-8 all the same.
    kind = None if re.fullmatch(r"[A-Za-z0-9 '()+,./:=?-]*", value) else _ASN1Type.UTF8String
    return x509.NameAttribute(oid, value, kind)


def one(oid: x509.ObjectIdentifier, value: str) -> Rdn:
    return [(oid, value)]


@pytest.mark.parametrize(
    ("rdns", "organisationsnummer"),
    [
        pytest.param([one(CN, "Testkommunen"), one(SN, KOMMUN)], KOMMUN, id="Expisoft"),
        pytest.param([one(O, "Testbolaget"), [(CN, "Testbolaget"), (SN, BITRADE)]], BITRADE, id="multi-valued RDN"),
        pytest.param([[(SN, BITRADE), (CN, "Testbolaget")]], BITRADE, id="multi-valued RDN, number first"),
        pytest.param([one(SN, f"EFOS16{TEN}-012345")], KOMMUN, id="EFOS"),
        pytest.param([one(SN, f"SE{TEN}-AAAA")], KOMMUN, id="SITHS"),
        pytest.param([one(SN, f"SE{TEN}-3MKB"), one(O, "162021004748")], KOMMUN, id="SITHS, number in O too"),
        pytest.param([one(OI, f"NTRSE-{TEN}")], KOMMUN, id="eIDAS"),
        pytest.param([one(OI, f"NTRSE-{TEN[:6]}-{TEN[6:]}")], KOMMUN, id="eIDAS with hyphen"),
        pytest.param([one(SN, KOMMUN), one(OI, f"NTRSE-{TEN}")], KOMMUN, id="both, and they agree"),
        pytest.param([one(CN, "x"), one(OU, BITRADE), one(SN, GRANNKOMMUN)], GRANNKOMMUN, id="another number in OU"),
    ],
)
def test_every_issuers_form(rdns: list[Rdn], organisationsnummer: str) -> None:
    der = certificate(*rdns)
    caller = identity.caller(der)
    assert caller.organisationsnummer == organisationsnummer
    assert caller.fingerprint == sha256(der).hexdigest()


@pytest.mark.parametrize(
    "rdns",
    [
        pytest.param([one(CN, "Testkommunen")], id="no number"),
        pytest.param([one(CN, KOMMUN)], id="in CN only"),
        pytest.param([one(O, KOMMUN)], id="in O only"),
        pytest.param([one(O, f"{KOMMUN} / serialNumber={KOMMUN}")], id="written like a DN inside O"),
        pytest.param([one(CN, f"x, serialNumber={KOMMUN}")], id="serialNumber inside CN"),
        pytest.param([one(SN, KOMMUN), one(SN, BITRADE)], id="two serialNumbers"),
        pytest.param([one(SN, KOMMUN), one(SN, KOMMUN)], id="the same serialNumber twice"),
        pytest.param([[(SN, KOMMUN), (CN, "x")], one(SN, BITRADE)], id="two serialNumbers, one in a multi-valued RDN"),
        pytest.param([one(SN, KOMMUN), one(SN, "1234")], id="a serialNumber beside"),
        pytest.param([one(OI, f"NTRSE-{TEN}"), one(OI, f"NTRSE-{BITRADE[2:]}")], id="two organizationIdentifiers"),
        pytest.param([one(SN, KOMMUN), one(OI, f"NTRSE-{BITRADE[2:]}")], id="the two places disagree"),
        pytest.param([one(SN, KOMMUN), one(OI, f"VATSE-{TEN}01")], id="one of the two unreadable"),
        pytest.param([one(OI, f"NTRNO-{TEN}")], id="another country"),
        pytest.param([one(OI, f"VATSE-{TEN}01")], id="a VAT number"),
        pytest.param([one(OI, TEN)], id="organizationIdentifier without scheme"),
        pytest.param([one(SN, TEN)], id="ten digits"),
        pytest.param([one(SN, f"16{TEN}-1")], id="Expisoft with a suffix"),
        pytest.param([one(SN, f"{KOMMUN}stbj1006")], id="an employee's certificate"),
        pytest.param([one(SN, f"{KOMMUN}1006")], id="an employee's certificate in digits"),
        pytest.param([one(SN, f"SE{TEN}")], id="SITHS without suffix"),
        pytest.param([one(SN, f"SE{TEN}-")], id="SITHS with empty suffix"),
        pytest.param([one(SN, f"SE{TEN}-{'A' * 21}")], id="SITHS with a long suffix"),
        pytest.param([one(SN, f"EFOS16{TEN}")], id="EFOS without suffix"),
        pytest.param([one(SN, f"EFOS17{TEN}-1")], id="EFOS with another prefix"),
        pytest.param([one(SN, f" {KOMMUN}")], id="space before"),
        pytest.param([one(SN, f"{KOMMUN}\n")], id="line feed after"),
        pytest.param([one(SN, f"{KOMMUN}\x00.evil")], id="NUL"),
        pytest.param([one(SN, make.fullwidth(KOMMUN))], id="fullwidth digits"),
        pytest.param([one(SN, make.arabic(KOMMUN))], id="Arabic digits"),
        pytest.param([one(SN, "162021004749")], id="wrong check digit"),
        pytest.param([one(SN, f"16{PERSON[2:]}")], id="a personnummer"),
        pytest.param([one(SN, PERSON)], id="a personnummer with century"),
        pytest.param([one(OI, f"NTRSE-{PERSON[2:]}")], id="a sole trader"),
        pytest.param([], id="empty subject"),
    ],
)
def test_what_is_not_exactly_one_organisation_is_refused(rdns: list[Rdn]) -> None:
    with pytest.raises(GatewayFault) as caught:
        identity.caller(certificate(*rdns))
    fault = caught.value
    assert (fault.fel.felkod, fault.soap, fault.detalj) == ("EJ_BEHORIG", "Client", "")
    assert fault.reason == "the certificate does not hold exactly one organisation number"


@pytest.mark.parametrize(
    ("file", "organisationsnummer"), [("client", KOMMUN), ("bitrade", BITRADE), ("grannkommun", GRANNKOMMUN)]
)
def test_the_certificates_of_development(pki: Path, file: str, organisationsnummer: str) -> None:
    parsed = x509.load_pem_x509_certificate((pki / f"{file}.pem").read_bytes())
    assert identity.caller(parsed.public_bytes(Encoding.DER)).organisationsnummer == organisationsnummer


@pytest.mark.parametrize("file", ["server", "gateway", "agency"])
def test_a_server_is_no_organisation(pki: Path, file: str) -> None:
    parsed = x509.load_pem_x509_certificate((pki / f"{file}.pem").read_bytes())
    with pytest.raises(GatewayFault, match="EJ_BEHORIG"):
        identity.caller(parsed.public_bytes(Encoding.DER))


def test_a_subject_that_cannot_be_read_is_nobody() -> None:
    der = certificate(one(CN, "åååå"), one(SN, f"16{TEN}"))
    broken = der.replace("åååå".encode(), b"\xff" * 8)
    assert broken != der
    with pytest.raises(GatewayFault, match="EJ_BEHORIG"):
        identity.caller(broken)
