"""What a worker tells of itself, and what the supervisor makes of all workers' telling. Standard library only.

Nothing here is about a person: kinds of errors, felkoder, dates and counts.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssbtek_gateway.admission import Admission
    from ssbtek_gateway.audit.store import AuditStore
    from ssbtek_gateway.resilience import Guarded

# Heartbeats come once a second. A worker that is replaced at once is not missed; one that stays away is.
_MISSED_SECONDS = 5


class State(TypedDict):
    """One heartbeat."""

    pid: int
    questions: int
    """Being answered now."""
    bastjanster: dict[str, str | None]
    """For each base service the felkod that a question would get without its being asked, or None."""
    reasons: list[str]
    """Why no question should be sent here."""
    warnings: list[str]


class Seen(NamedTuple):
    """What is known of the worker in one place: its last heartbeat, and how many seconds ago that was."""

    worker: int
    state: State | None
    silent: float


def state(
    audit: AuditStore, admission: Admission, services: Mapping[str, Guarded], warnings: list[str], *, stopping: bool
) -> State:
    """A worker's heartbeat."""
    refusing = {kod: service.refuses for kod, service in services.items()}
    reasons = ["stopping"] if stopping else []
    if audit.failing is not None:
        since, kind = audit.failing
        reasons.append(f"the audit cannot be written since {since:%Y-%m-%dT%H:%M:%SZ}: {kind}")
    away = [
        f"bastjanst.{kod} does not answer and is left alone" for kod, found in refusing.items() if found == "SPARRAD"
    ]
    return State(
        pid=os.getpid(),
        questions=admission.answering,
        bastjanster=refusing,
        reasons=reasons,
        warnings=[*warnings, *away],
    )


def live(seen: Iterable[Seen], hung_seconds: float) -> bool:
    """Whether any worker lives. Before the first heartbeat `silent` counts from the supervisor's start."""
    return any(one.silent < hung_seconds for one in seen)


def readiness(seen: Iterable[Seen], *, stopping: bool) -> dict[str, Any]:
    """Whether questions may be sent here, as a value for JSON.

    One worker that cannot answer is enough for not ready: it gets its share of the connections all the same.
    """
    reasons = ["stopping"] if stopping else []
    warnings: list[str] = []
    workers = []
    for worker, told, silent in seen:
        if told is None:
            reasons.append(f"worker {worker}: has not started yet")
            continue
        reasons += [f"worker {worker}: {one}" for one in told["reasons"]]
        if silent > _MISSED_SECONDS:
            reasons.append(f"worker {worker}: has not been heard of for {silent:.0f} s")
        # Most are every worker's.
        warnings += [one for one in told["warnings"] if one not in warnings]
        shown = {"pid": told["pid"], "questions": told["questions"], "bastjanster": told["bastjanster"]}
        workers.append({"worker": worker, **shown})
    return {"ready": not reasons, "reasons": reasons, "warnings": warnings, "workers": workers}
