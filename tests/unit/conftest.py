"""No unit test reaches the network or waits for ever."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from pytest_socket import disable_socket, enable_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

# Far above what any of them takes.
LIMIT_SECONDS = 20


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    # Unix sockets are left, for an event loop wakes itself through a pair of them.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def _no_endless_wait() -> Iterator[None]:
    def expired(_number: int, _frame: object) -> None:
        pytest.fail(f"still waiting after {LIMIT_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(LIMIT_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
