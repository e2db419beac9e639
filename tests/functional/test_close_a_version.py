"""docs/operate/close-a-version.md rehearsed: announced, watched, closed. And maintenance of the whole gateway."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functional.test_question import rows
from harness import running_gateway
from typer.testing import CliRunner
from vectors import make

from ssbtek_gateway import cli, xmlgate
from ssbtek_gateway.client import TEST_ASKER, FaultError
from ssbtek_gateway.config.calendar import SWEDEN
from ssbtek_gateway.services.service import today

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from harness import Gateway

KOMMUN, GRANNKOMMUN, BITRADE = make.KOMMUN, "162120009994", make.BITRADE
NEIGHBOUR = replace(TEST_ASKER, organisationsnummer=GRANNKOMMUN, namn="Grannkommunen")
OPEN = {"who": "grannkommun", "asker": NEIGHBOUR, "version": "11"}
TO_CLOSE = {**OPEN, "version": "10"}


def refusal(gateway: Gateway, **question: Any) -> str:  # noqa: ANN401 - what Gateway.ask takes
    """`felkod` and texts of the fault; empty where the question was answered."""
    try:
        gateway.ask(["SO"], **question)
    except FaultError as fault:
        return str(fault)
    return ""


def command(*arguments: str | Path) -> str:
    """What a command of ours prints."""
    done = CliRunner().invoke(cli.app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done.stdout


def printed(config: Path, *arguments: str) -> list[tuple[str, ...]]:
    """Organisation, supplier, version, questions, refused, and whether it must move."""
    done = command("usage", "--config", config, "--output", "csv", *arguments)
    names = ("organisation", "bitrade", "version", "fragor", "nekade", "maste_byta")
    return [tuple(line[name] for name in names) for line in csv.DictReader(done.splitlines())]


def test_a_version_is_announced_watched_and_closed(
    pki: Path, tmp_path: Path, agencies: int, capfd: pytest.CaptureFixture[str]
) -> None:
    last_day, config = today() + timedelta(days=30), tmp_path / "gateway.toml"
    closes = f'[versioner."10"]\nstanger = {last_day}\n'
    with running_gateway(pki, tmp_path, agencies, closes, organisation="svarsoversikt = true") as gateway:
        for version, stanger in (("10", str(last_day)), ("11", None)):
            oversikt = gateway.ask(["SO"], version=version).envelope.find(".//{*}svarsoversikt")
            assert oversikt is not None
            assert oversikt.get("stanger") == stanger
        logged = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "version closes" in line]
        assert [(line["version"], line["last_day"], line["days"]) for line in logged] == [("10", str(last_day), 30)]
        assert [refusal(gateway, **TO_CLOSE) for _ in range(2)] == ["", ""]
        assert gateway.post(make.only("SO").encode(), "bitrade")[0] == 200
        assert gateway.state()["warnings"] == [f"version 10 closes after {last_day}, in 30 days"]
        told = command("check-config", "--config", config)
        assert f"warning        version 10 closes after {last_day}, in 30 days" in told
        assert printed(config) == [
            (KOMMUN, "", "10", "1", "0", ""),
            (KOMMUN, "", "11", "1", "0", ""),
            (KOMMUN, BITRADE, "10", "1", "0", ""),
            (GRANNKOMMUN, "", "10", "2", "0", "ja"),
        ]
        assert refusal(gateway, **OPEN) == ""
        assert printed(config, "--version", "11")[1] == (GRANNKOMMUN, "", "11", "1", "0", "")

    last_day = today() - timedelta(days=1)
    closes = f'[versioner."10"]\nstanger = {last_day}\n'
    with running_gateway(pki, tmp_path, agencies, closes) as gateway:
        fault = refusal(gateway, **TO_CLOSE)
        assert fault.startswith("STANGD_VERSION: ")
        assert f"Version 10 besvarades till och med {last_day}. Version 11 är öppen." in fault
        assert refusal(gateway, **OPEN) == ""
        denied = rows(gateway)[-3]
        assert (denied["handelse"], denied["version"], denied["felkod"]) == ("NEKAD", "10", "STANGD_VERSION")
        with closing(gateway.connection(None, gateway.documents_port)) as connection:
            connection.request("GET", "/ssbt/10?wsdl")
            assert connection.getresponse().status == 200
        assert printed(config, "--version", "10", "--since", str(last_day))[1:] == [
            (KOMMUN, BITRADE, "10", "1", "0", ""),
            (GRANNKOMMUN, "", "10", "2", "1", ""),
        ]


def test_in_announced_maintenance_every_question_is_refused_until_it_ends(
    pki: Path, tmp_path: Path, agencies: int
) -> None:
    now = datetime.now(SWEDEN)
    window = f"fran = {(now - timedelta(hours=1)).isoformat()}, till = {(now + timedelta(hours=3)).isoformat()}"
    with (
        running_gateway(pki, tmp_path, agencies, f"underhall = [{{ {window} }}]") as gateway,
        closing(gateway.connection()) as connection,
    ):
        for version in ("10", "11"):
            question = make.only("SO").replace("ssbt/10", f"ssbt/{version}").encode()
            connection.request("POST", f"/ssbt/{version}", question, {"Content-Type": "text/xml"})
            response = connection.getresponse()
            fault = xmlgate.parse_agency(response.read(), None)
            assert (response.status, response.getheader("Retry-After")) == (500, "3600")
            assert fault.findtext(".//{*}felkod") == "UNDERHALL"
        assert [(row["handelse"], row["version"], row["felkod"]) for row in rows(gateway)] == [
            ("NEKAD", "10", "UNDERHALL"),
            ("NEKAD", "11", "UNDERHALL"),
        ]
