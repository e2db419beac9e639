"""A folder's questions sent, several at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from queue import LifoQueue
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from ssbtek_gateway.replay.compare import Result, judge
from ssbtek_gateway.replay.send import Sender, SendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ssbtek_gateway.replay.fixtures import Fixture
    from ssbtek_gateway.replay.ignores import Ignore

# A certificate and its key.
_Identity: TypeAlias = "tuple[Path, Path]"


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint, whom it is known by, and who asks unless a fixture says otherwise."""

    url: str
    authority: Path
    certificate: Path
    key: Path

    def identity(self, fixture: Fixture) -> _Identity:
        own = fixture.expected.certificate
        return (own.cert, own.key) if own else (self.certificate, self.key)


def replayed(fixtures: Sequence[Fixture], target: Target, ignores: Sequence[Ignore], at_once: int) -> Iterator[Result]:
    """What becomes of each fixture, as it is known. A connection is used again.

    Raises `SetupError` before anything is sent, and `IgnoreError`.
    """
    idle: dict[_Identity, LifoQueue[Sender]] = {}
    with ExitStack() as stack:
        for identity, number in Counter(map(target.identity, fixtures)).items():
            idle[identity] = LifoQueue()
            for _ in range(min(number, at_once)):
                idle[identity].put(stack.enter_context(Sender(target.url, target.authority, *identity)))

        def result(fixture: Fixture) -> Result:
            # A session of requests is for one thread at a time.
            senders = idle[target.identity(fixture)]
            sender, started = senders.get(), monotonic()
            try:
                reply = sender.post(fixture.request, fixture.charset)
            except SendError as error:
                return Result(fixture.name, error=str(error), seconds=monotonic() - started)
            finally:
                senders.put(sender)
            seconds = monotonic() - started
            return replace(judge(fixture, reply, ignores), seconds=seconds)

        pool = ThreadPoolExecutor(at_once)
        stack.callback(pool.shutdown, cancel_futures=True)
        for future in as_completed([pool.submit(result, fixture) for fixture in fixtures]):
            yield future.result()
