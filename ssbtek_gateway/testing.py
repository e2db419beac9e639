"""The pytest plugin: the simulated agencies and a gateway before them, for the suite of whoever calls SSBTEK.

Real processes, real mutual TLS on free ports of 127.0.0.1, certificates and audit in pytest's temporary folders:
started once a session, when a test first wants them, and ended with it, however it ends. pytest loads this module
wherever the package is installed, so what is large is imported by the fixture that needs it. Options, in the suite's
own ini file or with `-o`:

    ssbtek_personas    a folder of personas, instead of ours (`simulate --personas`)
    ssbtek_fixtures    a folder of answers that come before the personas' (`simulate --fixtures`)
    ssbtek_today       ÅÅÅÅ-MM-DD: the day that it is for the agencies and in `ssbtek_client`'s questions. The gateway
                       has its own calendar: CSN is not asked about what lies more than two months back

Folders are relative to pytest's rootdir.
"""

from __future__ import annotations

import http.client
import re
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from ssbtek_gateway import resources
from ssbtek_gateway.background import NotStartedError, running
from ssbtek_gateway.model import PersonId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from ssbtek_gateway.client import Answer, Client

_INI = {
    "ssbtek_personas": "SSBTEK: a folder of personas, instead of those that ship",
    "ssbtek_fixtures": "SSBTEK: a folder of agencies' answers that come before the personas'",
    "ssbtek_today": "SSBTEK: the day that it is for the simulated agencies, YYYY-MM-DD",
}
_HOST = "127.0.0.1"
# The faults that one test plays must not make the gateway leave an agency alone in the next.
_NEVER = 1_000_000


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, text in _INI.items():
        parser.addini(name, text, type="string", default="")


@dataclass(frozen=True, slots=True)
class Simulator:
    """Simulated agencies that listen.

    `url` is theirs, such as https://127.0.0.1:40001, with `/af`, `/csn`, … for each. At `control`, plain HTTP, faults
    and people are switched and requests counted (docs/simulator.md). `certificates` is a folder as `dev-pki` makes it:
    the gateway's own certificate towards them is `gateway.pem`. `personas` has test numbers by alias, `today` is the
    day that their days were counted from.
    """

    url: str
    control: str
    certificates: Path
    personas: Mapping[str, str]
    today: date

    @contextmanager
    def faults(self, **played: str) -> Iterator[None]:
        """Play these while the block lasts: `with ssbtek_simulator.faults(SO="slow:3", AF="http500"):`.

        Raises `ValueError` for a base service or a fault that there is not.
        """
        with ExitStack() as stack:
            for kod, fault in played.items():
                status, told = self._send("PUT", f"/faults/{kod}", fault)
                if status != HTTPStatus.NO_CONTENT:
                    raise ValueError(told.strip())
                stack.callback(self._send, "DELETE", f"/faults/{kod}")
            yield

    def _send(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        connection = http.client.HTTPConnection(urlsplit(self.control).netloc, timeout=10)
        try:
            connection.request(method, path, body.encode())
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that listens, before the simulated agencies.

    `base` is its address without path; `documents` another, where the WSDL is to be had without client certificate.
    `ca` is the authority of its certificate; `certificate` and `key` are Testkommunen's (162021004748, aktörsid
    TEST-01), and `certificates` holds those of Testbolaget, which may ask for it (`bitrade`), and of Grannkommunen.
    `config` is its configuration, `audit` the SQLite file of its audit, `log` its log.
    """

    base: str
    documents: str
    certificates: Path
    config: Path
    audit: Path
    log: Path

    @property
    def url(self) -> str:
        """Where questions of contract version 10 go; `?wsdl` gives its WSDL."""
        return self.at("10")

    def at(self, contract: str) -> str:
        """The same of another contract version."""
        from ssbtek_gateway.contracts import CONTRACTS

        return f"{self.base}{CONTRACTS[contract].path}"

    @property
    def ca(self) -> Path:
        return self.certificates / "ca.pem"

    @property
    def certificate(self) -> Path:
        return self.certificates / "client.pem"

    @property
    def key(self) -> Path:
        return self.certificates / "client.key"


class Asking:
    """Testkommunen asks that gateway, by zeep from the published WSDL."""

    def __init__(self, gateway: Gateway, simulator: Simulator, stack: ExitStack) -> None:
        self._gateway = gateway
        self._simulator = simulator
        self._stack = stack
        self._clients: dict[str, Client] = {}

    def ask(self, who: str, bastjanster: Collection[str] = (), contract: str = "10") -> Answer:
        """Ask about a persona, by alias, or another test number, and about the last two months.

        All base services are asked unless some are given. Of the answer `sections` are elements and `values` a
        dictionary. Raises `FaultError` or `ClientError` of `ssbtek_gateway.client`.
        """
        from ssbtek_gateway.client import TEST_ASKER, Client, last_months
        from ssbtek_gateway.config import KODER

        gateway = self._gateway
        if contract not in self._clients:
            client = Client(gateway.at(contract), gateway.ca, gateway.certificate, gateway.key)
            self._clients[contract] = self._stack.enter_context(client)
        person = PersonId(self._simulator.personas.get(who, who))
        period = last_months(self._simulator.today)
        return self._clients[contract].ask(person, period, TEST_ASKER, bastjanster or KODER)


@pytest.fixture(scope="session")
def ssbtek_simulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Simulated agencies in a process of their own, the whole session: a `ssbtek_gateway.testing.Simulator`."""
    from ssbtek_gateway import devpki
    from ssbtek_gateway.simulator import personas
    from ssbtek_gateway.simulator.dates import today_in_sweden

    ini, root = request.config.getini, request.config.rootpath
    folder = tmp_path_factory.mktemp("ssbtek-simulator")
    certificates = folder / "certificates"
    devpki.write(certificates)
    port, control = _free_ports()
    people = root / ini("ssbtek_personas") if ini("ssbtek_personas") else personas.FOLDER
    arguments = ["--pki", certificates, "--port", port, "--control", control, "--personas", people]
    if ini("ssbtek_fixtures"):
        arguments += ["--fixtures", root / ini("ssbtek_fixtures")]
    if ini("ssbtek_today"):
        arguments += ["--today", ini("ssbtek_today")]
    # The control is opened last.
    with _running("the simulated agencies", ("simulate", *map(str, arguments)), control, folder / "log"):
        # The command has refused what cannot be used.
        today = date.fromisoformat(ini("ssbtek_today")) if ini("ssbtek_today") else today_in_sweden()
        numbers = {alias: one.person.reveal() for alias, one in personas.load(people, today).items()}
        yield Simulator(f"https://{_HOST}:{port}", f"http://{_HOST}:{control}", certificates, numbers, today)


