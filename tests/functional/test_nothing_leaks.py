"""Canaries: what the personas are called, numbered and paid stands in no log, metric, health page, file or argument.

Every persona is asked about in both versions by a gateway in processes of its own, with all four points of the log, and
with agencies that answer well, badly, or with the number in an error text. Then everything that it left is searched.
"""

from __future__ import annotations

import http.client
import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from canaries import NUMBERS
from functional.test_processes import MANAGED, gateway, started
from harness import configuration, controlled_agencies

from ssbtek_gateway import xmlgate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.simulator import personas
from ssbtek_gateway.simulator.dates import today_in_sweden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functional.test_processes import Serving

CONNECTED = ["AF", "CSN", "SO", "TNS", "MIV", "SKV"]
SHORTEST = 5
# Words that are no one's: of the contract, and what a persona shares with the world.
NAMES = re.compile(r"fornamn|efternamn|namn|adress|konto|gata|registreringsnummer", re.IGNORECASE)


def canaries() -> set[bytes]:
    """Numbers in every spelling, and the names, addresses, accounts and vehicles that the personas have."""
    found: set[str] = set(NUMBERS)
    for path in personas.FOLDER.glob("*.xml"):
        for element in xmlgate.parse_own(path.read_bytes()).iter("{*}*"):
            text = (element.text or "").strip()
            if NAMES.search(str(element.tag).rpartition("}")[2]) and len(text) >= SHORTEST:
                found.add(text)
    return {text.encode() for text in found}


def left(running: Serving) -> Iterator[tuple[str, bytes]]:
    """Everything that a gateway at work shows or writes, and where."""
    pids = [running.process.pid, *running.pids()]
    pids += [int(child) for pid in running.pids() for child in _children(pid)]
    for pid in pids:
        for name in ("cmdline", "environ", "comm"):
            yield f"process {name}", Path(f"/proc/{pid}/{name}").read_bytes()
    for page in ("/health/ready", "/health/live", "/metrics"):
        yield page, running.health(page)[2]
    yield "log", "\n".join(json.dumps(line, ensure_ascii=False) for line in running.lines).encode()
    for path in running.config.parent.rglob("*"):
        if path.is_file() and path != running.config:
            yield path.name, path.name.encode() + b"\n" + path.read_bytes()


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


@pytest.fixture(scope="module")
def agencies(pki: Path) -> Iterator[tuple[int, int]]:
    with controlled_agencies(pki) as ports:
        yield ports


def test_no_canary_gets_out(pki: Path, tmp_path: Path, agencies: tuple[int, int]) -> None:
    searched = canaries()
    assert len(searched) >= 39
    people = [persona.person for persona in personas.load(personas.FOLDER, today_in_sweden()).values()]
    # The test's own number of AF stands in the configuration, which the operator writes.
    path = configuration(pki, tmp_path, agencies[0], f"{MANAGED}[log]\npoints = true", connected=CONNECTED)
    with started(path) as running:
        asked = gateway(running, pki)
        for version in CONTRACTS:
            for person in people:
                asked.ask(CONNECTED, person=person, version=version)
        for kind in ("fault-pnr", "other-person", "invalid", "garbage"):
            _switch(agencies[1], kind)
            asked.ask(["AF", "CSN", "MIV"], person=people[0])
        leaks = {(place, canary) for place, content in left(running) for canary in searched if canary in content}
    assert leaks == set()


def _switch(control: int, kind: str) -> None:
    for kod in ("AF", "CSN", "MIV"):
        connection = http.client.HTTPConnection("127.0.0.1", control, timeout=10)
        connection.request("PUT", f"/faults/{kod}", body=kind)
        assert connection.getresponse().status < HTTPStatus.BAD_REQUEST
        connection.close()
