"""Revocation lists as an issuer writes them, and everything that must not be taken for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ssbtek_gateway import revocation

if TYPE_CHECKING:
    from pathlib import Path

KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def issuer() -> x509.Certificate:
    own = x509.CertificateBuilder().subject_name(name("issuer")).issuer_name(name("issuer"))
    dated = own.public_key(KEY.public_key()).serial_number(2).not_valid_before(NOW).not_valid_after(NOW + HOUR)
    return dated.sign(KEY, hashes.SHA256())


def crl(
    *serials: int,
    signer: ec.EllipticCurvePrivateKey = KEY,
    by: str = "issuer",
    last: datetime = NOW,
    until: datetime = NOW + 24 * HOUR,
    extension: x509.ExtensionType | None = None,
) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(name(by)).last_update(last).next_update(until)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW)
        builder = builder.add_revoked_certificate(entry.build())
    if extension is not None:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(signer, hashes.SHA256())


def point(**parts: bool) -> x509.IssuingDistributionPoint:
    nothing: dict[str, Any] = dict.fromkeys(
        ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"), False
    )
    return x509.IssuingDistributionPoint(
        **({"full_name": None, "relative_name": None, "only_some_reasons": None} | nothing | parts)
    )


def read(folder: Path, content: bytes, longest: timedelta = 48 * HOUR) -> revocation.Revocations:
    (folder / "list.crl").write_bytes(content)
    return revocation.read(folder / "list.crl", issuer(), longest)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_list_says_who_is_revoked_and_until_when(tmp_path: Path, encoding: Encoding) -> None:
    found = read(tmp_path, crl(5, 7).public_bytes(encoding))
    assert (found.serials, found.until) == (frozenset({5, 7}), NOW + 24 * HOUR)


def test_a_list_is_not_relied_on_for_longer_than_the_operator_says(tmp_path: Path) -> None:
    assert read(tmp_path, crl().public_bytes(Encoding.PEM), HOUR).until == NOW + HOUR


def test_an_old_list_is_read_and_its_time_is_past(tmp_path: Path) -> None:
    old = crl(last=NOW - 30 * HOUR, until=NOW - HOUR)
    assert read(tmp_path, old.public_bytes(Encoding.PEM)).until == NOW - HOUR


def test_a_list_for_end_users_only_is_whole_enough(tmp_path: Path) -> None:
    found = crl(5, extension=point(only_contains_user_certs=True))
    assert read(tmp_path, found.public_bytes(Encoding.PEM)).serials == {5}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "is no certificate revocation list", id="empty"),
        pytest.param(crl(5).public_bytes(Encoding.PEM)[:-60], "is no certificate revocation list", id="half written"),
        pytest.param(crl(signer=OTHER_KEY).public_bytes(Encoding.PEM), "of this issuer", id="namesake's"),
        pytest.param(crl(by="other").public_bytes(Encoding.PEM), "of this issuer", id="another's name"),
        pytest.param(crl(last=NOW + HOUR).public_bytes(Encoding.PEM), "of the future", id="future"),
        pytest.param(crl(extension=x509.DeltaCRLIndicator(1)).public_bytes(Encoding.PEM), "only a part", id="delta"),
        pytest.param(crl(extension=point(indirect_crl=True)).public_bytes(Encoding.PEM), "only a part", id="indirect"),
        pytest.param(
            crl(extension=point(only_contains_ca_certs=True)).public_bytes(Encoding.PEM),
            "only a part",
            id="authorities",
        ),
    ],
)
def test_what_is_no_whole_list_of_this_issuer_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(tmp_path, content)
