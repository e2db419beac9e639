"""Every persona is asked about in both versions; agencies answer well, badly, or with the number in an error text.

A gateway in processes of its own answers, with all four points of the log. It is searched as every gateway of the
functional tests is (canaries.py); here is proved that there is something to find, and that it would be found.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

import canaries
import pytest
from functional.test_cli import run_here
from functional.test_processes import MANAGED, gateway, started
from harness import LAST_MONTH, configuration, controlled_agencies
from lxml import etree
from wire import read

from ssbtek_gateway.client import TEST_ASKER, Answer, Client
from ssbtek_gateway.config import KODER
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.simulator import personas
from ssbtek_gateway.simulator.dates import today_in_sweden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# They keep a gateway waiting until it gives up; that is tried elsewhere, and searched there too.
SILENT = {"fel-i-transport": {"AF", "TNS"}}
SWITCHED = ("AF", "CSN", "MIV")


@pytest.fixture(scope="module")
def agencies(pki: Path) -> Iterator[tuple[int, int]]:
    with controlled_agencies(pki) as ports:
        yield ports


def test_no_canary_gets_out_but_to_the_caller(pki: Path, tmp_path: Path, agencies: tuple[int, int]) -> None:
    people = personas.load(personas.FOLDER, today_in_sweden()).values()
    managed = MANAGED.replace("workers = 2", "workers = 1")
    path = configuration(pki, tmp_path, agencies[0], f"{managed}[log]\npoints = true")
    answered = ""
    with started(path) as running:
        for version in CONTRACTS:
            url = gateway(running, pki).at(version)
            with Client(url, pki / "ca.pem", pki / "client.pem", pki / "client.key") as client:
                for persona in people:
                    asked = set(KODER) - SILENT.get(persona.alias, set())
                    answered += told(client.ask(persona.person, LAST_MONTH, TEST_ASKER, asked))
                for kind in ("fault-pnr", "other-person", "invalid", "garbage"):
                    _switch(agencies[1], "PUT", kind)
                    client.ask(next(iter(people)).person, LAST_MONTH, TEST_ASKER, SWITCHED)
                _switch(agencies[1], "DELETE")
    assert canaries.taken() == set()
    # There was something to find: all of it has been in the gateway's hands.
    assert {word for word in canaries.WORDS if word not in answered} == set()
    assert {number for number in canaries.NUMBERS if number[2:] not in answered} == set()


def told(answer: Answer) -> str:
    """What the caller gets, also what is base64 in the message."""
    return etree.tostring(answer.envelope, encoding="unicode") + repr(answer.values)


def _switch(control: int, method: str, kind: str = "") -> None:
    for kod in SWITCHED:
        connection = http.client.HTTPConnection("127.0.0.1", control, timeout=10)
        connection.request(method, f"/faults/{kod}", body=kind)
        assert connection.getresponse().status < HTTPStatus.BAD_REQUEST
        connection.close()


@pytest.mark.parametrize("canary", sorted(canaries.WORDS | canaries.NUMBERS))
def test_a_canary_is_found(canary: str) -> None:
    for spelled in {canary, canary.replace(" ", ""), f"{canary[:-4]}-{canary[-4:]}" if canary.isdigit() else canary}:
        canaries.search("a file", b"\0" + spelled.encode() + b"\0")
        assert [found.endswith(" in a file") for found in canaries.taken()] == [True]


def _faulted(canary: str) -> None:
    read(f"HTTP/1.1 500 x\r\ncontent-length: {len(canary)}\r\n\r\n{canary}".encode())


def _started(*arguments: str, **environment: str) -> None:
    subprocess.run([sys.executable, "-c", "", *arguments], env=environment or None, check=True)


PLACES: dict[str, Callable[[str], object]] = {
    "fault": _faulted,
    "a process's arguments": _started,
    "a process's environment": lambda canary: _started(A=canary),
    "a command's arguments": lambda canary: run_here("check-config", canary),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_canary_is_found_where_it_is_told_or_given(place: str) -> None:
    PLACES[place]("Provkassan")
    assert canaries.taken() == {f"Provkassan in {place}"}
