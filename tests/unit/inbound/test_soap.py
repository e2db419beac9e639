"""The SOAP endpoint: operations, answers and faults as the contract's WSDL promises them."""

from __future__ import annotations

import pytest
from unit.builders import CALLER, CONTRACT, FakeAudit, FakeService, data, flow, operation, so_answer
from vectors import make
from vectors.make import SOAP, SSBT

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.faults import WHOLE_QUESTION, GatewayFault
from ssbtek_gateway.inbound.soap import SoapEndpoint

pytestmark = pytest.mark.anyio
SCHEMA = xmlgate.schema(resources.xsd(CONTRACT.xsd))
TESTA = f'<s:Envelope xmlns:s="{SOAP}"><s:Body><testaBastjanstInformation xmlns="{SSBT}"/></s:Body></s:Envelope>'


@pytest.fixture
def endpoint() -> SoapEndpoint:
    return SoapEndpoint(CONTRACT, flow({"SO": FakeService(data(so_answer()))}, FakeAudit()))


async def ask(endpoint: SoapEndpoint, message: str) -> bytes:
    return await endpoint.answer(operation(message), CALLER, "incident-1")


async def test_an_answer_is_one_valid_element_in_one_body(endpoint: SoapEndpoint) -> None:
    written = await ask(endpoint, make.TEMPLATE)
    assert written.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    answer = operation(written)
    assert answer.tag == f"{{{SSBT}}}hamtaBastjanstInformationResponse"
    alone = written[written.index(b"<ssbt:hamta") : written.index(b"</soap:Body>")]
    assert SCHEMA.validate(xmlgate.parse_agency(alone, None))


async def test_the_answer_is_the_contracts_bytes(endpoint: SoapEndpoint) -> None:
    inside = await endpoint.answer(operation(make.TEMPLATE), CALLER, "incident-1")
    way = flow({"SO": FakeService(data(so_answer()))}, FakeAudit())
    assert (await way.hamta(CONTRACT, operation(make.TEMPLATE), CALLER, "incident-1")).body in inside


async def test_the_connection_test_is_the_other_operation(endpoint: SoapEndpoint) -> None:
    answer = operation(await ask(endpoint, TESTA))
    assert answer.tag == f"{{{SSBT}}}testaBastjanstInformationResponse"


@pytest.mark.parametrize("version", ["1", "9", "11", "10.0", ""])
async def test_another_version_is_told_which_one_lives_here(endpoint: SoapEndpoint, version: str) -> None:
    with pytest.raises(GatewayFault) as caught:
        await ask(endpoint, TESTA.replace("ssbt/10", f"ssbt/{version}"))
    assert caught.value.fel.felkod == "OKAND_VERSION"
    assert SSBT in caught.value.detalj


@pytest.mark.parametrize(
    "element",
    [
        f'<hej xmlns="{SSBT}"/>',
        f'<hamtaBastjanstInformationResponse xmlns="{SSBT}"/>',
        f'<hamtaBastjanstInformationFault xmlns="{SSBT}"/>',
        '<testaBastjanstInformation xmlns="urn:annat"/>',
        f'<testaBastjanstInformation xmlns="{SOAP}"/>',
    ],
)
async def test_an_unknown_operation_is_told_which_there_are(endpoint: SoapEndpoint, element: str) -> None:
    with pytest.raises(GatewayFault) as caught:
        await ask(endpoint, f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{element}</s:Body></s:Envelope>')
    assert caught.value.fel.felkod == "OGILTIG_FRAGA"
    assert "hamtaBastjanstInformation eller testaBastjanstInformation" in caught.value.detalj


async def test_an_operation_in_no_namespace_is_none_of_ours(endpoint: SoapEndpoint) -> None:
    with pytest.raises(GatewayFault) as caught:
        await ask(endpoint, TESTA.replace(f' xmlns="{SSBT}"', ""))
    assert caught.value.fel.felkod == "OGILTIG_FRAGA"
    assert "namnrymd" in caught.value.detalj


@pytest.mark.parametrize("felkod", WHOLE_QUESTION)
def test_a_fault_is_soap_1_1_with_the_contracts_detail(endpoint: SoapEndpoint, felkod: str) -> None:
    written = endpoint.fault(GatewayFault(felkod, "fält: <regel> & mer", reason="for the log"), "abc123")
    fault = operation(written)
    assert fault.tag == f"{{{SOAP}}}Fault"
    assert [str(child.tag) for child in fault if child.tag != "faultactor"] == ["faultcode", "faultstring", "detail"]
    prefix, code = (fault.findtext("faultcode") or "").split(":")
    assert (fault.nsmap[prefix], code) == (SOAP, WHOLE_QUESTION[felkod].soap)
    assert fault.findtext("faultstring") == WHOLE_QUESTION[felkod].text
    (detail,) = fault.find("detail")  # type: ignore[misc] # it was there a line ago
    assert SCHEMA.validate(detail)
    texts = [child.text or "" for child in detail]
    assert texts[0] == felkod
    assert texts[2] == "fält: <regel> & mer"
    assert "abc123" in texts[-1]
    assert b"for the log" not in written
    assert b"spyne" not in written.lower()


@pytest.mark.parametrize("soap", ["VersionMismatch", "MustUnderstand"])
def test_a_fault_code_that_the_standard_prescribes(endpoint: SoapEndpoint, soap: str) -> None:
    fault = operation(endpoint.fault(GatewayFault("OGILTIGT_MEDDELANDE", soap=soap), "abc123"))
    assert fault.findtext("faultcode") == f"soap:{soap}"


def test_every_fault_says_what_happened_and_what_to_do() -> None:
    for felkod, row in WHOLE_QUESTION.items():
        assert row.felkod == felkod
        assert row.soap in {"Client", "Server"}
        for text in (row.text, row.gor):
            assert text[0].isupper()
            assert text.endswith(".")
