"""`record`: a gateway whose questions become fixtures, with nobody in them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
from canaries import NUMBERS
from functional.test_cli import run_here
from harness import Background, Gateway, configuration, running_gateway

from ssbtek_gateway import xmlgate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.model import PersonId, has_check_digit
from ssbtek_gateway.recording import persons
from ssbtek_gateway.simulator import server as simulator

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def recorded(pki: Path, agencies: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `record` wrote of questions about two personas, who for once are not on the list of test numbers."""
    folder = tmp_path_factory.mktemp("record")
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, documents = one.getsockname()[1], other.getsockname()[1]
    path = configuration(pki, folder, agencies)
    text = path.read_text(encoding="utf-8").replace("port = 0", f"port = {port}", 1)
    path.write_text(text.replace("port = 0", f"port = {documents}", 1), encoding="utf-8")
    # Nobody's, for their check digits are wrong.
    numbers = [
        f"{year}01{day:02}{birth}0" for year in (1890, 1912, 1950, 1990, 2010) for day in (2, 3) for birth in (123, 124)
    ]
    (folder / "list.txt").write_text("\n".join(n for n in numbers if not has_check_digit(n[2:])), encoding="utf-8")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "ssbtek_gateway", "record", "--config", path),
            *("--out", folder / "out", "--test-numbers", folder / "list.txt"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stdout is not None
    with process.stdout, process.stderr:
        while '"listening"' not in process.stderr.readline():
            assert process.poll() is None
        gateway = Gateway(port, documents, pki, folder)
        for number in ("191212121212", "199006022397"):
            for version in CONTRACTS:
                gateway.ask(person=PersonId(number), version=version)
        process.send_signal(signal.SIGINT)
        assert "6 questions" in process.stdout.read()
        log = process.stderr.read()
    assert process.wait(20) == 0
    assert not [number for number in NUMBERS if number in log]
    return folder / "out"


def test_both_sides_are_kept_and_nobody_is_in_them(recorded: Path) -> None:
    report = json.loads((recorded / "report.json").read_text(encoding="utf-8"))
    assert report["questions"] == 6
    assert report["refused"] == {}
    assert {"personnummer", "namn", "registreringsnummer", "konto", "postort", "födelsedag"} <= set(report["replaced"])
    places = {path.parent.relative_to(recorded).as_posix() for path in recorded.rglob("*.request.*")}
    assert {
        "callers/10",
        "callers/11",
        "callers/1",
        "agencies/af",
        "agencies/fk",
        "agencies/skv/v11/skattekonto",
    } <= places
    assert len(places) == 3 + 7 + 5
    originals = {*NUMBERS, "Tolvan", "Tolvansson", "Aron", "Provsson", "ABC12A", "XYZ987", "90325", "6000 000 000 000"}
    for path in recorded.rglob("*.*"):
        content = path.read_bytes().decode()
        if ".response.xml" in path.name and path.is_relative_to(recorded / "callers"):
            # What stands in base64, read here by what we know of the contract.
            root = xmlgate.parse_own(content.encode())
            encoded = [
                *root.iter("{*}lefiJsonSvar"),
                *root.iterfind(".//{*}CSN//{*}svar"),
                *root.iterfind(".//{*}SKV//{*}data"),
            ]
            content += "".join(b64decode(leaf.text or "").decode() for leaf in encoded if not len(leaf))
        assert not [original for original in originals if original in content], path


def test_the_same_person_has_the_same_number_everywhere(recorded: Path) -> None:
    numbers = {
        path.parent.relative_to(recorded).as_posix(): {ten for _, ten in persons.find(path.read_text(encoding="utf-8"))}
        for path in recorded.rglob("0001.request.*")
        if path.parent.name != "skv"
    }
    assert len(set.union(*numbers.values())) == 1, numbers


def test_a_full_folder_and_an_empty_list_are_refused(pki: Path, tmp_path: Path) -> None:
    path = configuration(pki, tmp_path, 1)
    (tmp_path / "empty.txt").touch()
    for arguments, text in (
        (("--out", tmp_path), "is not empty"),
        (("--out", tmp_path / "out", "--test-numbers", tmp_path / "empty.txt"), "no line begins"),
    ):
        done = run_here("record", "--config", path, *arguments)
        assert (done.returncode, text in done.stderr) == (2, True), done.stderr


def test_the_recorded_answers_come_again_from_the_recorded_agencies(pki: Path, recorded: Path, tmp_path: Path) -> None:
    settings = simulator.Settings(
        "127.0.0.1", 0, pki / "agency.pem", pki / "agency.key", (pki / "ca.pem",), fixtures=recorded / "agencies"
    )
    files = ("--ca", pki / "ca.pem", "--cert", pki / "client.pem", "--key", pki / "client.key")
    with (
        Background(lambda started: simulator.serve(settings, started)) as server,
        running_gateway(pki, tmp_path, server.ports[0]) as gateway,
    ):
        done = [run_here("replay", recorded / f"callers/{v}", "--url", gateway.at(v), *files) for v in CONTRACTS]
    assert [one.returncode for one in done] == [0, 0, 0], [one.stdout for one in done]
