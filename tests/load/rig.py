"""What is measured and what it is measured with: the stub, the gateways, the load generator, all as processes.

`peers/setup.sh` has built what is not ours. Everything else is made anew in a folder of the run's own.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sqlite3
import ssl
import statistics
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from load import process
from pki import CLIENT, SERVER, Authority, put

from ssbtek_gateway.services.service import today

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from pki import Key

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
ANSWERS = HERE / "peers" / "answers"
WORK = Path(os.environ.get("BENCH_WORK") or PROJECT / "run" / "bench")
SECTIONS = ("AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV")
# As the peers have it: FK is REST, and a JAX-WS or npm soap of its own has nothing to do with it.
SOAP_SECTIONS = ("AF", "CSN", "SKV", "SO", "TNS", "MIV")
ORGANISATION, PERSON = "162021004748", "191212121212"
PASSWORD = b"benchbench"


class BenchError(Exception):
    """Something that is measured with does not work; nothing is told of what is measured."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificates(folder: Path, signing: Callable[[], Key] = rsa_key) -> Path:
    """One authority with RSA keys, as real ones have, its CRL, and `server`, `client`, `agency`, `gateway` by it.

    And for WS-Security `client-signing`, `agency-signing` and `gateway-signing`, with keys that `signing` makes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority("Bench", rsa_key())
    put(folder / "ca.pem", authority.pem())
    put(folder / "ca.crl", authority.crl(seconds=86_400))
    for name, usage in {"server": SERVER, "agency": SERVER, "client": CLIENT, "gateway": CLIENT}.items():
        leaf = authority.leaf(ORGANISATION, rsa_key(), usages=(usage,)).write(folder, name)
        assert isinstance(leaf.key, rsa.RSAPrivateKey)
        kept = BestAvailableEncryption(PASSWORD)
        store = pkcs12.serialize_key_and_certificates(name.encode(), leaf.key, leaf.certificate, None, kept)
        put(folder / f"{name}.p12", store)
    for name in ("client", "agency", "gateway"):
        authority.leaf(ORGANISATION, signing()).write(folder, f"{name}-signing")
    trusted = pkcs12.PKCS12Certificate(authority.certificate(), b"ca")
    put(folder / "trust.p12", pkcs12.serialize_java_truststore([trusted], BestAvailableEncryption(PASSWORD)))
    for name in ("audit.key", "audit-chain.key"):
        put(folder / name, os.urandom(32))
    return folder


def question(folder: Path, sections: Collection[str]) -> Path:
    """A file with a question that includes `sections`."""
    path = folder / "question.xml"
    path.write_text(question_text(sections), encoding="utf-8")
    return path


def question_text(sections: Collection[str]) -> str:
    """A question that includes `sections`, its number left open for the load generator."""
    last_month = {"from": str(today() - timedelta(days=30)), "tom": str(today())}
    lefi = {
        "personnummer": PERSON,
        "period": last_month,
        "formansinformation": ["FK:SJP", "FK:FP"],
        "utbetalningar": ["FK:SJP", "PM:AP"],
        "ovrigInformation": ["FK:SGI"],
    }
    asked = base64.b64encode(json.dumps(lefi).encode()).decode()
    aktorsid = "<ssbt:aktorsid>TEST-01</ssbt:aktorsid>"
    fraga = f"<ssbt:fraga>{aktorsid}<ssbt:lefiJsonFraga>{asked}</ssbt:lefiJsonFraga></ssbt:fraga>"
    included = {kod: str(kod in sections).lower() for kod in SECTIONS}
    values = {**included, **last_month, "fraga": fraga if "FK" in sections else ""}
    return Template((HERE / "peers" / "load" / "question.xml").read_text(encoding="utf-8")).substitute(values)


@dataclass(frozen=True)
class Stub:
    """The base services: where they are, and how they are told to behave."""

    port: int
    certs: Path
    tls: bool

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://localhost:{self.port}"

    def set(self, **behaviour: int | str) -> dict[str, int]:
        """Milliseconds, or `ok`, `fault`, `hang`, `garbage`, by service in small letters, or for `all`; the counts."""
        if self.tls:
            context = ssl.create_default_context(cafile=self.certs / "ca.pem")
            context.load_cert_chain(self.certs / "gateway.pem", self.certs / "gateway.key")
            connection: HTTPConnection = HTTPSConnection("localhost", self.port, context=context, timeout=10)
        else:
            connection = HTTPConnection("localhost", self.port, timeout=10)
        query = "&".join(f"{name}={value}" for name, value in behaviour.items())
        try:
            connection.request("GET", f"/set?{query}")
            told: dict[str, int] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return told


@contextmanager
def stub(folder: Path, certs: Path, *, tls: bool = False, answers: Path = ANSWERS) -> Iterator[Stub]:
    port = free_port()
    identity = [certs / "ca.pem", certs / "agency.pem", certs / "agency.key"] if tls else []
    command: list[str | Path] = [WORK / "bin" / "stub", str(port), answers, *identity]
    with process.running(command, folder / "stub.log", lambda _: accepts(port)):
        yield Stub(port, certs, tls)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Measured:
    """One run of the load generator against one gateway, times in ms."""

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float
    errors: int
    answered: int
    answer_bytes: int
    load_cpu: float
    memory: process.Memory


@dataclass(frozen=True)
class Load:
    """The load generator, asking the same question of whoever."""

    certs: Path
    question: Path
    sections: Collection[str]
    fresh: bool = False

    def run(self, url: str, *options: str) -> dict[str, Any]:
        """What it tells. Raises `BenchError` where it cannot ask at all."""
        identity = ["-A", self.certs / "ca.pem", "-C", self.certs / "client.pem", "-K", self.certs / "client.key"]
        asked = ["-u", url, "-b", self.question, "-S", ",".join(self.sections), *(["-f"] if self.fresh else [])]
        command = [WORK / "bin" / "load", *identity, *asked, *options]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
        if not done.stdout:
            raise BenchError(f"the load generator cannot ask {url}: {done.stderr}")
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def warm(self, url: str, seconds: float) -> None:
        self.run(url, "-c", "16", "-w", str(seconds))

    def measure(self, url: str, pid: int, concurrency: int, count: int) -> Measured:
        before = process.cpu_seconds(pid)
        told = self.run(url, "-c", str(concurrency), "-n", str(count))
        used = process.cpu_seconds(pid) - before
        answered = told["answered"]
        return Measured(
            told["rate"],
            told["p50"],
            told["p95"],
            told["p99"],
            1000 * used / max(answered, 1),
            told["errors"],
            answered,
            told["answer_bytes"],
            1000 * told["load_cpu"] / max(answered, 1),
            process.memory(pid),
        )


def commit_milliseconds(folder: Path, times: int = 200) -> float:
    """The median of a durable commit, of one row as long as the audit's and by the settings that it has."""
    path = folder / "commit.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (text TEXT)")
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        connection.execute("INSERT INTO row VALUES (?)", ("x" * 700,))
        taken.append(time.perf_counter() - begun)
    connection.close()
    path.unlink()
    return 1000 * statistics.median(taken)
