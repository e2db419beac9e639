"""Who signs with whom in these tests: key stores, a gateway that signs everything, and its side towards agencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from harness import running_agencies, running_gateway
from unit.builders import af_answer
from unit.services.harness import enveloped
from vectors.wss import Party

from ssbtek_gateway.config.signering import BastjanstSignering
from ssbtek_gateway.services.security import ServiceSecurity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Gateway

# P-256 and RSA, as the development certificates' names end.
KINDS = ("", "-rsa")
PASSWORD = b"changeit"


def store(pki: Path, name: str, folder: Path) -> Path:
    """A PKCS #12 store: the entry `signer`, or for `ca` the authority alone, trusted."""
    path = folder / f"{name}.p12"
    encryption = BestAvailableEncryption(PASSWORD)
    if name == "ca":
        authority = x509.load_pem_x509_certificate((pki / "ca.pem").read_bytes())
        trusted = [pkcs12.PKCS12Certificate(authority, b"ca")]
        path.write_bytes(pkcs12.serialize_java_truststore(trusted, encryption))
    else:
        party = Party.load(pki, name)
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(b"signer", party.key, party.certificate, None, encryption)
        )
    return path


def agency_answer() -> str:
    return enveloped(af_answer())


def service(pki: Path, kind: str) -> ServiceSecurity:
    """What signs to an agency and takes its signed answers only."""
    settings = BastjanstSignering(
        certificate=pki / f"gateway-signing{kind}.pem",
        key=pki / f"gateway-signing{kind}.key",
        svar="kravs",
        svar_certifikat=(pki / f"agency-signing{kind}.pem",),
    )
    return ServiceSecurity.load(settings)


def gateways(pki: Path, folder: Path, extra: str = "") -> Iterator[tuple[str, Gateway]]:
    """For each kind of key a gateway that signs with it and takes signed questions only, `extra` in `[signering]`."""
    register = 'ws_security = "kravs"\nsignerade_svar = true\nsvarsoversikt = true'
    with running_agencies(pki) as agencies:
        for kind in KINDS:
            own = folder / f"gateway{kind}"
            own.mkdir()
            name = f"{pki}/gateway-signing{kind}"
            top = f'[signering]\ncertificate = "{name}.pem"\nkey = "{name}.key"\n{extra}'
            with running_gateway(pki, own, agencies, top, connected=["SO"], organisation=register) as gateway:
                yield kind, gateway
