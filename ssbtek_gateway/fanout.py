"""All base services of a question at once, under one deadline. Every section ends in exactly one outcome."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ssbtek_gateway.faults import failure, timeout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.authorisation import Grant
    from ssbtek_gateway.model import Outcome, Question
    from ssbtek_gateway.services.service import BaseService

# How long a cancelled service may take to let go; the answer does not wait longer for it.
_STOP_SECONDS = 0.5


async def ask_all(
    services: Mapping[str, BaseService], question: Question, grant: Grant, seconds: float
) -> tuple[dict[str, Outcome], dict[str, float]]:
    """An outcome for each included base service; what has not answered after `seconds` is cancelled and a TIMEOUT.

    A service that is not granted or not connected is not called, and says so in its section. Of those that were called,
    the second mapping tells how long each took, in seconds.
    """
    clock = asyncio.get_running_loop().time
    started = clock()
    took: dict[str, float] = {}

    def finished(task: asyncio.Task[Outcome]) -> None:
        took[task.get_name()] = clock() - started

    outcomes: dict[str, Outcome] = {}
    tasks: dict[str, asyncio.Task[Outcome]] = {}
    for kod in question.perioder:
        if kod in grant.refused:
            outcomes[kod] = grant.refused[kod]
        elif kod not in services:
            outcomes[kod] = failure("EJ_ANSLUTEN", reason="no such base service in the configuration")
        else:
            tasks[kod] = asyncio.create_task(services[kod].ask(question), name=kod)
            tasks[kod].add_done_callback(finished)
    if tasks:
        try:
            await asyncio.wait(tasks.values(), timeout=seconds)
        finally:
            # Also where the caller has gone: nothing of this question is left behind.
            stragglers = [task for task in tasks.values() if task.cancel()]
            if stragglers:
                await asyncio.wait(stragglers, timeout=_STOP_SECONDS)
    elapsed = clock() - started
    answered = {kod: _outcome(task, seconds, elapsed) for kod, task in tasks.items()}
    # One that does not let go has taken all the time there was.
    return outcomes | answered, dict.fromkeys(tasks, elapsed) | took


def _outcome(task: asyncio.Task[Outcome], seconds: float, elapsed: float) -> Outcome:
    if not task.done() or task.cancelled():
        return timeout("svar, alla bastjänster tillsammans", seconds, elapsed, reason="the question's deadline")
    error = task.exception()
    if error is not None:
        # A mistake of ours in one service's module costs the others nothing; only its kind is told, never its text.
        return failure("INTERNT_FEL", reason=f"unexpected {type(error).__name__}")
    return task.result()
