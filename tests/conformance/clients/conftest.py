"""A gateway that clients which are not ours call, in each version of the contract."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest
from conformance.clients.conversation import KORRELATIONSID, LEFI, SECTIONS, Target, read
from harness import LAST_MONTH, Gateway, running_agencies, running_gateway
from lxml import etree

from ssbtek_gateway.contracts import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).parent
_SKV = {
    "10": '<ssbt:SKV inkludera="true"/>',
    "11": """<ssbt:SKV inkludera="true">
          <ssbt:fraga>
            <ssbt:ar>2025</ssbt:ar>
            <ssbt:foretagsinformation>true</ssbt:foretagsinformation>
            <ssbt:individuppgifter>true</ssbt:individuppgifter>
            <ssbt:skattekonto>true</ssbt:skattekonto>
            <ssbt:skatteuppgifter>true</ssbt:skatteuppgifter>
            <ssbt:beskattningsbilagor>true</ssbt:beskattningsbilagor>
          </ssbt:fraga>
        </ssbt:SKV>""",
}


@pytest.fixture(scope="session")
def ssbtek(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before a simulator that plays no faults."""
    with running_agencies(pki) as port, running_gateway(pki, tmp_path_factory.mktemp("gateway"), port) as gateway:
        yield gateway


@pytest.fixture(scope="session", params=list(_SKV))
def target(ssbtek: Gateway, request: pytest.FixtureRequest) -> Target:
    return Target(ssbtek, request.param)


@pytest.fixture(scope="session")
def messages(target: Target, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Envelopes written by hand: the connection test, the question, one that CSN cannot take, one in another's name."""
    folder = tmp_path_factory.mktemp(f"messages-{target.version}")
    values = {
        "namespace": CONTRACTS[target.version].namespace,
        "korrelationsid": escape(KORRELATIONSID),
        "from": LAST_MONTH.from_datum,
        "tom": LAST_MONTH.tom_datum,
        "lefi": base64.b64encode(LEFI.encode()).decode(),
        "skv": _SKV[target.version],
    }
    written = []
    for name, template, ingivare, arende in (
        ("test", "test.xml", "", ""),
        ("question", "question.xml", "162021004748", "TEST-1"),
        ("limited", "question.xml", "162021004748", "X" * 32),
        ("foreign", "question.xml", "162120009994", "TEST-1"),
    ):
        text = Template((_HERE / template).read_text(encoding="utf-8")).substitute(
            values, ingivare=ingivare, arende=arende
        )
        written.append(folder / f"{name}.xml")
        written[-1].write_text(text, encoding="utf-8")
    return written


@pytest.fixture(scope="session")
def said(target: Target, messages: list[Path]) -> dict[str, str]:
    """What the gateway says in the conversation, read from its XML; a tool must have understood the same."""
    answers = []
    for message in messages:
        connection = target.gateway.connection()
        connection.request("POST", CONTRACTS[target.version].path, message.read_bytes(), {"Content-Type": "text/xml"})
        answers.append(connection.getresponse().read())
        connection.close()
    said = read(*answers)
    # Worth understanding: the comparison with it shows nothing otherwise.
    assert {said[kod] for kod in SECTIONS} == {"DATA"}
    assert said["korrelationsid"] == KORRELATIONSID
    assert (said["person"], said["belopp"]) == ("191212121212", "7740.50")
    assert etree.QName(etree.fromstring(bytes.fromhex(said["csn"]))).localname == "CSNSvar"
    assert json.loads(bytes.fromhex(said["lefi"]))["utlamnare"]
    assert (said["fordon"], said["tillstand"]) == ("ABC12A XYZ987", "TIDBEGRANSAT PERMANENT")
    assert (said["fel"], said["felkod"]) == ("SSBT OGILTIG_FRAGA", "EJ_BEHORIG")
    return said
