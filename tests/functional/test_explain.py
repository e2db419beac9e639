"""`explain`: what the gateway would do with a message, without a network and without the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from functional.test_cli import run_here
from harness import configuration
from vectors import make

from ssbtek_gateway.contracts import CONTRACTS

if TYPE_CHECKING:
    from pathlib import Path

# Nothing listens there, and nobody is to find out.
NOBODY = 9


@pytest.fixture
def config(pki: Path, tmp_path: Path) -> Path:
    return configuration(pki, tmp_path, NOBODY, connected=["AF", "CSN", "SO"])


def explained(config: Path, message: str, *arguments: str | Path) -> tuple[int, str]:
    request = config.parent / "request.xml"
    request.write_text(message, encoding="utf-8")
    done = run_here("explain", request, "--config", config, *arguments)
    assert make.PERSON not in done.stdout + done.stderr
    return done.returncode, " ".join(done.stdout.split())


@pytest.mark.parametrize("version", CONTRACTS)
def test_each_check_and_each_base_service(config: Path, pki: Path, version: str) -> None:
    message = make.in_version(make.TEMPLATE.encode(), CONTRACTS[version]).decode()
    code, told = explained(config, message, "--cert", pki / "client.pem")
    assert code == 0
    assert f"version │ {version} " in told
    assert f"certificate │ organisation {make.KOMMUN}" in told
    assert "AF │ would be asked at https://127.0.0.1:9/af" in told
    assert "at most 20 s, of them 5 s to connect" in told
    assert "TNS │ not asked. EJ_ANSLUTEN" in told
    assert "REFUSED" not in told


def test_a_limit_of_one_service_is_shown_where_it_applies(config: Path) -> None:
    long = make.TEMPLATE.replace("Ärende-17", "Ärende-" + "7" * 40)
    code, told = explained(config, long)
    assert code == 0
    assert "CSN │ not asked. OGILTIG_FRAGA" in told
    assert "AF │ would be asked" in told


@pytest.mark.parametrize(
    ("message", "who", "found"),
    [
        pytest.param(make.TEMPLATE, "grannkommun", "REFUSED │ EJ_BEHORIG", id="another municipality"),
        pytest.param(make.TEMPLATE, "server", "does not hold exactly one organisation number", id="no organisation"),
        pytest.param(make.TEMPLATE[:-20], "client", "REFUSED │ OGILTIGT_MEDDELANDE", id="cut off"),
        pytest.param(make.TEMPLATE.replace("ssbt/10", "ssbt/9"), "client", "OKAND_VERSION", id="another version"),
        pytest.param(make.TEMPLATE.replace(make.PERSON, "1"), "client", "REFUSED │ OGILTIG_FRAGA", id="bad number"),
    ],
)
def test_what_would_be_refused(config: Path, pki: Path, message: str, who: str, found: str) -> None:
    code, told = explained(config, message, "--cert", pki / f"{who}.pem")
    assert code == 1
    assert found in told


def test_a_file_that_cannot_be_used(config: Path) -> None:
    assert run_here("explain", config.parent / "none.xml", "--config", config).returncode == 2
    assert run_here("explain", config, "--config", config, "--cert", config).returncode == 2
