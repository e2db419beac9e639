"""What is told of a question: one line in the log, and what is counted. Neither repeats what a message says."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import structlog

from ssbtek_gateway import metrics, observe
from ssbtek_gateway.audit import record
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.contracts.contract import OPERATIONS
from ssbtek_gateway.faults import SECTION, WHOLE_QUESTION
from ssbtek_gateway.model import Failure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssbtek_gateway.admission import Admission
    from ssbtek_gateway.faults import GatewayFault
    from ssbtek_gateway.model import Caller, Outcome, Question
    from ssbtek_gateway.services.service import BaseService

_LOG = structlog.get_logger()
_ANSWERED = "answered"
# Concluded before anything was sent: it says nothing of how long the service takes.
_NOT_SENT = {f"SSBT {felkod}" for felkod in ("UNDERHALL", "SPARRAD", "OVERBELASTAD", "OGILTIG_FRAGA", "EJ_ANSLUTEN")}
# Who may be named as having answered. All else (an a-kassa, a group of benefits at FK) counts as the service's own.
ORGANISATIONS = {
    *("AF", "AF aktivitetsrapport"),
    *("CSN", "CSN Studiemedel", "CSN Studiehjalp", "CSN HemutrustningsLan", "CSN Studiestartsstod"),
    *("CSN Omstallningsstudiestod", "FK", "PM", "SKV", "SKV foretagsinformation", "SKV individuppgifter"),
    *("SKV skattekonto", "SKV skatteuppgifter", "SKV beskattningsbilagor", "TNS", "MIV"),
}


def watch(koder: Iterable[str], places: int, admission: Admission) -> None:
    """Show how full the process is, and as 0 what can happen before it does."""
    metrics.QUESTIONS.start(product(CONTRACTS, OPERATIONS, (_ANSWERED, *WHOLE_QUESTION)))
    metrics.OUTCOMES.start(product(koder, (*Verdict, *(f"SSBT {felkod}" for felkod in SECTION), "BT")))
    metrics.PLACES.watch(lambda: places)
    metrics.PLACES_USED.watch(lambda: admission.answering)
    metrics.QUEUE_LENGTH.watch(lambda: admission.waiting)


def answered(question: Question, outcomes: Mapping[str, Outcome], took: Mapping[str, float], seconds: float) -> None:
    """The question has its answer: what came of each base service, and how long each that was called took (seconds)."""
    utfall = {kod: record.summary(outcome) for kod, outcome in outcomes.items()}
    reasons, skal, unknown = {}, {}, {}
    for kod, outcome in outcomes.items():
        if isinstance(outcome, Failure):
            reasons[kod] = outcome.reason
            # An agency's own code is its to choose: it is no label.
            metrics.OUTCOMES.inc(kod, "BT" if outcome.kalla == "BT" else utfall[kod])
            continue
        metrics.OUTCOMES.inc(kod, utfall[kod])
        for judged in outcome.bedomningar:
            organisation = judged.organisation if judged.organisation in ORGANISATIONS else kod
            metrics.VERDICTS.inc(kod, organisation, judged.verdict)
        # Why parts cannot be told from silence: our own words and the agencies' codes, never names.
        if undecided := [judged.skal for judged in outcome.bedomningar if judged.skal]:
            skal[kod] = undecided
        if outcome.unknown:
            unknown[kod] = outcome.unknown
    for kod, spent in took.items():
        if utfall[kod] not in _NOT_SENT:
            metrics.SERVICE_SECONDS.observe(spent, kod)
    _LOG.info(
        "answered",
        version=question.version,
        organisation=question.ingivare.organisationsnummer,
        utfall=utfall,
        reasons=reasons,
        skal=skal,
        unknown=unknown,
        tider={kod: milliseconds(spent) for kod, spent in took.items()},
        milliseconds=milliseconds(seconds),
    )


def tested(version: str, caller: Caller, tests: Mapping[str, tuple[bool, Failure | None]]) -> None:
    """The connection test has its answer."""
    utfall = {kod: record.summary(failed) if failed else "OK" for kod, (_, failed) in tests.items()}
    _LOG.info("tested", version=version, certifikat_organisation=caller.organisationsnummer, utfall=utfall)


def refused(version: str, operation: str, caller: Caller | None, fault: GatewayFault) -> None:
    """The whole question fails. `operation` is empty where it is none of the contract's."""
    _LOG.warning(
        "fault",
        version=version,
        operation=operation,
        certifikat_organisation=caller and caller.organisationsnummer,
        felkod=fault.fel.felkod,
        reason=fault.reason,
    )


def finished(
    version: str, operation: str, caller: Caller | None, fault: GatewayFault | None, size: int, seconds: float
) -> None:
    """The message that answers is written: `size` bytes, `seconds` after the question had come."""
    result = fault.fel.felkod if fault else _ANSWERED
    if caller is None:
        metrics.REFUSALS.inc("no_organisation")
    else:
        metrics.QUESTIONS.inc(version, operation or "okand", result)
    if fault is None:
        metrics.QUESTION_SECONDS.observe(seconds, operation)
    observe.point(
        "response-out",
        version=version,
        operation=operation,
        certifikat_organisation=caller and caller.organisationsnummer,
        utfall=result,
        bytes=size,
        milliseconds=milliseconds(seconds),
    )


def milliseconds(seconds: float) -> int:
    return round(1000 * seconds)


class Named:
    """A `BaseService` whose lines in the log say which it is."""

    def __init__(self, kod: str, service: BaseService) -> None:
        self.kod = kod
        self._service = service

    def refusal(self, question: Question) -> Failure | None:
        return self._service.refusal(question)

    async def ask(self, question: Question) -> Outcome:
        with structlog.contextvars.bound_contextvars(bastjanst=self.kod):
            return await self._service.ask(question)

    async def test(self) -> tuple[bool, Failure | None]:
        with structlog.contextvars.bound_contextvars(bastjanst=self.kod):
            return await self._service.test()

    async def close(self) -> None:
        await self._service.close()
