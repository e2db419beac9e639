"""The JDK's Xerces with full checking: another reader of our schemas than libxml2, and the nearest here to .NET's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conformance.clients.conversation import run
from external import need
from lxml import etree

from ssbtek_gateway import resources
from ssbtek_gateway.contracts import CONTRACTS

if TYPE_CHECKING:
    from conformance.clients.conversation import Target

pytestmark = pytest.mark.external

_VALIDATE = Path(__file__).with_name("Validate.java")


def test_what_is_said_is_valid_and_every_schema_compiles(target: Target, messages: list[Path], tmp_path: Path) -> None:
    java = need("java", "default-jdk-headless")
    _, question, *_ = messages
    status, answer = target.gateway.post(question.read_bytes(), version=target.version)
    assert status == 200
    said = [tmp_path / "question.xml", tmp_path / "answer.xml"]
    for path, envelope in zip(said, (question.read_bytes(), answer), strict=True):
        path.write_bytes(etree.tostring(etree.fromstring(envelope)[-1][0]))
    contract = resources.xsd(CONTRACTS[target.version].xsd)
    schemas = [contract, *sorted(resources.xsd(".").rglob("*.xsd"))]
    assert len(run(java, _VALIDATE, *schemas, *said).splitlines()) == len(schemas) + len(said)
