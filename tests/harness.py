"""The simulator and the gateway, each on a thread and an event loop of its own, over real sockets and mutual TLS."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import canaries
import uvloop

from ssbtek_gateway import config, gateway, metrics, observe
from ssbtek_gateway.client import TEST_ASKER, Answer, Asker, Client
from ssbtek_gateway.config import KODER
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.model import Period, PersonId
from ssbtek_gateway.services.service import today
from ssbtek_gateway.simulator import server as simulator
from ssbtek_gateway.simulator.faults import parse_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
    from pathlib import Path

    from ssbtek_gateway.simulator.faults import Fault
    from ssbtek_gateway.simulator.wssecurity import Signing

START_SECONDS = 60
ALLT = PersonId("191212121212")
# What a base service's table has beside its address.
EXTRA = {
    "AF": """test = {{ personidentitet = "191212121212", organisationsnummer = "162021004748", namn = "Test" }}""",
    "FK": """test_aktorsid = "TEST-01\"""",
    "SKV": """delar_url = "https://127.0.0.1:{agencies}/skv/v11\"""",
}
LAST_MONTH = Period(today() - timedelta(days=30), today())


class Background:
    """A server coroutine on a thread of its own; `port` is what it tells once it listens."""

    def __init__(self, serve: Callable[[Callable[..., None]], Coroutine[Any, Any, None]]) -> None:
        self._serve = serve
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.ports: list[int] = []
        self.state: Callable[[], Mapping[str, Any]] = dict
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(START_SECONDS), "the server did not start"
        if self.error is not None:
            raise self.error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(START_SECONDS)
        assert not self._thread.is_alive(), "the server did not stop"

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._main())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - told to the test that started it
            self.error = error
        finally:
            self._listening.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(self._serve(self._started))
        self._stop: Callable[[], object] = task.cancel
        await task

    def _started(self, *told: Any) -> None:  # noqa: ANN401 - one server tells more than the other
        """The gateway tells its listener, its ports and what tells its state; the simulator its ports."""
        if len(told) > 1:
            listener, self.ports, self.state = told
            self._stop = lambda: setattr(listener, "should_exit", True)  # as a signal does
        else:
            (self.ports,) = told
        self._listening.set()


