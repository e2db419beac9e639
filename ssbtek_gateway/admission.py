"""How many questions are answered at once. A further one waits shortly in a bounded queue, or is refused."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from math import ceil
from typing import TYPE_CHECKING

from ssbtek_gateway.faults import GatewayFault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ssbtek_gateway.config import Limits


class Admission:
    """The places of one process. Make it on the running event loop."""

    def __init__(self, limits: Limits) -> None:
        self._places = asyncio.Semaphore(limits.questions)
        self._queued = limits.queued
        self._seconds = limits.queue_seconds
        self.waiting = 0
        self.answering = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place until the end of the block. Raises `GatewayFault` OVERBELASTAD where none comes free in time."""
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        self.answering += 1
        try:
            yield
        finally:
            self.answering -= 1
            self._places.release()

    async def _wait(self) -> None:
        if self.waiting >= self._queued:
            raise self._refusal("the queue is full")
        self.waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        except TimeoutError:
            raise self._refusal("no place came free within queue_seconds") from None
        finally:
            self.waiting -= 1

    def _refusal(self, reason: str) -> GatewayFault:
        return GatewayFault("OVERBELASTAD", reason=reason, retry_after=max(1, ceil(self._seconds)))
