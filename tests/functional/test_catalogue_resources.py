"""security.md section 1, Resources: callers that hold, cut, drip or crowd, and the question answered meanwhile."""

from __future__ import annotations

import os
import socket
import struct
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
from harness import running_gateway
from vectors import make
from wire import CLOSE, MIV, PATIENCE, XML, connected, exchange, read, request

from ssbtek_gateway.inbound.accept import Acceptor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness import Gateway

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def crowded(pki: Path, tmp_path: Path, agencies: int) -> Iterator[Gateway]:
    """A gateway that gives each caller a second or two, and room for few half-open handshakes."""
    listen = "handshakes = 50\nhandshake_seconds = 60\nidle_seconds = 2\nconnections = 400"
    with running_gateway(pki, tmp_path, agencies, listen=listen) as gateway:
        yield gateway


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not opened


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def hung_up(half: socket.socket) -> bool:
    """Whether the gateway has closed: a close with bytes unread resets (RFC 1122 section 4.2.2.13)."""
    try:
        return half.recv(1) == b""
    except ConnectionResetError:
        return True


def answered(gateway: Gateway) -> None:
    """A good question, which also opens the connections that the gateway keeps."""
    assert read(exchange(gateway, request(make.VALID["everything"]))).status == 200


def test_idle_connections_keep_nobody_out_and_leave_nothing_behind(crowded: Gateway) -> None:
    answered(crowded)
    before = descriptors()
    with ExitStack() as stack:
        idle = [stack.enter_context(connected(crowded)) for _ in range(300)]
        answered(crowded)
        # None of them said anything, so the gateway hangs up on each.
        assert {secure.recv(1) for secure in idle} == {b""}
    until(lambda: descriptors() <= before)


def test_half_open_handshakes_give_way(crowded: Gateway) -> None:
    answered(crowded)
    before = descriptors()
    hello = bytes.fromhex("16030102000100")  # the start of one
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", crowded.port), 10)) for _ in range(100)]
        for half in silent[::2]:
            half.sendall(hello)
        answered(crowded)
        # The first ones have been cut off long before their ten seconds, and there is room for fifty.
        assert all(map(hung_up, silent[:50]))
        assert descriptors() - before <= 100 + 50
    until(lambda: descriptors() <= before)


def test_callers_that_cut_or_drip_keep_nobody_out_and_leave_nothing_behind(crowded: Gateway) -> None:
    answered(crowded)
    before = descriptors()
    header, body = request(MIV, XML).partition(b"\r\n\r\n")[::2]
    for cut in (b"", b"P", header, header + b"\r\n\r\n" + body[:99], header + b"\r\n\r\n" + body) * 20:
        with connected(crowded) as secure:
            secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            secure.sendall(cut)
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(crowded)) for _ in range(30)]
        for number, secure in enumerate(slow):
            secure.sendall(header if number % 2 else header + b"\r\n\r\n<")
        answered(crowded)
        for number, secure in enumerate(slow):
            got = secure.recv(65536)
            assert got == b"" if number % 2 else got.startswith(b"HTTP/1.1 408 ")
    until(lambda: descriptors() <= before)


# As much as a question that comes back can be.
LEFI = b64encode(f'{{"personnummer": "{make.PERSON}", "x": "{"a" * 180_000}"}}'.encode()).decode()
LONG = request(
    make.edited(
        make.leaf("fraganSkallInkluderasISvaret", "false", "true"),
        make.leaf("lefiJsonFraga", make.lefi(make.PERSON), LEFI),
    ).encode(),
    XML,
    CLOSE,
)


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the way out the kernel takes little, so that an answer waits in the gateway for its reader."""
    made = Acceptor.__init__

    def make_small(self: Acceptor, listening: socket.socket, *rest: Any) -> None:  # noqa: ANN401 - the acceptor's own
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        made(self, listening, *rest)

    monkeypatch.setattr(Acceptor, "__init__", make_small)


@pytest.mark.usefixtures("small_buffers")
def test_a_caller_that_reads_slowly_gets_the_whole_answer(pki: Path, tmp_path: Path, agencies: int) -> None:
    with (
        running_gateway(pki, tmp_path, agencies, listen="body_seconds = 20") as gateway,
        connected(gateway, receive_bytes=4096) as secure,
    ):
        secure.sendall(LONG)
        received = secure.recv(100)
        time.sleep(2)  # longer than the gateway waits for a client to close
        while part := secure.recv(65_536):
            received += part
    reply = read(received)
    assert reply.body.endswith(b"</soap:Envelope>")
    assert len(reply.body) > len(LEFI)


@pytest.mark.usefixtures("small_buffers")
def test_callers_that_do_not_read_are_left(pki: Path, tmp_path: Path, agencies: int) -> None:
    with running_gateway(pki, tmp_path, agencies) as gateway, ExitStack() as stack:
        deaf = [stack.enter_context(connected(gateway, receive_bytes=4096)) for _ in range(10)]
        for secure in deaf:
            secure.sendall(LONG)
        answered(gateway)
        time.sleep(4)  # longer than an answer may take to be read, and the connection to be closed
        for secure in deaf:
            received = b""
            with suppress(ConnectionError):
                while part := secure.recv(65_536):
                    received += part
            assert len(received) < len(LEFI)


def test_forty_at_once_are_answered(crowded: Gateway) -> None:
    everything = request(make.VALID["everything"])
    with ThreadPoolExecutor(40) as pool:
        replies = list(pool.map(lambda _: read(exchange(crowded, everything)), range(80)))
    assert {reply.status for reply in replies} == {200}
