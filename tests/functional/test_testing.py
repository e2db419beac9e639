"""The pytest plugin as a supplier uses it: the installed wheel, and a folder with nothing but their own tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from functional.test_cli import run_here
from harness import START_SECONDS

# A system of theirs, which knows SSBTEK by an address and three files.
SUITE = """
import json
import ssl
import urllib.request

from ssbtek_gateway.client import has_data

def test_three_lines(ssbtek_client):
    answer = ssbtek_client.ask("allt")
    assert [has_data(section) for section in answer.sections] == [True] * 7
    assert has_data(ssbtek_client.ask("allt", ["SKV"], contract="11").sections[0])

def test_their_own_system(ssbtek_gateway):
    trust = ssl.create_default_context(cafile=ssbtek_gateway.ca)
    documents = f"{ssbtek_gateway.documents}/ssbt/11?wsdl"
    with urllib.request.urlopen(documents, context=trust, timeout=10) as answered:
        assert ssbtek_gateway.at("11") in answered.read().decode()
    trust.load_cert_chain(ssbtek_gateway.certificate, ssbtek_gateway.key)
    with urllib.request.urlopen(f"{ssbtek_gateway.url}?wsdl", context=trust, timeout=10) as answered:
        assert ssbtek_gateway.url in answered.read().decode()
    assert ssbtek_gateway.audit.exists()

def test_a_fault_lasts_as_long_as_its_block(ssbtek_client, ssbtek_simulator):
    for _ in range(6):  # more than after which an agency is left alone
        with ssbtek_simulator.faults(SO="close"):
            assert not has_data(ssbtek_client.ask("allt", ["SO"]).sections[0])
    assert has_data(ssbtek_client.ask(ssbtek_simulator.personas["allt"], ["SO"]).sections[0])
    with urllib.request.urlopen(f"{ssbtek_simulator.control}/asked", timeout=10) as told:
        assert json.load(told)["SO"] >= 7

def test_a_fault_that_there_is_not(ssbtek_simulator):
    try:
        with ssbtek_simulator.faults(SO="hang", AF="hungry"):
            assert False
    except ValueError as error:
        assert "hungry" in str(error)
    with urllib.request.urlopen(f"{ssbtek_simulator.control}/faults", timeout=10) as told:
        assert json.load(told) == {}
"""
OWN_PEOPLE = """
import datetime

def test_their_people_at_their_time(ssbtek_simulator, ssbtek_client):
    assert set(ssbtek_simulator.personas) == {"anna"}
    assert ssbtek_simulator.today == datetime.date(2020, 1, 31)
    (section,) = ssbtek_client.ask("anna", ["SO"]).sections
    assert "2020-01-" in "".join(section.itertext())
"""
KILLED = """
import os

def test_it_is_killed(ssbtek_gateway):
    os.kill(os.getpid(), 9)
"""


def pytest_in(folder: Path, installed: Path, suite: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of the suite, with everything that it makes in `folder`."""
    (folder / "test_ours.py").write_text(suite, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [
            *(sys.executable, "-P", "-m", "pytest", "--quiet", "-W", "error", "-p", "no:cacheprovider"),
            *(f"--basetemp={folder / 'made'}", *options, "test_ours.py"),
        ],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def left(folder: Path) -> list[str]:
    """Processes that were started with something in that folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode()
        except OSError:
            continue  # it has ended
        if str(folder) in command:
            found.append(command.replace("\0", " "))
    return found


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Not the test's own folder, in which canaries are searched for: there are personas here.
    return tmp_path_factory.mktemp("supplier")


def test_a_suppliers_suite_starts_it_all_and_leaves_nothing(folder: Path, installed: Path) -> None:
    done = pytest_in(folder, installed, SUITE)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("4 passed in ")
    assert "warning" not in done.stdout
    assert done.stderr == ""
    assert left(folder) == []


def test_people_and_the_day_are_the_suppliers(folder: Path, installed: Path) -> None:
    assert run_here("personas", "new", "anna", "--out", folder / "people", "--like", "allt").returncode == 0
    (folder / "pytest.ini").write_text("[pytest]\nssbtek_personas = people\n", encoding="utf-8")
    done = pytest_in(folder, installed, OWN_PEOPLE, "-o", "ssbtek_today=2020-01-31")
    assert done.returncode == 0, done.stdout


def test_what_cannot_be_used_is_told_with_file_and_rule(folder: Path, installed: Path) -> None:
    (folder / "answers" / "so").mkdir(parents=True)
    for part in ("request", "response"):
        (folder / "answers" / "so" / f"one.{part}.xml").write_text("<not XML", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nssbtek_fixtures = answers\n", encoding="utf-8")
    done = pytest_in(folder, installed, SUITE)
    assert done.returncode == 1
    assert f"{folder}/answers/so/one.request.xml:1: not well-formed XML" in done.stdout
    assert "Traceback" not in done.stdout
    assert left(folder) == []


def test_a_run_that_is_killed_leaves_nothing(folder: Path, installed: Path) -> None:
    assert pytest_in(folder, installed, KILLED).returncode == -signal.SIGKILL
    assert (folder / "made" / "ssbtek-gateway0" / "audit.sqlite").exists()
    deadline = time.monotonic() + START_SECONDS
    while left(folder):
        assert time.monotonic() < deadline
        time.sleep(0.05)
