"""Signed messages: which are believed, what is then read of them, and that whatever is wrong has its fault code."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, timedelta
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from unit.wssecurity.signers import CLIENT, DAY, NOW, Authority, ec_key, for_purpose, rsa_key, usage
from vectors import wss_cases
from vectors.make import PERSON
from vectors.wss import BODY, OTHER, Draft, Party, stamp

from ssbtek_gateway import xmlgate
from ssbtek_gateway.wssecurity import trust
from ssbtek_gateway.wssecurity import verify as verification
from ssbtek_gateway.wssecurity.names import SecurityError
from ssbtek_gateway.wssecurity.timestamp import Window
from ssbtek_gateway.wssecurity.verify import Verified
from ssbtek_gateway.wssecurity.verify import verify as verify_element

if TYPE_CHECKING:
    from ssbtek_gateway.wssecurity.trust import Trust

AUTHORITY = Authority()
EC, RSA = AUTHORITY.issue(), AUTHORITY.issue(key=rsa_key())
SOUND = {
    f"{kind}-{name}": text
    for kind, signer in (("ec", EC), ("rsa", RSA))
    for name, text in wss_cases.sound(Draft(signer, NOW)).items()
}
# What is wrong with most has nothing to do with the kind of key.
FLAWED = wss_cases.flawed(Draft(EC, NOW)) | {
    f"rsa-{name}": flaw
    for name, flaw in wss_cases.flawed(Draft(RSA, NOW)).items()
    if name.startswith(("signature-", "hmac-", "value-", "body-changed"))
}
LONGEST_SECONDS = 3


def anybody(_certificate: x509.Certificate) -> None:
    """Believes."""


def verify(text: str, window: Window = Window(clock=lambda: NOW), believed: Trust = anybody) -> Verified:  # noqa: B008
    return verify_element(xmlgate.parse_agency(text.encode(), None), window, believed)


def refused(text: str, window: Window = Window(clock=lambda: NOW), believed: Trust = anybody) -> SecurityError:  # noqa: B008
    with pytest.raises(SecurityError) as caught:
        verify(text, window, believed)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_message_is_believed_and_its_body_read(name: str) -> None:
    verified = verify(SOUND[name])
    assert f"{PERSON}<".encode() in verified.body


@pytest.mark.parametrize("name", FLAWED)
def test_a_flawed_message_is_refused_at_once(name: str) -> None:
    started = monotonic()
    error = refused(FLAWED[name].text)
    assert error.code == FLAWED[name].code
    assert monotonic() - started < LONGEST_SECONDS


def test_the_cases_are_what_they_say() -> None:
    assert len(FLAWED) > 150
    assert len({flaw.text for flaw in FLAWED.values()}) == len(FLAWED)
    assert all(OTHER in flaw.text for name, flaw in FLAWED.items() if name.startswith("xsw"))


def test_a_message_expires_when_its_timestamp_says() -> None:
    text = Draft(EC, NOW).sealed()
    assert verify(text).expires == NOW + timedelta(minutes=5)
    assert refused(text, Window(clock=lambda: NOW + timedelta(minutes=5))).code == "MessageExpired"
    assert verify(text, Window(clock=lambda: NOW + timedelta(seconds=299)))


def test_the_window_is_the_operators() -> None:
    narrow = Window(timedelta(seconds=60), timedelta(seconds=10), lambda: NOW)
    created, expires = stamp(NOW + timedelta(seconds=30)), stamp(NOW + timedelta(seconds=50))
    long, early = Draft(EC, NOW), Draft(EC, NOW).but(created=created, expires=expires)
    assert verify(long.sealed())
    assert verify(early.sealed())
    assert "too long" in refused(long.sealed(), narrow).reason
    assert "from the future" in refused(early.sealed(), narrow).reason


def _by_sha_1(party: Party) -> Party:
    """`party` with a certificate that says it is signed by SHA-1, which the library signs no more."""
    sha_256, sha_1 = (bytes.fromhex(f"06092a864886f70d0101{last}0500") for last in ("0b", "05"))
    assert party.der.count(sha_256) == 2
    return Party(x509.load_der_x509_certificate(party.der.replace(sha_256, sha_1)), party.key)


UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00")
SIGNERS: dict[str, tuple[Party, str]] = {
    "expired": (AUTHORITY.issue(begins=NOW - 2 * DAY, ends=NOW - DAY), "FailedAuthentication"),
    "not-yet-valid": (AUTHORITY.issue(begins=NOW + DAY, ends=NOW + 2 * DAY), "FailedAuthentication"),
    "an-authority-itself": (
        AUTHORITY.issue(extensions=((x509.BasicConstraints(ca=True, path_length=0), True),)),
        "FailedAuthentication",
    ),
    "for-servers": (
        AUTHORITY.issue(extensions=((for_purpose(ExtendedKeyUsageOID.SERVER_AUTH), False),)),
        "FailedAuthentication",
    ),
    "for-mail": (
        AUTHORITY.issue(extensions=((for_purpose(ExtendedKeyUsageOID.EMAIL_PROTECTION), False),)),
        "FailedAuthentication",
    ),
    "for-encryption": (AUTHORITY.issue(extensions=((usage(sign=False), True),)), "FailedAuthentication"),
    "critical-and-unknown": (AUTHORITY.issue(extensions=(*CLIENT, (UNKNOWN, True))), "FailedAuthentication"),
    "rsa-1024": (AUTHORITY.issue(key=rsa_key(1024)), "InvalidSecurityToken"),
    "p-521": (AUTHORITY.issue(key=ec_key(ec.SECP521R1())), "InvalidSecurityToken"),
    "sha-1": (_by_sha_1(Authority(key=rsa_key()).issue()), "InvalidSecurityToken"),
}
FIT = {
    "without-extensions": AUTHORITY.issue(extensions=()),
    "unknown-and-not-critical": AUTHORITY.issue(extensions=(*CLIENT, (UNKNOWN, False))),
    "for-documents": AUTHORITY.issue(extensions=((for_purpose(ObjectIdentifier("1.3.6.1.5.5.7.3.36")), False),)),
    "p-384": AUTHORITY.issue(key=ec_key(ec.SECP384R1())),
}


@pytest.mark.parametrize("name", SIGNERS)
def test_a_signer_that_is_not_believed(name: str) -> None:
    signer, code = SIGNERS[name]
    assert refused(Draft(signer, NOW).sealed()).code == code


@pytest.mark.parametrize("name", FIT)
def test_a_signer_that_is_believed(name: str) -> None:
    assert verify(Draft(FIT[name], NOW).sealed())


def test_another_signers_key_under_this_certificate() -> None:
    stolen = Party(EC.certificate, ec_key())
    assert refused(Draft(stolen, NOW).sealed()).code == "FailedCheck"


def test_configured_certificates_only() -> None:
    text = Draft(EC, NOW).sealed()
    assert verify(text, believed=trust.one_of([RSA.certificate, EC.certificate]))
    for configured in ([RSA.certificate], []):
        assert refused(text, believed=trust.one_of(configured)).code == "FailedAuthentication"


def test_what_stands_beside_the_signed_is_not_read() -> None:
    # A comment is not signed, and a prefix that only a value uses may be declared anew around what is.
    text = Draft(EC, NOW).sealed()
    remarked = text.replace(f">{PERSON}<", f">1912<!-- -->{PERSON[4:]}<")
    assert remarked != text
    assert verify(remarked).body == verify(text).body
    typed = BODY.replace("<ssbt:AF", '<ssbt:AF xmlns:xsi="urn:xsi" xsi:type="q:T"')
    declared = Draft(EC, NOW).but(body=typed).sealed().replace("<soapenv:Envelope", '<soapenv:Envelope xmlns:q="urn:b"')
    assert b"urn:b" not in verify(declared).body


def test_the_digests_are_computed_over_what_is_read_whatever_the_library_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_check_signature", lambda *_: None)
    assert verify(Draft(EC, NOW).sealed())
    for name in ("body-changed", "timestamp-changed", "digest-changed"):
        assert refused(FLAWED[name].text).reason == "the Body or the Timestamp is not what was signed"


def test_an_instruction_is_signed_too() -> None:
    text = Draft(EC, NOW).sealed()
    assert refused(text.replace(f">{PERSON}<", f">1912<?x?>{PERSON[4:]}<")).code == "FailedCheck"


def test_the_mark_is_the_messages_not_the_signatures() -> None:
    draft = Draft(EC, NOW)
    one, again = (verify(draft.sealed()) for _ in range(2))
    # ECDSA signs differently each time, and anybody can turn one signature into another.
    assert one.mark == again.mark
    assert len(one.mark) == 64
    others = (draft.but(created=stamp(NOW - timedelta(seconds=1)), expires=stamp(NOW + DAY / 1440)), Draft(RSA, NOW))
    assert one.mark not in {verify(other.sealed()).mark for other in others}


def test_times_are_utc() -> None:
    assert verify(Draft(EC, NOW).sealed()).expires.tzinfo is UTC


WHOLE = Draft(EC, NOW).sealed().encode()
PLACES = st.integers(0, len(WHOLE))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PLACES, PLACES, PLACES, st.one_of(st.binary(max_size=8), st.just(WHOLE), st.just(BODY.encode())))
def test_no_change_to_a_message_changes_what_is_read(start: int, length: int, source: int, new: bytes) -> None:
    # A piece replaced by something else, or by another piece of the message.
    pieces = [new, WHOLE[source : source + length % 300]]
    for piece in pieces:
        changed = WHOLE[:start] + piece + WHOLE[start + length % 300 :]
        try:
            verified = verify_element(xmlgate.parse_agency(changed, None), Window(clock=lambda: NOW), anybody)
        except (SecurityError, xmlgate.XmlError):
            continue
        assert verified.body == verify(WHOLE.decode()).body


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(EC.der)), st.integers(0, 3), st.binary(max_size=3))
@example(15, 2, b"\x80\x00")
def test_whatever_stands_for_a_certificate_is_read_or_refused(place: int, length: int, new: bytes) -> None:
    with suppress(SecurityError):
        trust.read(EC.der[:place] + new + EC.der[place + length :], NOW)