@dataclass(frozen=True)
class Gateway:
    """A gateway that listens: how to reach it, and where its record is."""

    port: int
    documents_port: int
    pki: Path
    audit: Path
    state: Callable[[], Mapping[str, Any]] = dict  # told by its one worker, where that runs in this process

    @property
    def url(self) -> str:
        return self.at("10")

    def at(self, version: str) -> str:
        return f"https://127.0.0.1:{self.port}{CONTRACTS[version].path}"

    def ask(
        self,
        services: Collection[str] = KODER,
        *,
        person: PersonId = ALLT,
        who: str = "client",
        asker: Asker = TEST_ASKER,
        version: str = "10",
    ) -> Answer:
        """A question by zeep from the published WSDL."""
        with Client(self.at(version), self.pki / "ca.pem", self.pki / f"{who}.pem", self.pki / f"{who}.key") as client:
            return client.ask(person, LAST_MONTH, asker, services)

    def tls(self, who: str | None = "client") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.pki / "ca.pem")
        if who is not None:
            context.load_cert_chain(self.pki / f"{who}.pem", self.pki / f"{who}.key")
        return context

    def connection(self, who: str | None = "client", port: int | None = None) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", port or self.port, context=self.tls(who), timeout=20)

    def post(self, body: bytes, who: str = "client", version: str = "10", **headers: str) -> tuple[int, bytes]:
        """Status and body of a POST to the question address."""
        connection = self.connection(who)
        try:
            described = {"Content-Type": "text/xml; charset=utf-8"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            connection.request("POST", CONTRACTS[version].path, body, described)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextmanager
def running_agencies(
    pki: Path, *faults: str, signing: Signing | None = None, fixtures: Path | None = None, **played: Fault
) -> Iterator[int]:
    """The simulator's port, with faults such as `AF=hang`, or of the test's own by code, and answers of its own."""
    with controlled_agencies(pki, *faults, signing=signing, fixtures=fixtures, **played) as (port, _):
        yield port


@contextmanager
def controlled_agencies(
    pki: Path, *faults: str, signing: Signing | None = None, fixtures: Path | None = None, **played: Fault
) -> Iterator[tuple[int, int]]:
    """The same, and the port where faults are switched."""
    settings = simulator.Settings(
        host="127.0.0.1",
        port=0,
        certificate=pki / "agency.pem",
        key=pki / "agency.key",
        client_ca=(pki / "ca.pem",),
        faults={**dict(parse_fault(fault) for fault in faults), **played},
        control=0,
        signing=signing,
        fixtures=fixtures,
    )
    with Background(lambda started: simulator.serve(settings, started)) as server:
        port, control = server.ports
        yield port, control


def configuration(
    pki: Path,
    folder: Path,
    agencies: int,
    extra: str = "",
    bastjanst: str = "",
    connected: Collection[str] = KODER,
    listen: str = "",
    organisation: str = "",
    audit: str = 'database = "audit.sqlite"',
) -> Path:
    """A configuration file in `folder`.

    `extra` goes to its top, `bastjanst` into every connected service's table, `listen` into its own,
    `organisation` into the first entry of the register, `audit` says where that is kept.
    """
    services = "\n".join(
        f"""
        [bastjanst.{kod}]
        url = "https://127.0.0.1:{agencies}/{kod.lower()}"
        authority = "{pki}/ca.pem"
        certificate = "{pki}/gateway.pem"
        key = "{pki}/gateway.key"
        {bastjanst}
        {EXTRA.get(kod, "").format(agencies=agencies)}
        """
        for kod in connected
    )
    path = folder / "gateway.toml"
    path.write_text(
        f"""
        miljo = "test"
        public_url = "https://ssbtek.example:8443"
        {extra}
        [listen]
        port = 0
        certificate = "{pki}/server.pem"
        key = "{pki}/server.key"
        client_authorities = ["{pki}/ca.pem"]
        header_seconds = 1
        {"" if "body_seconds" in listen else "body_seconds = 1"}
        {listen}
        [publish]
        port = 0
        [audit]
        {audit}
        key = "{pki}/audit.key"
        key_id = "test"
        chain_key = "{pki}/audit-chain.key"
        {services}
        [[organisation]]
        organisationsnummer = "162021004748"
        namn = "Testkommunen"
        versioner = ["10", "11", "1"]
        bastjanster = ["AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV"]
        aktorsid = ["TEST-01", "TEST-02"]
        syften = "alla"
        bitraden = ["165560000167"]
        {organisation}
        [[organisation]]
        organisationsnummer = "162120009994"
        namn = "Grannkommunen"
        versioner = ["10", "11", "1"]
        bastjanster = ["AF", "CSN", "SO", "TNS", "MIV"]
        syften = ["Handläggning av ekonomiskt bistånd"]
        """,
        encoding="utf-8",
    )
    return path


@contextmanager
def running_gateway(
    pki: Path,
    folder: Path,
    agencies: int,
    extra: str = "",
    bastjanst: str = "",
    connected: Collection[str] = KODER,
    listen: str = "",
    organisation: str = "",
    audit: str = 'database = "audit.sqlite"',
) -> Iterator[Gateway]:
    """A gateway before the simulator on port `agencies`."""
    path = configuration(pki, folder, agencies, extra, bastjanst, connected, listen, organisation, audit)
    with serving(pki, path) as running:
        yield running


@contextmanager
def serving(pki: Path, path: Path) -> Iterator[Gateway]:
    """A gateway with this configuration."""
    settings = config.load(path)
    observe.configure(four_points=settings.log.points)
    with Background(lambda started: gateway.serve(settings, started)) as server:
        port, documents_port = server.ports
        yield Gateway(port, documents_port, pki, settings.audit.database or path.with_name("nowhere"), server.state)
        canaries.search("state", repr(server.state()))
        canaries.search("metrics", metrics.exposition())
    canaries.search_files(path.parent)
