"""SoapUI projects: out of personas, into fixture folders, and replayed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from functional.test_cli import run_here
from unit.soapui.test_read import PROJECT

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.simulator.personas import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Gateway

CON = "{http://eviware.com/soapui/config}"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Two personas: of them all, some are slow on purpose."""
    folder = tmp_path / "people"
    folder.mkdir()
    for alias in ("inget", "arbetslos"):
        shutil.copy(FOLDER / f"{alias}.xml", folder)
    return folder


@pytest.mark.parametrize("version", CONTRACTS)
def test_an_exported_project_becomes_fixtures_that_are_answered(
    ssbtek: Gateway, people: Path, tmp_path: Path, version: str
) -> None:
    project, fixtures, url = tmp_path / "project.xml", tmp_path / "fixtures", ssbtek.at(version)
    made = ("--contract", version, "--out", project, "--url", url, "--pki", ssbtek.pki, "--personas", people)
    done = run_here("fixtures", "export-soapui", *made)
    assert (done.returncode, done.stdout) == (0, f"{project}: 2 requests\n"), done.stderr
    done = run_here("fixtures", "import-soapui", project, "--out", fixtures)
    assert done.returncode == 0, done.stderr
    assert f"    2  {url}" in done.stdout
    files = ("--ca", ssbtek.pki / "ca.pem", "--cert", ssbtek.pki / "client.pem", "--key", ssbtek.pki / "client.key")
    assert run_here("replay", fixtures, "--url", url, *files, "--update", "--yes").returncode == 0
    again = run_here("replay", fixtures, "--url", url, *files)
    assert again.returncode == 0, again.stdout
    for stored in fixtures.rglob("*.response.xml"):
        assert xmlgate.parse_own(stored.read_bytes()).find(".//{*}svarsdata/{*}AF/{*}data") is not None


@pytest.mark.parametrize("version", CONTRACTS)
def test_the_question_about_each_persona_is_valid(pki: Path, tmp_path: Path, version: str) -> None:
    project = tmp_path / "project.xml"
    made = run_here("fixtures", "export-soapui", "--contract", version, "--out", project, "--pki", pki)
    assert made.returncode == 0, made.stderr
    schema = xmlgate.schema(resources.xsd(CONTRACTS[version].xsd))
    requests = [
        call.findtext(f"{CON}request", "") for call in xmlgate.parse_own(project.read_bytes()).iter(f"{CON}call")
    ]
    assert len(requests) == len(list(FOLDER.glob("*.xml")))
    for request in requests:
        (question,) = xmlgate.parse_own(request.encode())[-1]
        schema.assertValid(question)


def test_a_project_has_a_request_per_persona_endpoint_and_certificate_set(
    pki: Path, people: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project.xml"
    urls = ("https://one.example/ssbt/11", "https://two.example/ssbt/11")
    made = ("--out", project, "--url", urls[0], "--url", urls[1], "--pki", pki, "--personas", people)
    sets = ("--cert-set", "client", "--cert-set", "bitrade")
    assert run_here("fixtures", "export-soapui", *made, *sets).returncode == 0
    root = xmlgate.parse_own(project.read_bytes())
    calls = list(root.iter(f"{CON}call"))
    asked = {(call.findtext(f"{CON}endpoint"), call.get("sslKeystore")) for call in calls}
    assert (len(calls), len({call.get("name") for call in calls})) == (8, 8)
    assert asked == {(url, keystore) for url in urls for keystore in ("client.p12", "bitrade.p12")}
    assert [one.text for one in root.iter(f"{CON}source")] == ["client.p12", "bitrade.p12"]
    # The WSDL and what it imports are in it, at the addresses that its relative imports lead to.
    parts = [part.findtext(f"{CON}url") for part in root.iter(f"{CON}part")]
    assert parts[0] == f"{urls[0]}?wsdl"
    assert {
        "https://one.example/xsd/ssbt/11/sammansatt_bastjanst.xsd",
        "https://one.example/xsd/services/so/ubps.xsd",
    } < {*parts}
    password = root.findtext(f".//{CON}crypto/{CON}password", "").encode()
    store = pkcs12.load_pkcs12((tmp_path / "client.p12").read_bytes(), password)
    assert store.cert is not None
    assert store.cert.certificate.public_bytes(Encoding.PEM) == (pki / "client.pem").read_bytes()
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("*.p12")} == {0}
    # Nothing is overwritten.
    assert run_here("fixtures", "export-soapui", *made).returncode == 2


def test_what_is_wrong_is_told(pki: Path, tmp_path: Path) -> None:
    project, out = tmp_path / "project.xml", tmp_path / "out"
    project.write_text(PROJECT.replace('name="Request 1"', 'name="../../Å 1"').replace("Groovy", "Gr\x9boovy"))
    done = run_here("fixtures", "import-soapui", project, "--out", out)
    assert done.returncode == 1
    assert "left out: SSBTEK 10 / hamtaBastjanstInformation / Gr�oovy: cannot expand ${=new Date()}, " in done.stderr
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.xml")) == [
        "SSBTEK-10/hamtaBastjanstInformation/Empty.request.xml",
        "SSBTEK-10/hamtaBastjanstInformation/Å-1.request.xml",
        "Suite/Case/Step.request.xml",
    ]
    done = run_here("fixtures", "import-soapui", project, "--out", out)
    assert (done.returncode, "File exists" in done.stderr) == (2, True)
    project.write_text("<a/>")
    done = run_here("fixtures", "import-soapui", project, "--out", tmp_path / "other")
    assert (done.returncode, "is no SoapUI project" in done.stderr) == (2, True)
    for wrong in (("--contract", "9"), ("--cert-set", "nobody"), ("--personas", tmp_path / "nowhere")):
        done = run_here("fixtures", "export-soapui", "--out", tmp_path / "new.xml", "--pki", pki, *wrong)
        assert (done.returncode, (tmp_path / "new.xml").exists()) == (2, False), done.stderr
