"""WSS4J over Santuario, and the JDK's javax.xml.crypto: neither is libxml2, and both are what callers sign with."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conformance.clients.conversation import run
from conformance.signing.parties import KINDS, agency_answer, gateways, service, store
from external import missing, need
from vectors import make

from ssbtek_gateway.services.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.external

JARS = [Path(f"/usr/share/java/{name}.jar") for name in ("wss4j", "xmlsec", "commons-logging", "slf4j-api")]
STACKS = ("wss4j", "jdk")


@dataclass(frozen=True)
class Java:
    """The compiled program."""

    command: tuple[str, ...]

    def __call__(self, tasks: Iterable[tuple[object, ...]]) -> list[str]:
        """Its answer to each task."""
        lines = "".join("\t".join(map(str, task)) + "\n" for task in tasks)
        done = subprocess.run(
            self.command,
            input=lines,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=True,
            text=True,
        )
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Java:
    javac, program = need("javac", "default-jdk-headless"), need("java", "default-jdk-headless")
    if not all(jar.exists() for jar in JARS):
        missing("WSS4J", "apt install libwss4j-java")
    classes, libraries = tmp_path_factory.mktemp("classes"), ":".join(map(str, JARS))
    run(javac, "-encoding", "UTF-8", "-cp", libraries, "-d", classes, Path(__file__).with_name("Signing.java"))
    return Java((program, "-cp", f"{classes}:{libraries}", "Signing"))


def test_java_signs_and_verifies_with_callers_and_with_agencies(java: Java, pki: Path, tmp_path: Path) -> None:
    cases = [(stack, kind) for stack in STACKS for kind in KINDS]
    trust = store(pki, "ca", tmp_path)
    drafts = {"client": make.only("SO"), "agency": agency_answer()}
    tasks: list[tuple[object, ...]] = []
    for who, draft in drafts.items():
        (tmp_path / who).write_text(draft, encoding="utf-8")
        for stack, kind in cases:
            keys = store(pki, f"{who}-signing{kind}", tmp_path)
            tasks.append(("sign", stack, keys, tmp_path / who, tmp_path / f"{who}-{stack}{kind}"))
    for stack, kind in cases:
        outbound = tmp_path / f"outbound{kind}"
        outbound.write_bytes(asyncio.run(service(pki, kind).signed(drafts["client"].encode())))
        tasks.append(("verify", stack, trust, outbound))
    assert java(tasks) == ["signed"] * 8 + ["Body Timestamp"] * 4

    for stack, kind in cases:
        reply = Reply(200, None, (tmp_path / f"agency-{stack}{kind}").read_bytes())
        assert make.PERSON.encode() in asyncio.run(service(pki, kind).verified(reply)).body

    answers = {}
    for kind, gateway in gateways(pki, tmp_path):
        for stack in STACKS:
            status, body = gateway.post((tmp_path / f"client-{stack}{kind}").read_bytes())
            assert (status, b"<ssbt:svarsdata>" in body) == (200, True), body
            answers[tmp_path / f"answer-{stack}{kind}"] = body
            answers[tmp_path / f"changed-{stack}{kind}"] = body.replace(b"svarsdata", b"svarsdatb")
    for path, body in answers.items():
        path.write_bytes(body)
    told = java(("verify", stack, trust, path) for stack in STACKS for path in answers)
    assert told[::2] == ["svarsoversikt Body Timestamp"] * 8
    assert [line.split()[0] for line in told[1::2]] == ["FAILED"] * 8
