"""What a worker tells of itself from its real parts, and what all of them together are judged to be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from unit.builders import FakeService, question

from ssbtek_gateway import health
from ssbtek_gateway.admission import Admission
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.store import AuditStore
from ssbtek_gateway.config import Bastjanst, Limits
from ssbtek_gateway.faults import failure
from ssbtek_gateway.health import Seen, State
from ssbtek_gateway.resilience import Guarded

if TYPE_CHECKING:
    from pathlib import Path

REACHED = {"url": "http://127.0.0.1:1", "allow_plain_http": True, "sparr_efter": 1}
CLOSED = {"underhall": [{"fran": datetime(2000, 1, 1, tzinfo=UTC), "till": datetime(2999, 1, 1, tzinfo=UTC)}]}
WELL = State(pid=7, questions=0, bastjanster={"AF": None}, reasons=[], warnings=[])


def told(*reasons: str, warnings: tuple[str, ...] = ()) -> State:
    return State(pid=8, questions=3, bastjanster={}, reasons=list(reasons), warnings=list(warnings))


@pytest.mark.anyio
async def test_a_worker_tells_what_it_answers_and_which_services_it_leaves_alone(tmp_path: Path) -> None:
    settings = {"AF": REACHED, "SO": REACHED, "TNS": REACHED | CLOSED}
    services = {
        kod: Guarded(FakeService(failure("TIMEOUT")), Bastjanst.model_validate(values))
        for kod, values in settings.items()
    }
    await services["SO"].ask(question())
    admission = Admission(Limits())
    audit = await AuditStore.open(Sqlite(tmp_path / "audit.sqlite"), ChainKey(b"c" * 32))
    async with admission.place():
        state = health.state(audit, admission, services, ["a certificate"], stopping=False)
    await audit.close()
    assert (state["questions"], state["reasons"]) == (1, [])
    assert state["bastjanster"] == {"AF": None, "SO": "SPARRAD", "TNS": "UNDERHALL"}
    assert state["warnings"] == ["a certificate", "bastjanst.SO does not answer and is left alone"]
    after = health.state(audit, admission, services, [], stopping=True)
    assert (after["questions"], after["reasons"]) == (0, ["stopping"])


@pytest.mark.parametrize(
    ("seen", "reasons"),
    [
        ([Seen(1, WELL, 0.9), Seen(2, WELL, 4.0)], []),
        ([Seen(1, WELL, 0.9), Seen(2, None, 4.0)], ["worker 2: has not started yet"]),
        ([Seen(1, WELL, 0.9), Seen(2, WELL, 6.0)], ["worker 2: has not been heard of for 6 s"]),
        ([Seen(1, told("one"), 0.9), Seen(2, told("two"), 0.9)], ["worker 1: one", "worker 2: two"]),
    ],
)
def test_one_worker_that_cannot_answer_is_enough_for_not_ready(seen: list[Seen], reasons: list[str]) -> None:
    judged = health.readiness(seen, stopping=False)
    assert (judged["ready"], judged["reasons"]) == (not reasons, reasons)
    assert health.readiness(seen, stopping=True)["reasons"] == ["stopping", *reasons]


def test_a_warning_of_all_workers_is_told_once_and_does_not_make_not_ready() -> None:
    seen = [Seen(1, told(warnings=("all", "first")), 0), Seen(2, told(warnings=("all", "second")), 0)]
    judged = health.readiness(seen, stopping=False)
    assert (judged["ready"], judged["warnings"]) == (True, ["all", "first", "second"])


def test_it_lives_while_one_worker_does() -> None:
    assert health.live([Seen(1, WELL, 31), Seen(2, WELL, 29)], 30)
    assert not health.live([Seen(1, WELL, 31), Seen(2, None, 31)], 30)
