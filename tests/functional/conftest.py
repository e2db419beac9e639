"""A simulator and a gateway that the functional tests share."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import canaries
import pytest
from harness import Gateway, running_agencies, running_gateway
from vectors import make
from wire import Trap, Wired

from ssbtek_gateway import devpki

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


TOP = Path(__file__).parents[2]

sys.addaudithook(canaries.at_start)
http.client.HTTPConnection.response_class = canaries.Response


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Leave out what tests of other folders have started."""
    canaries.taken()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Whatever a test is about: what a gateway logs, writes or tells meanwhile holds no canary."""
    report = yield
    if report.when == "teardown":
        canaries.search("log", report.capstderr)
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if folder is not None:
            canaries.search_files(folder)
        found = canaries.taken()
        if found and report.passed:
            report.outcome = "failed"
            report.longrepr = f"leaked: {sorted(found)}"
    return report


@pytest.fixture
def capfd(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> pytest.CaptureFixture[str]:
    """pytest's own; what a test reads from it is searched like what it leaves."""
    read = capfd.readouterr

    def searched() -> object:
        got = read()
        canaries.search("log", got.err)
        return got

    monkeypatch.setattr(capfd, "readouterr", searched)
    return capfd


@pytest.fixture(scope="session")
def agencies(pki: Path) -> Iterator[int]:
    """The simulator's port; it plays no faults."""
    with running_agencies(pki) as port:
        yield port


@pytest.fixture(scope="session")
def ssbtek(pki: Path, agencies: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before that simulator."""
    with running_gateway(pki, tmp_path_factory.mktemp("gateway"), agencies) as running:
        yield running
        canaries.taken()  # of tests of other folders, perhaps
    assert canaries.taken() == set()


@pytest.fixture(scope="session")
def trap() -> Iterator[Trap]:
    """A port that nobody connects to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Trap(listening)


@pytest.fixture
def wired(ssbtek: Gateway, trap: Trap, capfd: pytest.CaptureFixture[str]) -> Wired:
    """The shared gateway, with what must hold of every exchange with it."""
    return Wired(ssbtek, capfd, trap)


@pytest.fixture
def question() -> str:
    """The envelope that the vectors are made from."""
    return make.TEMPLATE


@pytest.fixture
def unused_ports() -> list[int]:
    """Three ports on which nothing listens."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(3)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture
def unused_port(unused_ports: list[int]) -> int:
    return unused_ports[0]


@pytest.fixture
def stranger_pki(tmp_path: Path) -> Path:
    """Certificates and keys from another authority."""
    folder = tmp_path / "stranger"
    folder.mkdir()
    devpki.write(folder)
    return folder


@pytest.fixture
def stranger(stranger_pki: Path) -> Iterator[int]:
    """The port of a simulator whose certificate is from another authority."""
    with running_agencies(stranger_pki) as port:
        yield port


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for `PYTHONPATH` in which the wheel is installed, made from what is here."""
    # Not the test's own folder, in which canaries are searched for.
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # From a copy: a build leaves folders behind, and an old one must not be what is tested.
    names = subprocess.run(
        ["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the user's git
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (TOP / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((TOP / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    built = folder / "built"
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", built, source], check=True, timeout=120)
    (wheel,) = built.glob("*.whl")
    target = folder / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True, timeout=120)
    return target