@pytest.fixture(scope="session")
def ssbtek_gateway(ssbtek_simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before those agencies, the whole session: a `ssbtek_gateway.testing.Gateway` to ask at its `url`."""
    folder = tmp_path_factory.mktemp("ssbtek-gateway")
    port, documents = _free_ports()
    certificates, config, log = ssbtek_simulator.certificates, folder / "gateway.toml", folder / "log"
    places = {
        "https://127.0.0.1:8450": ssbtek_simulator.url,
        "8443": str(port),
        "8444": str(documents),
        "../certs/dev": str(certificates),
        "../run": str(folder),
    }
    config.write_text(_configured(places), encoding="utf-8")
    with _running("the gateway", ("serve", "--config", str(config)), port, log):
        yield Gateway(
            f"https://{_HOST}:{port}",
            f"https://{_HOST}:{documents}",
            certificates,
            config,
            folder / "audit.sqlite",
            log,
        )


@pytest.fixture(scope="session")
def ssbtek_client(ssbtek_gateway: Gateway, ssbtek_simulator: Simulator) -> Iterator[Asking]:
    """Who asks that gateway, the whole session: `ssbtek_client.ask("allt")`, by a persona's alias."""
    with ExitStack() as stack:
        yield Asking(ssbtek_gateway, ssbtek_simulator, stack)


def _configured(places: Mapping[str, str]) -> str:
    """The development configuration with other places in it, and base services that are asked whatever they did.

    One worker: it starts sooner, and the whole audit is in one file.
    """
    text = resources.example("development.toml").read_text(encoding="utf-8")
    text = re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], text)
    text = re.sub(r"^(\[bastjanst\..*\])$", rf"\1\nsparr_efter = {_NEVER}", text, flags=re.MULTILINE)
    return f"{text}\n[processes]\nworkers = 1\n"


@contextmanager
def _running(what: str, arguments: tuple[str, ...], port: int, log: Path) -> Iterator[None]:
    """The command; where it does not start, the test fails with what it said."""
    with log.open("wb") as stream:
        try:
            with running(what, arguments, _HOST, port, stream):
                yield
        except NotStartedError as error:
            pytest.fail(f"{error}\n{log.read_text(encoding='utf-8')}", pytrace=False)


def _free_ports() -> list[int]:
    """Two ports on which nothing listens."""
    with socket.create_server((_HOST, 0)) as one, socket.create_server((_HOST, 0)) as other:
        return [one.getsockname()[1], other.getsockname()[1]]
