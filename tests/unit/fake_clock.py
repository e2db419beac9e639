"""An event loop whose clock only moves where everybody waits, and then at once: hours pass in no time, in order."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selectors import SelectorKey


class _Selector(selectors.DefaultSelector):
    """Waits for nobody: where nothing is ready the clock moves on to whatever comes next."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, Any]]:
        ready: list[tuple[SelectorKey, Any]] = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nothing will ever happen"
            self.now += timeout
        return ready


class FakeClockLoop(asyncio.SelectorEventLoop):
    """`time` begins at 0. For code that waits for events and time alone, not for sockets or threads."""

    def __init__(self) -> None:
        self._fake = _Selector()
        super().__init__(self._fake)

    def time(self) -> float:
        return self._fake.now
