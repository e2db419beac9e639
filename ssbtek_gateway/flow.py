"""The way of a question: checked, read, authorised, recorded, asked, put together, checked, recorded, answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from ssbtek_gateway import jsongate, metrics, oversikt, telemetry, xmlgate
from ssbtek_gateway.audit import AuditError, record
from ssbtek_gateway.contracts import personidentitet, size
from ssbtek_gateway.fanout import ask_all
from ssbtek_gateway.faults import GatewayFault, failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from ssbtek_gateway.admission import Admission
    from ssbtek_gateway.audit.record import PersonKey, Row
    from ssbtek_gateway.audit.store import AuditStore
    from ssbtek_gateway.authorisation import Register
    from ssbtek_gateway.closing import Closing
    from ssbtek_gateway.config import Limits
    from ssbtek_gateway.contracts.contract import Contract
    from ssbtek_gateway.model import Caller, Failure, Outcome, Question
    from ssbtek_gateway.rates import Rates
    from ssbtek_gateway.services.service import BaseService

# What a payload that its service could read may be beyond in an answer, a little deeper than it came or as elements.
_BEYOND = (xmlgate.XmlError, jsongate.JsonError, RecursionError)


@dataclass(frozen=True, slots=True)
class Written:
    """What goes into a SOAP message, in UTF-8: the Body's element, and a Header block where the party asked for one."""

    body: bytes = field(repr=False)
    header: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Flow:
    """The two operations of the contract. Every method raises `GatewayFault` where the whole question fails."""

    register: Register
    services: Mapping[str, BaseService]
    audit: AuditStore
    person_key: PersonKey
    rates: Rates
    admission: Admission
    limits: Limits
    closing: Closing
    demand_check_digit: bool = False

    async def hamta(self, contract: Contract, element: _Element, caller: Caller, incident: str) -> Written:
        """`hamtaBastjanstInformation`."""
        started = monotonic()
        self.closing.refuse(contract.version)
        contract.check_question(element)
        size.check(element, self.limits)
        question = contract.read_question(element)
        personidentitet.check(question.person, demand_check_digit=self.demand_check_digit)
        grant = self.register.authorise(caller, question)
        metrics.VERSION_USE.inc(question.ingivare.organisationsnummer, question.version)
        await self.rates.count(question.ingivare.organisationsnummer)
        # Only those who may ask get a place, and nothing is recorded as asked before they have it.
        async with self.admission.place():
            await self._record(record.asked(incident, caller, question, grant, self.person_key))
            began = datetime.now(UTC)
            outcomes, took = await ask_all(self.services, question, grant, self.limits.service_seconds)
            answer = _put_together(contract, question, outcomes, took, began)
            whole = {"FRAGAN": monotonic() - started}
            await self._record(record.answered(incident, caller, outcomes, took | whole))
        telemetry.answered(question, outcomes, took, monotonic() - started)
        if contract.oversikt or not grant.svarsoversikt:
            return Written(answer)
        # In the contract's order, whichever came first.
        in_order = {kod: outcomes[kod] for kod in contract.sections if kod in outcomes}
        oversikter = oversikt.of(in_order, took, began)
        return Written(answer, oversikt.written(oversikter, self.closing.last_days[contract.version]))

    async def testa(self, contract: Contract, element: _Element, caller: Caller) -> Written:
        """`testaBastjanstInformation`: which base services can be reached; nobody is asked about."""
        self.closing.refuse(contract.version)
        contract.check_question(element)
        self.register.admit(caller)
        connected = [kod for kod in contract.sections if kod in self.services]
        async with self.admission.place():
            called = await asyncio.gather(*(self.services[kod].test() for kod in connected))
        away: dict[str, tuple[bool, Failure | None]] = dict.fromkeys(contract.sections, (False, failure("EJ_ANSLUTEN")))
        tests = away | dict(zip(connected, called, strict=True))
        telemetry.tested(contract.version, caller, tests)
        return Written(contract.write_test_answer(tests))

    async def refuse(self, caller: Caller, felkod: str, incident: str, version: str | None = None) -> None:
        """Record that an authenticated caller was refused: a question sent to a version's address.

        Before it is known to be one `felkod` is such as `HTTP_413`, and there is no version.
        """
        await self._record(record.denied(incident, caller, felkod, version))

    async def _record(self, row: Row) -> None:
        try:
            await self.audit.append(row)
        except AuditError as error:
            raise GatewayFault("INTERNT_FEL", reason=f"audit: {error}") from None


def _put_together(
    contract: Contract, question: Question, outcomes: dict[str, Outcome], took: Mapping[str, float], began: datetime
) -> bytes:
    """The combined answer, valid against the contract. A section that breaks it becomes an error, in `outcomes` too."""

    def written(outcomes: Mapping[str, Outcome]) -> tuple[bytes, set[str]]:
        """The answer, and the sections of it that break the contract."""
        oversikter = oversikt.of(outcomes, took, began) if contract.oversikt else {}
        answer = contract.write_answer(question, outcomes, oversikter)
        return answer, contract.invalid_sections(answer)

    def breaks(kod: str) -> bool:
        try:
            return bool(written({kod: outcomes[kod]})[1])
        except _BEYOND:
            return True

    try:
        answer, invalid = written(outcomes)
        if not invalid:
            return answer
    except _BEYOND:
        invalid = set(filter(breaks, outcomes))
    # Valid on its own and not in the contract: an xs:any of the agency's schema holds what the contract knows better.
    outcomes |= {kod: failure("OGILTIGT_SVAR", reason="invalid in the combined contract") for kod in invalid}
    answer, invalid = written(outcomes)
    if invalid:
        raise GatewayFault("INTERNT_FEL", reason="the combined answer is invalid")
    return answer
