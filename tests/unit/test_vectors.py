"""Every message in tests/vectors/questions/ through the gateway, from bytes to answer, with agencies that stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from unit.builders import (
    BITRADE,
    CALLER,
    CONFIDENTIAL,
    KOMMUN,
    FakeAudit,
    FakeService,
    call,
    data,
    flow,
    operation,
    so_answer,
)
from vectors import make

from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.inbound import app as inbound
from ssbtek_gateway.inbound.identity import Identity
from ssbtek_gateway.inbound.soap import SoapEndpoint

if TYPE_CHECKING:
    from unit.builders import Got

    from ssbtek_gateway.contracts.contract import Contract
    from ssbtek_gateway.model import Caller

pytestmark = pytest.mark.anyio


@pytest.fixture
def audit() -> FakeAudit:
    return FakeAudit()


@pytest.fixture(params=CONTRACTS)
def contract(request: pytest.FixtureRequest) -> Contract:
    return CONTRACTS[request.param]


class Known(Identity):
    """Whoever it is: CALLER."""

    def __init__(self) -> None:
        super().__init__(())

    def caller(self, certificate: bytes, proxy: bytes | None = None) -> Caller:  # noqa: ARG002 - as the real one
        return CALLER


@pytest.fixture
def gateway(audit: FakeAudit, contract: Contract) -> inbound.QuestionApp:
    way = flow({"SO": FakeService(data(so_answer()), "SO", audit.events)}, audit)
    endpoints = {contract.path: SoapEndpoint(contract, way)}
    return inbound.QuestionApp(inbound.DocumentApp({}), endpoints, way, Known(), 262_144, 5)


async def send(gateway: inbound.QuestionApp, contract: Contract, content: bytes) -> Got:
    """Ask a question of version 10 in the version of `contract`."""
    body = make.in_version(content, contract)
    return await call(gateway, contract.path, body=body, headers={"content-type": "text/xml"})


def test_the_folder_holds_what_the_script_writes() -> None:
    assert {path.name: path.read_bytes() for path in make.FOLDER.iterdir()} == make.files()


@pytest.mark.parametrize("name", make.VALID)
def test_valid_questions_pass_the_contract(name: str, contract: Contract) -> None:
    element = operation(make.in_version((make.FOLDER / f"{name}.xml").read_bytes(), contract))
    contract.check_question(element)
    question = contract.read_question(element)
    assert question.ingivare.organisationsnummer == KOMMUN
    assert question.person.reveal() == make.OTHER_PERSONS.get(name, make.PERSON)
    assert question.syfte == "Handläggning av ekonomiskt bistånd"


@pytest.mark.parametrize("name", make.VALID)
async def test_valid_questions_are_answered(
    name: str, gateway: inbound.QuestionApp, contract: Contract, audit: FakeAudit
) -> None:
    with capture_logs() as log:
        got = await send(gateway, contract, make.VALID[name])
    assert got.status == 200, got.fault()
    assert contract.invalid_sections(_response(got.body)) == set()
    asked = ["SO asked"] if b'SO inkludera="true"' in make.VALID[name].replace(b"\0", b"") else []
    assert audit.events == ["FRAGAD durable", *asked, "BESVARAD durable"]
    assert not [value for value in CONFIDENTIAL if value in str(log)]


@pytest.mark.parametrize("name", make.FLAWED)
async def test_flawed_messages_are_refused_with_what_to_mend(
    name: str, gateway: inbound.QuestionApp, contract: Contract, audit: FakeAudit
) -> None:
    if contract.family != "ssbt" and name in make.ONLY_UNTYPED:
        return
    flaw = make.FLAWED[name]
    with capture_logs() as log:
        got = await send(gateway, contract, flaw.content)
    code, felkod, texts = got.fault()
    assert (got.status, code, felkod) == (500, flaw.soap, flaw.felkod)
    assert flaw.says in texts
    # The organisation of the certificate stands in the log; the same number in the message does not.
    said = [{**line, "certifikat_organisation": None} for line in log]
    for value in (*CONFIDENTIAL, KOMMUN, BITRADE, flaw.value or KOMMUN):
        assert value not in got.body.decode()
        assert value not in str(said)
    assert audit.events == ["NEKAD durable"]
    assert audit.rows[0]["felkod"] == flaw.felkod


def _response(answer: bytes) -> bytes:
    """The response element as it was written, out of its envelope."""
    start, end = answer.index(b"<soap:Body>") + 11, answer.index(b"</soap:Body>")
    return answer[start:end]
