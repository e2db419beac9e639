"""The gateways that are measured: ours as it runs in production, and the peers."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from load import process
from load.rig import ORGANISATION, SECTIONS, WORK, accepts, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from load.rig import Stub


@dataclass(frozen=True)
class Gateway:
    """One that listens: where to ask, and the process that all others of it descend from."""

    url: str
    pid: int


@dataclass(frozen=True)
class Setting:
    """What a measurement changes in ours: lines in those tables, the asker's in the register, and whole tables."""

    workers: int = 2
    listen: str = ""
    limits: str = ""
    bastjanst: Mapping[str, str] = field(default_factory=dict)
    """By code."""
    organisation: str = ""
    extra: str = ""


PRODUCTION = Setting()


def configuration(folder: Path, stub: Stub, port: int, setting: Setting) -> Path:
    """As examples/production.toml, but for addresses; `miljo` is another where base services speak plain HTTP."""
    certs = stub.certs
    reached = "\n".join(
        f"""
        [bastjanst.{kod}]
        url = "{stub.url}/{kod.lower()}"
        {"" if stub.tls else "allow_plain_http = true"}
        authority = "{certs}/ca.pem"
        certificate = "{certs}/gateway.pem"
        key = "{certs}/gateway.key"
        {setting.bastjanst.get(kod, "")}
        """
        for kod in SECTIONS
    )
    path = folder / "gateway.toml"
    path.write_text(
        f"""
        miljo = "{"produktion" if stub.tls else "test"}"
        public_url = "https://ssbtek.example:8443"
        [listen]
        port = {port}
        certificate = "{certs}/server.pem"
        key = "{certs}/server.key"
        {setting.listen}
        [limits]
        {setting.limits}
        [[utfardare]]
        namn = "Bench"
        certifikat = "{certs}/ca.pem"
        attribut = "serialNumber"
        monster = "16([0-9]{{10}})"
        crl = "{certs}/ca.crl"
        [processes]
        workers = {setting.workers}
        [management]
        port = 0
        [regler]
        kontrollsiffra = "krav"
        [audit]
        database = "audit.sqlite"
        key = "{certs}/audit.key"
        key_id = "bench"
        chain_key = "{certs}/audit-chain.key"
        heads = "heads"
        {reached}
        {setting.extra}
        [[organisation]]
        organisationsnummer = "{ORGANISATION}"
        namn = "Testkommunen"
        versioner = ["10", "11", "1"]
        bastjanster = {list(SECTIONS)}
        aktorsid = ["TEST-01"]
        syften = ["Handläggning av ekonomiskt bistånd"]
        {setting.organisation}
        """,
        encoding="utf-8",
    )
    return path


@contextmanager
def ours(folder: Path, stub: Stub, setting: Setting = PRODUCTION) -> Iterator[Gateway]:
    """Supervisor and workers; audit, metrics and log go where they go in production, that is to disk."""
    port = free_port()
    (folder / "heads").mkdir(exist_ok=True)
    config = configuration(folder, stub, port, setting)
    command: list[str | Path] = [sys.executable, "-m", "ssbtek_gateway", "serve", "--config", config]
    with process.running(command, folder / "ours.log", lambda log: log.count('"listening"') == setting.workers) as pid:
        yield Gateway(f"https://localhost:{port}/ssbt/10", pid)


@contextmanager
def _peer(name: str, command: list[str | Path], folder: Path, stub: Stub, **env: str) -> Iterator[Gateway]:
    port = free_port()
    contract = dict(word.split("=", 1) for word in shlex.split((WORK / "contract.env").read_text(encoding="utf-8")))
    told = {**contract, "PORT": str(port), "UPSTREAM": stub.url, "CERTS": str(stub.certs), **env}
    with process.running(command, folder / f"{name}.log", lambda _: accepts(port), told, WORK) as pid:
        yield Gateway(f"https://localhost:{port}/ssbtek", pid)


@contextmanager
def java(folder: Path, stub: Stub) -> Iterator[Gateway]:
    jars = (WORK / "java" / "classpath.txt").read_text(encoding="utf-8").strip()
    settings = ["-Xms256m", "-Xmx1g", "-Dhttp.maxConnections=500", "-Dsun.net.httpserver.nodelay=true"]
    command: list[str | Path] = ["java", *settings, "-cp", f"java/classes:{jars}", "Gateway"]
    with _peer("java-jaxws", command, folder, stub) as gateway:
        yield gateway


@contextmanager
def node(mode: str, folder: Path, stub: Stub) -> Iterator[Gateway]:
    command: list[str | Path] = ["node", "node/gateway.mjs"]
    with _peer(f"node-{mode}", command, folder, stub, NODE_MODE=mode, NODE_WORKERS="2") as gateway:
        yield gateway


# How each is started, and the seconds for which it is warmed up.
GATEWAYS: Mapping[str, tuple[Callable[[Path, Stub], AbstractContextManager[Gateway]], float]] = {
    "ours": (ours, 5),
    "java-jaxws": (java, 30),
    "node-soap": (partial(node, "soap"), 5),
    "node-tuned": (partial(node, "tuned"), 5),
}
