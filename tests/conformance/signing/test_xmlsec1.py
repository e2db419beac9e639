"""The program xmlsec1, of another release of the library than ours and told which elements have Ids."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from conformance.signing.parties import gateways, service
from external import need
from vectors.make import SOAP, only
from vectors.wss import WSU, Draft, Party

from ssbtek_gateway import oversikt

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.external


def run(*arguments: object) -> int:
    elements = (f"{WSU}:Timestamp", f"{SOAP}:Body", f"{oversikt.NAMESPACE}:svarsoversikt")
    named = [part for element in elements for part in ("--id-attr:Id", element)]
    command = (need("xmlsec1", "xmlsec1"), arguments[0], *named, *arguments[1:])
    return subprocess.run([str(part) for part in command], capture_output=True, timeout=30, check=False).returncode


def test_xmlsec1_signs_and_verifies(pki: Path, tmp_path: Path) -> None:
    for kind, gateway in gateways(pki, tmp_path):
        template, question, answer, outbound = (tmp_path / f"{name}{kind}" for name in ("t", "q", "a", "o"))
        draft = Draft(Party.load(pki, f"client-signing{kind}"), datetime.now(UTC))
        template.write_text(draft.text.replace("@digest@", "").replace("@value@", ""), encoding="utf-8")
        assert run("--sign", "--privkey-pem", pki / f"client-signing{kind}.key", "--output", question, template) == 0
        status, body = gateway.post(question.read_bytes())
        assert (status, b"<ssbt:svarsdata>" in body) == (200, True), body

        answer.write_bytes(body)
        outbound.write_bytes(asyncio.run(service(pki, kind).signed(only("SO").encode())))
        key = ("--pubkey-cert-pem", pki / f"gateway-signing{kind}.pem")
        assert [run("--verify", *key, path) for path in (answer, outbound)] == [0, 0]
        answer.write_bytes(body.replace(b"svarsdata", b"svarsdatb"))
        assert run("--verify", *key, answer) != 0
