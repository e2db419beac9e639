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
from ssbtek_gateway.json_xml import w3c

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).parent
_DELAR = ("foretagsinformation", "individuppgifter", "skattekonto", "skatteuppgifter", "beskattningsbilagor")
_PARTS = (
    f"<ssbt:fraga><ssbt:ar>2025</ssbt:ar>{''.join(f'<ssbt:{name}>true</ssbt:{name}>' for name in _DELAR)}</ssbt:fraga>"
)
_SKV = {"10": "", "11": _PARTS, "1": _PARTS}
_JSON = f"<ssbt:lefiJsonFraga>{base64.b64encode(LEFI.encode()).decode()}</ssbt:lefiJsonFraga>"
_KODER = """<ssbt:formansinformation>FK:SJP</ssbt:formansinformation>
            <ssbt:preliminaraUtbetalningar>PM:AP</ssbt:preliminaraUtbetalningar>
            <ssbt:utbetalningar>FK:SJP</ssbt:utbetalningar>
            <ssbt:utbetalningar>PM:AP</ssbt:utbetalningar>"""
_LEFI = {"10": _JSON, "11": _JSON, "1": _KODER}


@pytest.fixture(scope="session")
def ssbtek(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before a simulator that plays no faults, and whose LEFI says something that no schema knows."""
    with (
        running_agencies(pki, fixtures=_HERE / "stored") as port,
        running_gateway(pki, tmp_path_factory.mktemp("gateway"), port) as gateway,
    ):
        yield gateway


@pytest.fixture(scope="session", params=CONTRACTS)
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
        "lefi": _LEFI[target.version],
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
    if "csn" in said:
        assert etree.QName(etree.fromstring(bytes.fromhex(said["csn"]))).localname == "CSNSvar"
        assert json.loads(bytes.fromhex(said["lefi"]))["utlamnare"]
    else:
        assert w3c.NAMESPACE.encode() in answers[1]  # recursive types, over which no tool may stumble
        assert (said["arende"], said["pension"], said["tomma"]) == ("BESLUTAD", "PM:AP", "preliminaraUtbetalningar")
        assert (said["svarande FK"], said["svarande SO"]) == ("FK SVARAT, PM SVARAT", "Provkassan SVARAT")
        assert (said["individuppgifter"], said["svarande fel"]) == ("BT 404", "CSN KAN_EJ_AVGORAS")
    assert (said["fordon"], said["tillstand"]) == ("ABC12A XYZ987", "TIDBEGRANSAT PERMANENT")
    assert (said["fel"], said["felkod"]) == ("SSBT OGILTIG_FRAGA", "EJ_BEHORIG")
    return said
