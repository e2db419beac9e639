"""Asking at the planned moments, whatever has been answered by then (an open loop)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import accumulate, takewhile
from random import SystemRandom
from time import monotonic, process_time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from ssbtek_gateway import connection
from ssbtek_gateway.connection import CONNECT_SECONDS, READ_SECONDS
from ssbtek_gateway.load.judge import failures
from ssbtek_gateway.services.http1 import AnswerError, LostError, Pool

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection, Iterator, Sequence

    from ssbtek_gateway.load.tally import Tally

# Where a message has it, a question's own mark is put.
MARK = "00000000000000000000000000000000"
# An answer is some kilobytes; beyond this it is something else.
_LARGEST = 20_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Which questions are asked, when, and how."""

    url: str
    context: ssl.SSLContext
    messages: Sequence[bytes]
    """Taken in turn. Each holds `MARK` once."""
    services: Collection[str]
    """Those that the messages ask for."""
    rate: float
    """Questions a second."""
    seconds: float
    poisson: bool
    """As many callers who know nothing of each other ask; otherwise at equal distances."""
    in_flight: int
    """A question that is due while so many are unanswered is not sent."""
    keep: bool
    """Whether a connection is used again, or each question has a new one."""

    def moments(self) -> Iterator[float]:
        """When questions are due, in seconds from the start."""
        if not self.poisson:
            return (number / self.rate for number in range(round(self.rate * self.seconds)))
        random = SystemRandom()
        gaps = iter(lambda: random.expovariate(self.rate), None)
        return takewhile(lambda moment: moment < self.seconds, accumulate(gaps))


async def run(plan: Plan, tally: Tally) -> None:
    """Ask, and wait for the answers that are owed then. What has been counted when it is cancelled is in `tally`."""
    parts = urlsplit(plan.url)
    pool = Pool(parts.hostname or "", parts.port or 443, plan.context, plan.in_flight, CONNECT_SECONDS)
    head = "\r\n".join(
        [
            f"POST {parts.path or '/'} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Content-Type: text/xml; charset=utf-8",
            'SOAPAction: ""',
            "Accept-Encoding: identity",
            f"Connection: {'keep-alive' if plan.keep else 'close'}",
            "Content-Length: ",
        ]
    ).encode()

    async def ask(message: bytes, due: float, sent: float) -> None:
        mark = uuid4().hex
        body = message.replace(MARK.encode(), mark.encode())
        found = await _asked(pool, b"%b%d\r\n\r\n%b" % (head, len(body), body), plan.services, mark)
        tally.answered(due, sent, monotonic(), found)

    started, cpu = monotonic(), process_time()
    try:
        async with asyncio.TaskGroup() as asking:
            for number, moment in enumerate(plan.moments()):
                due = started + moment
                await asyncio.sleep(due - monotonic())  # late or not, answers get their turn
                if tally.in_flight >= plan.in_flight:
                    tally.drop(f"not sent: {plan.in_flight} in flight")
                    continue
                sent = monotonic()
                tally.send(due, sent)
                asking.create_task(ask(plan.messages[number % len(plan.messages)], due, sent))
    finally:
        tally.elapsed, tally.cpu = monotonic() - started, process_time() - cpu
        await pool.close()


async def _asked(pool: Pool, request: bytes, services: Collection[str], mark: str) -> list[str]:
    """Why the answer is not right; nothing where it is."""
    try:
        used = await pool.take()
    except TimeoutError:
        return [f"no connection in {CONNECT_SECONDS} s"]
    except OSError as error:
        return [f"no connection: {connection.meaning(error)}"]
    try:
        answer = await used.exchange(request, _LARGEST, asyncio.get_running_loop().time() + READ_SECONDS)
    except TimeoutError:
        return [f"no answer in {READ_SECONDS} s"]
    except (AnswerError, LostError) as error:
        return [str(error)]
    except OSError as error:
        return [f"no answer: {connection.meaning(error)}"]
    finally:
        pool.give(used)
    return list(failures(answer.status, answer.charset, bytes(answer.body), services, mark))
