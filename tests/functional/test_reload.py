"""SIGHUP: everything is read anew by new workers, no question is lost, and what cannot be used changes nothing."""

from __future__ import annotations

import http.client
import signal
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import pki as made
import pytest
from cryptography import x509
from functional.test_certificates import QUESTION, ask, client, connected, issuer, nobody, place
from functional.test_processes import SLOW_SECONDS, Serving, started, until
from harness import Gateway, running_agencies, serving
from vectors import make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANAGED = "[management]\nport = 0\n[processes]\nworkers = 2\n"
AT_ONCE = 3
NEIGHBOUR = "162120009994"
BODIES = {"by-second": QUESTION, "neighbour": QUESTION.replace(make.KOMMUN.encode(), NEIGHBOUR.encode())}


class Reloaded(NamedTuple):
    """A gateway of two workers, and who certifies its callers."""

    serving: Serving
    gateway: Gateway
    authorities: dict[str, made.Authority]

    @property
    def folder(self) -> Path:
        return self.serving.config.parent

    def reload(self, times: int = 1, event: str = "reloaded") -> None:
        """Ask for it, again while it is being done, and wait until it has been done that often."""
        before, workers = self.count(event), self.count("listening")
        for asked in range(times):
            # Two signals at once could be one.
            until(lambda: self.count("listening") >= workers + asked)  # noqa: B023 - called at once
            self.serving.process.send_signal(signal.SIGHUP)
        until(lambda: self.count(event) >= before + times)

    def count(self, event: str) -> int:
        return sum(line["event"] == event for line in self.serving.lines)

    def asked(self, who: str, body: bytes = QUESTION) -> tuple[int, bytes]:
        with connected(self.gateway, client(self.folder, who)) as connection:
            return ask(connection, body)


@pytest.fixture(scope="module")
def reloaded(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reloaded]:
    folder = tmp_path_factory.mktemp("reloaded")
    authorities = {name: made.Authority(name) for name in ("first", "second", "third")}
    for name, authority in authorities.items():
        made.put(folder / f"{name}.pem", authority.pem())
        authority.leaf().write(folder, f"by-{name}")
    authorities["first"].leaf(NEIGHBOUR).write(folder, "neighbour")
    with running_agencies(pki, f"SO=slow:{SLOW_SECONDS / 4}") as agencies, ExitStack() as stack:
        path = place(pki, folder, agencies, issuer("first") + issuer("second"), MANAGED)
        serving = stack.enter_context(started(path))
        port, documents_port = serving.logged("listening")["ports"]
        yield Reloaded(serving, Gateway(port, documents_port, folder, folder / "audit.sqlite"), authorities)


@contextmanager
def load(at: Reloaded, who: str, *, keep: bool) -> Iterator[list[int]]:
    """Questions one after the other from several callers, over a connection each or over kept ones; their statuses."""
    statuses: list[int] = []
    failures: list[Exception] = []
    enough = threading.Event()

    def caller() -> None:
        try:
            with connected(at.gateway, client(at.folder, who)) as connection:
                while not enough.is_set():
                    statuses.append(ask(connection)[0])
                    if not keep:
                        connection.close()
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    callers = [threading.Thread(target=caller) for _ in range(AT_ONCE)]
    for one in callers:
        one.start()
    until(lambda: len(statuses) >= AT_ONCE or failures)
    yield statuses
    done = len(statuses)
    until(lambda: len(statuses) > done + AT_ONCE or failures)
    enough.set()
    for one in callers:
        one.join()
    assert failures == []


def served(at: Gateway) -> int:
    """The serial number of the certificate that callers are shown."""
    pem = ssl.get_server_certificate(("127.0.0.1", at.documents_port))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def test_all_that_changes_is_taken_and_no_question_is_lost(reloaded: Reloaded, pki: Path) -> None:
    folder, config = reloaded.folder, reloaded.serving.config
    old = config.read_text(encoding="utf-8")
    with ExitStack() as stack:
        opened = {who: stack.enter_context(connected(reloaded.gateway, client(folder, who))) for who in BODIES}
        assert [ask(opened[who], body)[0] for who, body in BODIES.items()] == [200, 200]
        with pytest.raises((ssl.SSLError, OSError)):
            reloaded.asked("by-third")
        # A new certificate and key for the server, an issuer less and one more, an organisation less.
        server = made.Authority("servers")
        leaf = server.leaf(None, usages=[made.SERVER]).write(folder, "server")
        made.put(folder / "ca.pem", (pki / "ca.pem").read_bytes() + server.pem())
        # The neighbour is the last in the register, and the issuers come after it.
        new = old[: old.rindex("[[organisation]]")] + issuer("first") + issuer("third")
        config.write_text(new, encoding="utf-8")
        workers = set(reloaded.serving.pids())
        with load(reloaded, "by-first", keep=False) as one, load(reloaded, "by-first", keep=True) as other:
            reloaded.reload(times=2)
            until(lambda: not workers & set(reloaded.serving.pids()))
        assert set(one + other) == {200}
        for who, connection in opened.items():
            # The workers that knew them are gone, and their connections with them.
            connection.auto_open = 0
            with pytest.raises((OSError, http.client.HTTPException)):
                ask(connection, BODIES[who])
    assert served(reloaded.gateway) == leaf.certificate.serial_number
    assert reloaded.asked("by-first")[0] == reloaded.asked("by-third")[0] == 200
    assert nobody(reloaded.asked("neighbour", BODIES["neighbour"]))
    with pytest.raises((ssl.SSLError, OSError)):
        reloaded.asked("by-second")


