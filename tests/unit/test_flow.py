"""The way of a question: what must have happened before what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from unit.builders import (
    AF,
    BITRADE,
    CALLER,
    CONFIDENTIAL,
    CONTRACT,
    GRANNKOMMUN,
    KOMMUN,
    PERSON,
    FakeAudit,
    FakeService,
    af_answer,
    data,
    flow,
    operation,
    organisation,
    so_answer,
)
from vectors import make
from vectors.make import SSBT

from ssbtek_gateway import xmlgate
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.model import Caller

if TYPE_CHECKING:
    from ssbtek_gateway.model import Outcome

pytestmark = pytest.mark.anyio
TESTA = (
    f'<s:Envelope xmlns:s="{make.SOAP}"><s:Body><a:testaBastjanstInformation xmlns:a="{SSBT}"/></s:Body></s:Envelope>'
)


class Answering:
    """A flow whose services and audit write to one list of events."""

    def __init__(self, fails_at: frozenset[str] = frozenset(), **changes: Any) -> None:  # noqa: ANN401
        self.events: list[str] = []
        self.audit = FakeAudit(self.events, fails_at=fails_at)
        self.services = {
            "AF": FakeService(data(af_answer()), "AF", self.events),
            "SO": FakeService(data(so_answer()), "SO", self.events),
        }
        self.flow = flow(self.services, self.audit, [organisation(**changes)])

    async def ask(self, message: str = make.TEMPLATE, caller: Caller = CALLER) -> bytes:
        answer = await self.flow.hamta(CONTRACT, operation(message), caller, "incident-1")
        self.events.append("answer released")
        return answer.body

    async def refused(self, message: str = make.TEMPLATE, caller: Caller = CALLER) -> GatewayFault:
        with pytest.raises(GatewayFault) as caught:
            await self.ask(message, caller)
        return caught.value


def felkoder(answer: bytes) -> dict[str, str]:
    sections = xmlgate.parse_agency(answer, None).find(f"{{{SSBT}}}svarsdata")
    assert sections is not None
    return {str(section.tag).partition("}")[2]: section.findtext(".//{*}felkod", "DATA") for section in sections}


async def test_asked_is_durable_before_any_service_and_answered_before_the_answer() -> None:
    way = Answering()
    answer = await way.ask()
    assert way.events[0] == "FRAGAD durable"
    assert sorted(way.events[1:3]) == ["AF asked", "SO asked"]
    assert way.events[3:] == ["BESVARAD durable", "answer released"]
    assert CONTRACT.invalid_sections(answer) == set()


async def test_nothing_is_asked_where_the_audit_fails() -> None:
    way = Answering(frozenset({"FRAGAD"}))
    fault = await way.refused()
    assert (fault.fel.felkod, fault.soap, fault.detalj) == ("INTERNT_FEL", "Server", "")
    assert fault.reason == "audit: OperationalError"
    assert way.events == []


async def test_nothing_is_answered_where_the_outcome_cannot_be_recorded() -> None:
    way = Answering(frozenset({"BESVARAD"}))
    assert (await way.refused()).fel.felkod == "INTERNT_FEL"
    assert "answer released" not in way.events


async def test_a_question_is_asked_again_when_the_audit_works_again() -> None:
    way = Answering(frozenset({"FRAGAD"}))
    await way.refused()
    way.audit.fails_at = frozenset()
    await way.ask()
    assert way.events[-1] == "answer released"


@pytest.mark.parametrize("name", ["tidsperiod-reversed", "none-included", "personidentitet-eleven-digits"])
async def test_a_flawed_question_reaches_neither_audit_nor_service(name: str) -> None:
    way = Answering()
    assert (await way.refused(make.FLAWED[name].content.decode())).fel.felkod == "OGILTIG_FRAGA"
    assert way.events == []


async def test_a_question_that_may_not_be_asked_reaches_no_service() -> None:
    way = Answering(syften=[])
    assert (await way.refused()).fel.felkod == "EJ_BEHORIG"
    assert way.events == []


async def test_a_refused_question_is_recorded_without_its_content() -> None:
    way = Answering()
    await way.flow.refuse(CALLER, "EJ_BEHORIG", "incident-1", "10")
    (row,) = way.audit.rows
    told = {key: value for key, value in row.items() if value is not None and key != "tidpunkt"}
    assert told == {
        "incident": "incident-1",
        "handelse": "NEKAD",
        "certifikat_organisation": KOMMUN,
        "certifikat": CALLER.fingerprint,
        "version": "10",
        "felkod": "EJ_BEHORIG",
    }


async def test_a_refusal_that_cannot_be_recorded_is_a_fault() -> None:
    with pytest.raises(GatewayFault, match="INTERNT_FEL"):
        await flow(audit=FakeAudit(fails_at=frozenset({"NEKAD"}))).refuse(CALLER, "FOR_STOR", "i", "10")


async def test_the_rows_of_a_question_say_what_came_of_each_service() -> None:
    way = Answering(bastjanster=["AF", "SO", "FK"])
    await way.ask()
    asked, answered = way.audit.rows
    assert asked["incident"] == answered["incident"] == "incident-1"
    assert set(json.loads(asked["bastjanster"])) == set(CONTRACT.sections)
    assert json.loads(answered["bastjanster"]) == {
        "AF": "SVARAT",
        "CSN": "SSBT EJ_BEHORIG",
        "FK": "SSBT EJ_ANSLUTEN",
        "SKV": "SSBT EJ_BEHORIG",
        "SO": "SVARAT",
        "TNS": "SSBT EJ_BEHORIG",
        "MIV": "SSBT EJ_BEHORIG",
    }


async def test_what_the_register_does_not_grant_stands_in_the_answer() -> None:
    way = Answering(bastjanster=["SO"])
    answer = await way.ask()
    assert "AF asked" not in way.events
    assert felkoder(answer) == {**dict.fromkeys(CONTRACT.sections, "EJ_BEHORIG"), "SO": "DATA"}


async def test_a_section_that_breaks_the_contract_becomes_an_error_in_answer_and_audit() -> None:
    way = Answering()
    broken: Outcome = data(f'<SvarMeddelande xmlns="{AF}"><hej/></SvarMeddelande>')
    way.services["AF"].outcome = broken
    answer = await way.ask()
    assert CONTRACT.invalid_sections(answer) == set()
    assert felkoder(answer)["AF"] == "OGILTIGT_SVAR"
    assert felkoder(answer)["SO"] == "DATA"
    assert json.loads(way.audit.rows[1]["bastjanster"])["AF"] == "SSBT OGILTIGT_SVAR"


async def test_one_line_is_logged_and_says_nothing_about_the_person() -> None:
    with capture_logs() as log:
        await Answering().ask()
    (line,) = log
    assert (line["event"], line["organisation"]) == ("answered", KOMMUN)
    assert line["utfall"]["AF"] == "SVARAT"
    assert line["reasons"]["FK"] == "no such base service in the configuration"
    assert not [value for value in CONFIDENTIAL if value in str(line)]


async def test_the_connection_test_asks_about_nobody() -> None:
    way = Answering()
    answer = await way.flow.testa(CONTRACT, operation(TESTA), CALLER)
    assert sorted(way.events) == ["AF tested", "SO tested"]
    root = xmlgate.parse_agency(answer.body, None)
    anropad = {str(section.tag).partition("}")[2]: section.findtext("{*}anropad") for section in root}
    assert anropad == {**dict.fromkeys(CONTRACT.sections, "false"), "AF": "true", "SO": "true"}
    errors = {str(section.tag).partition("}")[2]: section.findtext(".//{*}felkod") for section in root}
    assert errors == {**dict.fromkeys(CONTRACT.sections, "EJ_ANSLUTEN"), "AF": None, "SO": None}


async def test_the_connection_test_takes_no_personal_data() -> None:
    message = TESTA.replace(
        "/></s:Body>", f"><a:personidentitet>{PERSON}</a:personidentitet></a:testaBastjanstInformation></s:Body>"
    )
    with pytest.raises(GatewayFault) as caught:
        await flow().testa(CONTRACT, operation(message), CALLER)
    assert caught.value.fel.felkod == "OGILTIG_FRAGA"
    assert caught.value.detalj.startswith("testaBastjanstInformation: ")


async def test_the_connection_test_is_for_registered_parties_and_their_suppliers() -> None:
    for number in (KOMMUN, BITRADE):
        assert await flow().testa(CONTRACT, operation(TESTA), Caller(number, "ab" * 32))
    with pytest.raises(GatewayFault, match="EJ_BEHORIG"):
        await flow().testa(CONTRACT, operation(TESTA), Caller(GRANNKOMMUN, "ab" * 32))
