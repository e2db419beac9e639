"""Which certificates of a configuration are told to expire, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from harness import configuration

from ssbtek_gateway import certificates, config

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AHEAD = timedelta(days=30)


@pytest.mark.parametrize(
    ("expires", "told"),
    [
        (NOW + AHEAD + timedelta(seconds=1), []),
        (NOW + AHEAD, ["listen.certificate (server.pem) expires 2026-12-23T12:00:00Z"]),
        (NOW, ["listen.certificate (server.pem) expired 2026-11-23T12:00:00Z"]),
        (None, ["listen.certificate (server.pem): cannot tell when it expires"]),
    ],
)
def test_a_warning_comes_before_and_says_in_words_when_it_is_too_late(
    expires: datetime | None, told: list[str]
) -> None:
    assert certificates.warnings({"listen.certificate (server.pem)": expires}, NOW, AHEAD) == told


def test_every_file_is_looked_at_once_and_the_first_to_expire_in_it_counts(pki: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    # The leaf was issued after the authority, to last as long.
    bundle.write_bytes((pki / "server.pem").read_bytes() + (pki / "ca.pem").read_bytes())
    (tmp_path / "odd.pem").write_text("odd", encoding="utf-8")
    path = configuration(pki, tmp_path, 1, connected=["AF", "SO"])
    text = path.read_text(encoding="utf-8").replace(f'"{pki}/server.pem"', f'"{bundle}"')
    path.write_text(text.replace(f'authority = "{pki}/ca.pem"', f'authority = "{tmp_path}/odd.pem"'), encoding="utf-8")
    found = certificates.expiries(config.load(path))
    assert list(found) == [
        "listen.certificate (bundle.pem)",
        "listen.client_authorities (ca.pem)",
        "bastjanst.AF.certificate (gateway.pem)",
        "bastjanst.AF.authority (odd.pem)",
    ]
    assert found["listen.certificate (bundle.pem)"] == found["listen.client_authorities (ca.pem)"]
    assert found["bastjanst.AF.authority (odd.pem)"] is None


def test_signing_certificates_are_looked_at_too(pki: Path, tmp_path: Path) -> None:
    keys = f'certificate = "{pki}/gateway-signing.pem"\nkey = "{pki}/gateway-signing.key"'
    own = f'{", ".join(keys.splitlines())}, svar = "kravs", svar_certifikat = ["{pki}/agency-signing.pem"]'
    path = configuration(
        pki, tmp_path, 1, extra=f"[signering]\n{keys}", bastjanst=f"signering = {{ {own} }}", connected=["AF"]
    )
    found = certificates.expiries(config.load(path))
    assert "signering.certificate (gateway-signing.pem)" in found
    assert "bastjanst.AF.signering.svar_certifikat (agency-signing.pem)" in found
