"""The svarsöversikt: per answering organisation what its answer lets one conclude, for parties that asked for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from unit.builders import CALLER, CONTRACT, FakeAudit, FakeService, flow, operation, organisation, so_answer
from unit.builders import data as answered
from vectors import make

from ssbtek_gateway import oversikt, resources, xmlgate
from ssbtek_gateway.faults import agency_fault, failure
from ssbtek_gateway.inbound.soap import SoapEndpoint
from ssbtek_gateway.model import Bedomning, Data, EncodedPayload, Verdict

if TYPE_CHECKING:
    from ssbtek_gateway.model import Outcome

SCHEMA = xmlgate.schema(resources.xsd("svarsoversikt/svarsoversikt-1.xsd"))
BEGAN = datetime(2026, 2, 16, 8, 30, tzinfo=UTC)
KASSOR = (
    Bedomning('Ett <&> "a-kassa"', Verdict.SVARAT),
    Bedomning("Tysta kassan", Verdict.KAN_EJ_AVGORAS, "StatusSvarandeOrganisation"),
)


def test_every_outcome_says_who_answered_and_why_it_cannot_be_told() -> None:
    outcomes: dict[str, Outcome] = {
        "SO": Data(EncodedPayload("svar", b"hemlig"), KASSOR),
        "FK": failure("TIMEOUT", reason="x"),
        "TNS": agency_fault(reason="x"),
    }
    told = oversikt.of(outcomes, {"SO": 0.0124, "FK": 20.1}, BEGAN)
    assert [each.tidpunkt - BEGAN for each in told.values()] == [timedelta(seconds=s) for s in (0.0124, 20.1, 0)]
    root = xmlgate.parse_agency(oversikt.written(told, None), None)
    SCHEMA.assertValid(root)
    assert [(section.get("kod"), section.get("millisekunder")) for section in root] == [
        ("SO", "12"),
        ("FK", "20100"),
        ("TNS", "0"),
    ]
    said = [tuple(answer.values()) for answer in root.iter("{*}svarande")]
    assert said == [
        ('Ett <&> "a-kassa"', "SVARAT"),
        ("Tysta kassan", "KAN_EJ_AVGORAS", "StatusSvarandeOrganisation"),
        ("FK", "KAN_EJ_AVGORAS", "SSBT TIMEOUT"),
        ("PM", "KAN_EJ_AVGORAS", "SSBT TIMEOUT"),
        ("TNS", "KAN_EJ_AVGORAS", "BT FAULT"),
    ]
    assert root.findtext("{*}sektion/{*}agare") == "Sveriges a-kassor"
    assert [section.find("{*}support") is not None for section in root] == [True, True, False]
    assert "hemlig" not in "".join(str(text) for text in root.itertext())


@pytest.mark.anyio
@pytest.mark.parametrize("wanted", [True, False])
async def test_only_a_party_that_asked_for_it_gets_a_header_and_never_has_to_understand_it(*, wanted: bool) -> None:
    services = {"SO": FakeService(answered(so_answer()))}
    way = flow(services, FakeAudit(), [organisation(svarsoversikt=wanted)])
    message = await SoapEndpoint(CONTRACT, way).answer(operation(make.TEMPLATE), CALLER, "incident-1")
    envelope = xmlgate.parse_agency(message, None)
    names = [str(child.tag).rpartition("}")[2] for child in envelope]
    assert names == (["Header", "Body"] if wanted else ["Body"])
    assert b"mustUnderstand" not in message
    if wanted:
        (block,) = envelope[0]
        SCHEMA.assertValid(xmlgate.parse_agency(_alone(message), None))
        assert [section.get("kod") for section in block] == list(CONTRACT.sections)


def _alone(message: bytes) -> bytes:
    start, end = message.index(b"<soap:Header>") + 13, message.index(b"</soap:Header>")
    return message[start:end]
