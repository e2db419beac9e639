"""From certificate to organisation: every issuer's form, and everything that must not pass for one."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from unit.builders import BITRADE, GRANNKOMMUN, KOMMUN, PERSON, identity
from vectors import make

from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound.identity import FORMS, Identity, Issuer
from ssbtek_gateway.revocation import Revocations

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
CN, O, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME  # noqa: E741 - X.520's names
SN, OI = NameOID.SERIAL_NUMBER, NameOID.ORGANIZATION_IDENTIFIER
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Rdn = list[tuple[x509.ObjectIdentifier, str]]
TEN = KOMMUN[2:]
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
ISSUER = x509.Name([x509.NameAttribute(CN, "issuer")])
EXPISOFT, EFOS, SITHS, EIDAS = FORMS


def certificate(
    *rdns: Rdn,
    signer: ec.EllipticCurvePrivateKey = KEY,
    key: Key = KEY,
    algorithm: hashes.SHA224 | hashes.SHA256 = hashes.SHA256(),  # noqa: B008 - a value
    extensions: Iterable[x509.ExtensionType] = (),
    critical: bool = False,
) -> bytes:
    """DER of a certificate whose subject is these RDNs, each with one or more attributes."""
    subject = x509.Name([x509.RelativeDistinguishedName([attribute(*pair) for pair in rdn]) for rdn in rdns])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ISSUER)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def issuer(signer: ec.EllipticCurvePrivateKey = KEY, validity: timedelta = DAY, **rule: Any) -> Issuer:  # noqa: ANN401 - any field
    """Who has signed with `signer`."""
    own = x509.CertificateBuilder().subject_name(ISSUER).issuer_name(ISSUER).public_key(signer.public_key())
    dated = own.serial_number(2).not_valid_before(NOW).not_valid_after(NOW + validity)
    return Issuer(dated.sign(signer, hashes.SHA256()), **rule)


IDENTITY = Identity([issuer()])


def reason(identity: Identity, der: bytes) -> str:
    """Why nobody is asking; the caller is told one and the same."""
    with pytest.raises(GatewayFault) as caught:
        identity.caller(der)
    fault = caught.value
    assert (fault.fel.felkod, fault.soap, fault.detalj) == ("EJ_BEHORIG", "Client", "")
    return fault.reason


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
    caller = IDENTITY.caller(der)
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
    assert reason(IDENTITY, certificate(*rdns)) == "the certificate does not hold exactly one organisation number"


@pytest.mark.parametrize(
    ("file", "organisationsnummer"), [("client", KOMMUN), ("bitrade", BITRADE), ("grannkommun", GRANNKOMMUN)]
)
def test_the_certificates_of_development(pki: Path, file: str, organisationsnummer: str) -> None:
    parsed = x509.load_pem_x509_certificate((pki / f"{file}.pem").read_bytes())
    known = identity(pki).caller(parsed.public_bytes(Encoding.DER))
    assert known.organisationsnummer == organisationsnummer


@pytest.mark.parametrize("file", ["server", "gateway", "agency"])
def test_a_server_is_no_organisation(pki: Path, file: str) -> None:
    parsed = x509.load_pem_x509_certificate((pki / f"{file}.pem").read_bytes())
    assert "organisation number" in reason(identity(pki), parsed.public_bytes(Encoding.DER))


def test_without_a_certificate_nobody_is_asking() -> None:
    assert reason(IDENTITY, b"") == "no certificate came with the message"


@pytest.mark.parametrize("der", [b"0", b"certificate" * 100])
def test_what_is_no_certificate_is_nobody(der: bytes) -> None:
    assert reason(IDENTITY, der) == "the certificate cannot be read"


def test_a_serial_number_below_one_is_nobodys() -> None:
    # Outside a test run too, where a warning is no error of itself; the program says nothing on standard error.
    der = certificate(one(SN, KOMMUN)).replace(b"\x02\x01\x01", b"\x02\x01\x00", 1)
    program = """