def test_a_proxy_is_listed_and_no_longer(reloaded: Reloaded) -> None:
    config, first = reloaded.serving.config, reloaded.authorities["first"]
    good = config.read_text(encoding="utf-8")
    leaf, other = first.leaf(None).write(reloaded.folder, "proxy"), first.leaf()

    def handed_on() -> tuple[int, bytes]:
        with connected(reloaded.gateway, client(reloaded.folder, "proxy")) as connection:
            return ask(connection, headers={"X-Cert": quote((reloaded.folder / "by-first.pem").read_text(), safe="")})

    assert nobody(handed_on())
    try:
        for listed, status in (([leaf, other], 200), ([other], 500)):
            peers = [made.fingerprint(one) for one in listed]
            config.write_text(f'{good}\n[proxy]\nheader = "X-Cert"\npeers = {peers}\n', encoding="utf-8")
            reloaded.reload()
            until(lambda: handed_on()[0] == status)  # noqa: B023 - called at once; an old worker may take one more
    finally:
        config.write_text(good, encoding="utf-8")


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ("text", "not TOML"),
        ("key", "listen: certificate, key or authorities: "),
        ("port", "listen, publish, proxy: another address needs a restart"),
    ],
)
def test_what_cannot_be_used_changes_nothing_and_is_told(reloaded: Reloaded, flaw: str, told: str) -> None:
    folder, config = reloaded.folder, reloaded.serving.config
    good, key, workers = (
        config.read_text(encoding="utf-8"),
        (folder / "server.key").read_bytes(),
        reloaded.serving.pids(),
    )
    try:
        if flaw == "text":
            config.write_text(good[:-20] + '"', encoding="utf-8")
        elif flaw == "key":
            made.put(folder / "server.key", key[:-40])
        else:
            config.write_text(
                good.replace("[listen]\n        port = 0", f"[listen]\nport = {reloaded.gateway.port + 1}"),
                encoding="utf-8",
            )
        reloaded.reload(event="not reloaded")
    finally:
        config.write_text(good, encoding="utf-8")
        made.put(folder / "server.key", key)
    assert any(told in line["event"] for line in reloaded.serving.lines)
    assert reloaded.serving.pids() == workers
    assert reloaded.asked("by-first")[0] == 200


def test_who_came_before_the_end_is_answered_and_told_that_it_comes(pki: Path, tmp_path: Path, agencies: int) -> None:
    first = made.Authority("first")
    made.put(tmp_path / "first.pem", first.pem())
    first.leaf().write(tmp_path, "kept")
    path = place(pki, tmp_path, agencies, issuer("first"))
    context = client(tmp_path, "kept")
    with ThreadPoolExecutor() as pool, serving(tmp_path, path) as gateway:
        kept, new = (http.client.HTTPSConnection("127.0.0.1", gateway.port, context=context) for _ in range(2))
        assert answered(kept) == (200, None)
        # Accepted, for one that came after it was, and not a byte of TLS yet.
        half = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
        with connected(gateway, context) as later:
            assert ask(later)[0] == 200

        def late() -> tuple[int, str | None]:
            until(lambda: answered(kept) == (200, "close"))
            new.sock = context.wrap_socket(half, server_hostname="127.0.0.1")
            with closing(kept), closing(new):
                return answered(new)

        told = pool.submit(late)
    assert told.result() == (200, "close")


def answered(connection: http.client.HTTPSConnection) -> tuple[int, str | None]:
    connection.request("POST", "/ssbt/10", QUESTION, {"Content-Type": "text/xml"})
    response = connection.getresponse()
    response.read()
    return response.status, response.getheader("Connection")
