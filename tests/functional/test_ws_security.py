"""WS-Security over real sockets: signed questions and answers with callers, and with the agencies behind."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from harness import configuration, running_agencies, running_gateway
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier
from vectors import make, wss_cases
from vectors.wss import BODY, WSSE, Draft, Party

from ssbtek_gateway import config
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.gateway import check
from ssbtek_gateway.materials import SetupError
from ssbtek_gateway.simulator.wssecurity import Signing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Gateway

KINDS = ["client-signing", "client-signing-rsa"]
# One of each kind of attack; tests/unit/ has them all.
ATTACKS = (
    "xsw-in-header",
    "xsw-same-id",
    "xsw-in-object",
    "timestamp-wrapped",
    "signature-stripped",
    "body-not-signed",
    "body-changed",
    "signature-rsa-sha1",
    "hmac-output-length-0",
    "key-value",
    "transform-xslt",
    "references-5000",
    "expired",
    "username-token-in-security",
)


def tables(pki: Path, kind: str = "") -> tuple[str, str]:
    """What the configuration needs at its top and in each base service's table."""
    keys = (f'certificate = "{pki}/gateway-signing{kind}.pem"', f'key = "{pki}/gateway-signing{kind}.key"')
    believed = f'svar = "kravs", svar_certifikat = ["{pki}/agency-signing.pem", "{pki}/agency-signing-rsa.pem"]'
    return "\n".join(("[signering]", *keys)), f"signering = {{ {', '.join((*keys, believed))} }}"


@contextmanager
def gateway(pki: Path, folder: Path, agencies: int, kind: str = "") -> Iterator[Gateway]:
    """One that signs everything it may, and takes nothing from callers or agencies that is not signed."""
    register = 'ws_security = "kravs"\nsignerade_svar = true\nsvarsoversikt = true'
    made = tables(pki, kind)
    with running_gateway(pki, folder, agencies, *made, connected=["AF", "SO"], organisation=register) as running:
        yield running


def agency(pki: Path, kind: str = "") -> Signing:
    return Signing.load(
        pki / f"agency-signing{kind}.pem", pki / f"agency-signing{kind}.key", pki / f"gateway-signing{kind}.pem"
    )