import sys
from ssbtek_gateway import tls
from cryptography import x509
try:
    x509.load_der_x509_certificate(bytes.fromhex(sys.argv[1]))
except tls.UNREADABLE:
    print("unreadable")
"""
    done = subprocess.run([sys.executable, "-c", program, der.hex()], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("unreadable\n", "")
    assert reason(IDENTITY, der) == "the certificate cannot be read"


def test_a_subject_that_cannot_be_read_is_nobody() -> None:
    der = certificate(one(CN, "åååå"), one(SN, f"16{TEN}"))
    broken = der.replace("åååå".encode(), b"\xff" * 8)
    assert broken != der
    assert reason(IDENTITY, broken) == "the certificate cannot be read"


@pytest.mark.parametrize("form", FORMS)
def test_an_issuer_writes_numbers_in_its_own_form_only(form: tuple[x509.ObjectIdentifier, re.Pattern[str]]) -> None:
    one_form = Identity([issuer(forms=(form,))])
    written = {EXPISOFT: one(SN, KOMMUN), EFOS: one(SN, f"EFOS16{TEN}-1"), SITHS: one(SN, f"SE{TEN}-A")}
    written[EIDAS] = one(OI, f"NTRSE-{TEN}")
    for of, rdn in written.items():
        if of == form:
            assert one_form.caller(certificate(rdn)).organisationsnummer == KOMMUN
        else:
            assert "organisation number" in reason(one_form, certificate(rdn))


def test_what_stands_beside_the_issuers_own_place_must_agree() -> None:
    expisoft = Identity([issuer(forms=(EXPISOFT,))])
    agreeing = certificate(one(SN, KOMMUN), one(OI, f"NTRSE-{TEN}"))
    assert expisoft.caller(agreeing).organisationsnummer == KOMMUN
    assert reason(expisoft, certificate(one(SN, KOMMUN), one(OI, f"NTRSE-{BITRADE[2:]}")))


def test_a_namesake_of_an_issuer_is_not_the_issuer() -> None:
    of_another = certificate(one(SN, KOMMUN), signer=OTHER_KEY)
    assert reason(IDENTITY, of_another) == "the certificate is of no issuer in the configuration"
    both = Identity([issuer(), issuer(OTHER_KEY, forms=(EFOS,))])
    assert "organisation number" in reason(both, of_another)  # by its own issuer's rule, not by the other's
    assert both.caller(certificate(one(SN, KOMMUN))).organisationsnummer == KOMMUN


def test_a_certificate_needs_one_of_its_issuers_policies() -> None:
    strict = Identity([issuer(policies=frozenset({"1.2.752.1", "1.2.752.2"}))])

    def with_policies(*oids: str) -> bytes:
        stated = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids]
        return certificate(one(SN, KOMMUN), extensions=[x509.CertificatePolicies(stated)] if oids else [])

    assert strict.caller(with_policies("1.2.752.9", "1.2.752.2")).organisationsnummer == KOMMUN
    for der in (with_policies(), with_policies("1.2.752.9"), with_policies("1.2.752.1.1")):
        assert reason(strict, der) == "the certificate has none of the policies of its issuer's rule"


def test_a_certificate_says_that_it_is_for_tls_clients() -> None:
    strict = Identity([issuer(client_authentication=True)])
    for_client = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    assert strict.caller(certificate(one(SN, KOMMUN), extensions=[for_client])).organisationsnummer == KOMMUN
    for_mail = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    for extensions in ([], [for_mail]):
        der = certificate(one(SN, KOMMUN), extensions=extensions)
        assert reason(strict, der) == "the certificate does not say that it is for TLS clients"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        pytest.param(rsa.generate_private_key(65537, 1024), hashes.SHA256(), id="RSA-1024"),  # noqa: S505 - too weak
        pytest.param(ec.generate_private_key(ec.SECP224R1()), hashes.SHA256(), id="P-224"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), hashes.SHA256(), id="another kind of key"),
        pytest.param(KEY, hashes.SHA224(), id="SHA-224"),
    ],
)
def test_a_weak_key_or_signature_proves_nothing(key: Key, algorithm: hashes.SHA224 | hashes.SHA256) -> None:
    der = certificate(one(SN, KOMMUN), key=key, algorithm=algorithm)
    assert reason(IDENTITY, der) == "the certificate's key or signature is too weak"


def test_what_tls_would_have_refused_is_refused_behind_a_proxy_too() -> None:
    lenient = Identity([issuer()])
    for_mail = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    told = "the certificate does not say that it is for TLS clients"
    assert reason(lenient, certificate(one(SN, KOMMUN), extensions=[for_mail])) == told
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.752.9"), b"\x05\x00")
    assert lenient.caller(certificate(one(SN, KOMMUN), extensions=[unknown])).organisationsnummer == KOMMUN
    critical = certificate(one(SN, KOMMUN), extensions=[unknown], critical=True)
    assert reason(lenient, critical) == "the certificate has a critical extension that is not known"


def test_a_certificate_is_not_valid_for_longer_than_its_issuers() -> None:
    day_later = Identity([issuer(validity=DAY / 2)], clock=lambda: NOW + DAY * 3 / 4)
    assert reason(day_later, certificate(one(SN, KOMMUN))) == "the certificate or its issuer's is not valid now"


def test_an_open_connection_outlives_no_certificate() -> None:
    moments = iter([NOW, NOW + DAY, NOW + DAY + timedelta(seconds=1), NOW - timedelta(seconds=1)])
    identity = Identity([issuer()], clock=lambda: next(moments))
    der = certificate(one(SN, KOMMUN))
    assert identity.caller(der) == identity.caller(der)
    for _ in range(2):
        assert reason(identity, der) == "the certificate or its issuer's is not valid now"


def test_a_revoked_certificate_is_nobody_and_so_is_every_one_under_an_old_list() -> None:
    der = certificate(one(SN, KOMMUN))
    other = Identity([issuer(revocations=Revocations(NOW + DAY, frozenset({7})))])
    assert other.caller(der).organisationsnummer == KOMMUN
    revoked = Identity([issuer(revocations=Revocations(NOW + DAY, frozenset({1})))])
    assert reason(revoked, der) == "the certificate is revoked"
    moments = iter([NOW, NOW + timedelta(seconds=2)])
    fresh_for_a_second = Revocations(NOW + timedelta(seconds=1), frozenset())
    ageing = Identity([issuer(revocations=fresh_for_a_second)], clock=lambda: next(moments))
    assert ageing.caller(der).organisationsnummer == KOMMUN
    assert reason(ageing, der) == "the issuer's revocation list is too old"


def test_a_listed_proxy_is_judged_for_each_message_and_needs_no_organisation() -> None:
    moments = iter([NOW, NOW, NOW, NOW + 2 * DAY])
    identity = Identity([issuer(), issuer(OTHER_KEY, validity=3 * DAY)], clock=lambda: next(moments))
    caller, proxy = certificate(one(SN, KOMMUN), signer=OTHER_KEY), certificate(one(CN, "proxy"))
    assert identity.caller(caller, proxy).organisationsnummer == KOMMUN
    for shown, told in (
        (b"", "the listed proxy did not hand on exactly one certificate"),
        (caller, "the listed proxy: the certificate or its issuer's is not valid now"),
    ):
        with pytest.raises(GatewayFault) as caught:
            identity.caller(shown, proxy)
        assert caught.value.reason == told
    revoked = Identity([issuer(revocations=Revocations(NOW + DAY, frozenset({1})))], clock=lambda: NOW)
    with pytest.raises(GatewayFault) as caught:
        revoked.caller(caller, proxy)
    assert caught.value.reason == "the listed proxy: the certificate is revoked"


def test_the_log_is_told_every_reason() -> None:
    der = certificate(one(CN, "x"), signer=OTHER_KEY, key=ec.generate_private_key(ec.SECP224R1()))
    assert reason(IDENTITY, der).split("; ") == [
        "the certificate is of no issuer in the configuration",
        "the certificate's key or signature is too weak",
        "the certificate does not hold exactly one organisation number",
    ]