@pytest.fixture(scope="module")
def strict(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with (
        running_agencies(pki, signing=agency(pki)) as agencies,
        gateway(pki, tmp_path_factory.mktemp("strict"), agencies) as running,
    ):
        yield running


def draft(pki: Path, kind: str = "client-signing") -> Draft:
    return Draft(Party.load(pki, kind), datetime.now(UTC).replace(microsecond=0))


def signed_by(answer: bytes, certificate: Path) -> list[str]:
    """The local names of what is signed in an answer, by a library that is not ours."""
    believed = x509.load_pem_x509_certificate(certificate.read_bytes())
    count = answer.count(b"<ds:Reference ")
    found = XMLVerifier().verify(
        answer, x509_cert=believed, expect_config=SignatureConfiguration(expect_references=count)
    )
    parts = found if isinstance(found, list) else [found]
    return [etree.QName(part.signed_xml).localname for part in parts if part.signed_xml is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_signed_on_its_whole_way(strict: Gateway, pki: Path, kind: str) -> None:
    body = BODY.replace('AF inkludera="false"', 'AF inkludera="true"')
    status, answer = strict.post(draft(pki, kind).but(body=body).sealed().encode())
    assert status == 200, answer
    assert signed_by(answer, pki / "gateway-signing.pem") == ["svarsoversikt", "Body", "Timestamp"]
    sections = etree.fromstring(answer).findall(".//{*}svarsdata/*")
    assert [(etree.QName(one).localname, one.find("{*}data") is not None) for one in sections] == [
        ("AF", True),
        ("SO", True),
    ]


def test_the_typed_contracts_overview_is_signed_with_the_rest_of_the_body(strict: Gateway, pki: Path) -> None:
    operation = "<ssbt:hamtaBastjanstInformation"
    body = BODY.replace(operation, f'{operation} xmlns:ssbt="{CONTRACTS["1"].namespace}"')
    status, answer = strict.post(draft(pki).but(body=body).sealed().encode(), version="1")
    assert status == 200, answer
    assert b"<ssbtek:oversikt>" in answer
    assert signed_by(answer, pki / "gateway-signing.pem") == ["Body", "Timestamp"]


def test_everything_is_signed_with_rsa(pki: Path, tmp_path: Path) -> None:
    with (
        running_agencies(pki, signing=agency(pki, "-rsa")) as agencies,
        gateway(pki, tmp_path, agencies, "-rsa") as strict,
    ):
        status, answer = strict.post(draft(pki, "client-signing-rsa").sealed().encode())
    assert (status, b"<oversikt:svarande" in answer) == (200, True)
    assert b'bedomning="KAN_EJ_AVGORAS"' not in answer
    assert "Body" in signed_by(answer, pki / "gateway-signing-rsa.pem")


def test_an_unsigned_question_gets_a_signed_fault(strict: Gateway, pki: Path) -> None:
    status, answer = strict.post(make.only("SO").encode())
    fault = etree.fromstring(answer).find(".//faultcode")
    assert fault is not None
    assert (status, fault.text, fault.nsmap["wsse"]) == (500, "wsse:InvalidSecurity", WSSE)
    assert signed_by(answer, pki / "gateway-signing.pem") == ["Body", "Timestamp"]


def test_who_has_no_agreement_asks_as_before(strict: Gateway) -> None:
    other = make.only("SO").replace(make.KOMMUN, "162120009994")
    status, answer = strict.post(other.encode(), who="grannkommun")
    assert status == 200
    assert b"Security" not in answer


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_end_in_the_standards_faults(strict: Gateway, pki: Path, name: str) -> None:
    flaw = wss_cases.flawed(draft(pki))[name]
    status, answer = strict.post(flaw.text.encode())
    if status != 413:
        assert (status, etree.fromstring(answer).findtext(".//faultcode")) == (500, f"wsse:{flaw.code}")
    assert make.PERSON.encode() not in answer


def test_another_organisations_signature(strict: Gateway, pki: Path) -> None:
    status, answer = strict.post(draft(pki, "grannkommun").sealed().encode())
    assert (status, b"wsse:FailedAuthentication" in answer) == (500, True)


def test_a_message_is_taken_once_also_after_a_restart_and_by_another_gateway(pki: Path, tmp_path: Path) -> None:
    message = draft(pki).sealed().encode()
    with running_agencies(pki, signing=agency(pki)) as agencies:
        with gateway(pki, tmp_path, agencies) as first, gateway(pki, tmp_path, agencies) as second:
            assert first.post(message)[0] == 200
            assert b"wsse:FailedCheck" in first.post(message)[1]
            assert b"wsse:FailedCheck" in second.post(message)[1]
        with gateway(pki, tmp_path, agencies) as again:
            assert b"wsse:FailedCheck" in again.post(message)[1]


def test_an_agency_that_does_not_sign_costs_its_section(pki: Path, tmp_path: Path, agencies: int) -> None:
    with gateway(pki, tmp_path, agencies) as strict:
        status, answer = strict.post(draft(pki).sealed().encode())
    assert status == 200
    assert etree.fromstring(answer).findtext(".//{*}SO/{*}error/{*}felkod") == "OGILTIGT_SVAR"


def test_an_agency_that_does_not_believe_us_says_so(pki: Path, tmp_path: Path) -> None:
    suspicious = replace(agency(pki), asker=Party.load(pki, "client-signing").certificate)
    with running_agencies(pki, signing=suspicious) as agencies, gateway(pki, tmp_path, agencies) as strict:
        _, answer = strict.post(draft(pki).sealed().encode())
    # The simulator's fault is not signed, so nobody can tell who said it.
    assert etree.fromstring(answer).findtext(".//{*}SO/{*}error/{*}kalla") == "SSBT"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("gateway-signing.key", "client-signing.key", r"signering: .*the key does not belong to the certificate"),
        ("gateway-signing.pem", "none.pem", r"signering: .*none\.pem: No such file"),
        ("agency-signing.pem", "audit.key", r"bastjanst\.AF\.signering: "),
    ],
)
def test_keys_that_cannot_be_used_are_found_before_anything_starts(
    pki: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = configuration(pki, tmp_path, 1, *tables(pki), connected=["AF"])
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(SetupError, match=told):
        check(config.load(path))
