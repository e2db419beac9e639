"""What the transport does on the wire, before a server whose every byte the test decides."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiodns
import aiohappyeyeballs
import pytest
from chaos.names import name_server
from cryptography.x509.oid import ExtendedKeyUsageOID
from unit.builders import question, so_answer
from unit.services.harness import enveloped

from ssbtek_gateway import devpki
from ssbtek_gateway.authorisation import Grant
from ssbtek_gateway.config import Bastjanst, Fk, So
from ssbtek_gateway.fanout import ask_all
from ssbtek_gateway.model import FkFraga
from ssbtek_gateway.resilience import Guarded
from ssbtek_gateway.services import fk, http1, so
from ssbtek_gateway.services.transport import Transport, TransportError

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ssbtek_gateway.services.service import BaseService

    Act = Callable[[asyncio.StreamWriter], Awaitable[None]]

pytestmark = pytest.mark.anyio
FOREVER = 60
PERIOD = {"from": "2026-01-01", "tom": "2026-01-31"}
LEFI = FkFraga("v9", "TEST-01", b"{}", {"period": PERIOD, "beslut": ["x"]})


def http(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(*pieces: bytes, pause: float = 0) -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        for number, piece in enumerate(pieces):
            await asyncio.sleep(pause if number else 0)
            writer.write(piece)
            await writer.drain()

    return act


async def hangs(writer: asyncio.StreamWriter) -> None:  # noqa: ARG001 - as the others
    await asyncio.sleep(FOREVER)


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


def then(last: Act, first: Act) -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        await first(writer)
        await last(writer)

    return act


@dataclass
class Wire:
    """A server that does to each request what comes next; `requests` tells the connection that each came on."""

    port: int = 0
    acts: list[Act] = field(default_factory=list)
    connections: int = 0
    requests: list[int] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while header := (await reader.readuntil(b"\r\n\r\n")).lower():
                length = header.partition(b"content-length:")[2].split(b"\r\n")[0]
                await reader.readexactly(int(length or 0))
                self.requests.append(number)
                await self.acts.pop(0)(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def settings(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field's value
        return {"url": f"http://127.0.0.1:{self.port}", "allow_plain_http": True, "seconds": 5, **changes}


@asynccontextmanager
async def wired(*acts: Act, **changes: Any) -> AsyncIterator[tuple[Wire, Transport]]:  # noqa: ANN401 - as settings
    wire = Wire(acts=list(acts))
    tasks = set[asyncio.Task[None]]()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(wire.serve(reader, writer)))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    transport = Transport(Bastjanst.model_validate(wire.settings(**changes)))
    try:
        yield wire, transport
    finally:
        await transport.close()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def post(wire: Wire, transport: Transport) -> str:
    try:
        reply = await transport.post(f"http://127.0.0.1:{wire.port}/", b"question", {})
    except TransportError as error:
        return error.failure.felkod
    return reply.body.decode() if reply.status == 200 else str(reply.status)


async def failed(wire: Wire, transport: Transport) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await transport.post(f"http://127.0.0.1:{wire.port}/", b"question", {})
    return caught.value


async def test_a_connection_is_kept_while_all_is_well() -> None:
    async with wired(says(http(b"one")), says(http(b"two"))) as (wire, transport):
        assert [await post(wire, transport), await post(wire, transport)] == ["one", "two"]
        assert wire.requests == [1, 1]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        pytest.param(hangs, "TIMEOUT", id="no answer"),
        pytest.param(says(http(b"half", length=99)), "TIMEOUT", id="half an answer"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\n"), "TIMEOUT", id="half a header"),
        pytest.param(says(b"GARBAGE\r\n\r\n"), "OGILTIGT_SVAR", id="not HTTP"),
        pytest.param(says(http(b"", "302 Found", "Location: /")), "OGILTIGT_SVAR", id="whole redirect"),
        pytest.param(says(http(b"x", "200 OK", "Content-Encoding: gzip")), "OGILTIGT_SVAR", id="whole, compressed"),
        pytest.param(says(http(b"x" * 2000)), "OGILTIGT_SVAR", id="whole, too large"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000), "OGILTIGT_SVAR", id="endless header"),
        pytest.param(says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "OGILTIGT_SVAR", id="upgrade"),
        pytest.param(then(hangs_up, says(http(b"half", length=99))), "OGILTIGT_SVAR", id="cut off"),
        pytest.param(then(hangs_up, says(b"HTTP/1.1 200 OK\r\n")), "ANSLUTNING", id="cut off in the header"),
        pytest.param(then(hangs_up, says(b"HTTP/1.1 200 OK\r\n\r\none")), "one", id="until the connection ends"),
        pytest.param(says(http(b"one") + http(b"stale")), "one", id="two answers at once"),
        pytest.param(says(http(b"one") + http(b"", "500 Error")), "one", id="an error after the answer"),
        pytest.param(says(http(b"one"), http(b"stale"), pause=0.05), "one", id="a second answer later"),
        pytest.param(says(http(b"one"), b"stale", pause=0.05), "one", id="bytes that nobody asked for"),
    ],
)
async def test_a_connection_on_which_something_went_wrong_is_not_used_again(act: Act, expected: str) -> None:
    async with wired(act, says(http(b"two")), seconds=0.3, answer_bytes=1024) as (wire, transport):
        assert await post(wire, transport) == expected
        await asyncio.sleep(0.1)
        assert await post(wire, transport) == "two"
        assert wire.requests == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + http(b"one"), id="interim answer first"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\non\r\n1\r\ne\r\n0\r\n\r\n", id="chunks"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\nContent-Encoding: gzip\r\n\r\n",
            id="chunks and a trailer",
        ),
    ],
)
async def test_an_answer_comes_in_pieces_of_any_size(answer: bytes) -> None:
    pieces = [answer[place : place + 1] for place in range(len(answer))]
    async with wired(says(answer), says(*pieces), says(http(b"two"))) as (wire, transport):
        assert [await post(wire, transport) for _ in range(3)] == ["one", "one", "two"]
        assert wire.requests == [1, 1, 1]


@pytest.mark.parametrize("body", [b"", b"<a/>", b"[]"])
async def test_so_and_fk_drop_a_connection_whose_answer_is_not_theirs(body: bytes) -> None:
    async with wired(*[says(http(body))] * 4) as (wire, _):
        services: list[BaseService] = [
            so.connect(So.model_validate(wire.settings())),
            fk.connect(Fk.model_validate(wire.settings())),
        ]
        for service in services:
            outcomes = [await service.ask(question(fk=LEFI)) for _ in range(2)]
            await service.close()
            assert [getattr(outcome, "felkod", "DATA") for outcome in outcomes] == ["OGILTIGT_SVAR"] * 2
        assert wire.requests == [1, 2, 3, 4]


@pytest.mark.parametrize("kept", [False, True])
async def test_a_question_that_may_have_been_received_is_never_sent_again(*, kept: bool) -> None:
    acts = [*([says(http(b"one"))] if kept else []), hangs_up, says(http(b"again"))]
    async with wired(*acts) as (wire, transport):
        if kept:
            await post(wire, transport)
        error = await failed(wire, transport)
        assert (error.failure.felkod, error.connected) == ("ANSLUTNING", True)
        assert len(wire.acts) == 1


async def test_a_connection_that_does_not_come_about_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = [1]
    start = aiohappyeyeballs.start_connection

    async def flaky(*args: Any, **kwargs: Any) -> socket.socket:  # noqa: ANN401 - as the library's own
        if refuse:
            refuse.pop()
            raise ConnectionRefusedError
        return await start(*args, **kwargs)

    monkeypatch.setattr(http1, "start_connection", flaky)
    async with wired(says(http(b"one"))) as (wire, transport):
        assert await post(wire, transport) == "one"
        assert wire.requests == [1]
        refuse += [1, 1, 1]
    async with wired() as (wire, transport):
        error = await failed(wire, transport)
        assert (error.failure.felkod, error.connected) == ("ANSLUTNING", False)
        assert len(refuse) == 1


async def test_a_timeout_says_phase_limit_and_elapsed() -> None:
    async with wired(hangs, seconds=0.3) as (wire, transport):
        error = await failed(wire, transport)
        assert error.connected
        assert error.failure.felmeddelande[1] == "Fas: svar. Gräns: 0,3 sekunder. Förfluten tid: 0,3 sekunder."


async def told(transport: Transport, url: str) -> tuple[str, bool, str]:
    """What came or which felkod, whether there was a connection, and the felkod's second text up to its last part."""
    try:
        reply = await transport.post(url, b"question", {})
    except TransportError as error:
        return error.failure.felkod, error.connected, error.failure.felmeddelande[1].rpartition(". ")[0]
    return reply.body.decode(), True, ""


@pytest.mark.parametrize("late", [pytest.param(None, id="never"), pytest.param(0.7, id="after the limit")])
async def test_a_name_server_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch, late: float | None) -> None:
    async with name_server(late) as names, wired(says(http(b"one")), connect_seconds=0.5) as (wire, transport):
        resolver = partial(aiodns.DNSResolver, nameservers=[f"127.0.0.1:{names.port}"])
        monkeypatch.setattr(aiodns, "DNSResolver", resolver)
        limit = "Fas: anslutning, försök 2. Gräns: 0,5 sekunder"
        assert await told(transport, f"http://agency.example:{wire.port}/") == ("TIMEOUT", False, limit)
        assert len(names.asked) == 4, "two attempts, and both families of addresses"
        assert await told(transport, f"http://127.0.0.1:{wire.port}/") == ("one", True, "")


async def test_a_name_server_that_answers_late(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_server(0.2) as names, wired(says(http(b"one")), connect_seconds=5) as (wire, transport):
        resolver = partial(aiodns.DNSResolver, nameservers=[f"127.0.0.1:{names.port}"])
        monkeypatch.setattr(aiodns, "DNSResolver", resolver)
        assert await told(transport, f"http://agency.example:{wire.port}/") == ("one", True, "")
        assert len(names.asked) == 2


async def test_names_are_resolved_without_threads() -> None:
    async with wired(says(http(b"one"))) as (wire, transport):
        reply = await transport.post(f"http://localhost:{wire.port}/", b"question", {})
        assert reply.body == b"one"


def established(port: int) -> int:
    """Our connections to a port on this machine, by the kernel."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(remote.endswith(f":{port:04X}") and state == "01" for _, _, remote, state, *_ in rows)


async def test_a_straggler_leaves_no_task_socket_or_place() -> None:
    good = says(http(enveloped(so_answer()).encode()))
    async with wired(good, hangs, good) as (wire, _):
        settings = So.model_validate(wire.settings(connections=1, samtidiga=1, seconds=FOREVER))
        guarded = Guarded(so.connect(settings), settings)
        asked = replace(question(), perioder={"SO": question().perioder["SO"]})

        async def outcome(seconds: float) -> str:
            outcomes, _took = await ask_all({"SO": guarded}, asked, Grant({}, None), seconds)
            return getattr(outcomes["SO"], "felkod", "DATA")

        assert await outcome(FOREVER) == "DATA"
        assert established(wire.port) == 1
        assert await outcome(0.3) == "TIMEOUT"
        assert "SO" not in {task.get_name() for task in asyncio.all_tasks()}
        async with asyncio.timeout(5):
            while established(wire.port):  # noqa: ASYNC110 - the kernel tells nobody
                await asyncio.sleep(0.01)
        assert await outcome(FOREVER) == "DATA"
        assert wire.requests == [1, 1, 2]
        await guarded.close()


async def test_a_closed_transport_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with wired(says(http(b"one")), hangs, seconds=0.2) as (wire, transport):
        await post(wire, transport)
        await post(wire, transport)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


@asynccontextmanager
async def secure(folder: Path, *, host: str = "127.0.0.1", lifetime: timedelta = timedelta(1)) -> AsyncIterator[str]:
    """The address of a TLS server whose certificate, for 127.0.0.1, is of the authority in `folder`/ca.pem."""
    authority = devpki.Authority("test")
    (folder / "ca.pem").write_bytes(authority.pem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devpki, "_LIFETIME", lifetime)
        for name, content in zip(
            ("pem", "key"), authority.issue("agency", None, ExtendedKeyUsageOID.SERVER_AUTH), strict=True
        ):
            (folder / f"agency.{name}").write_bytes(content)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "agency.pem", folder / "agency.key")
    wire = Wire(acts=[says(http(b"one"))])
    server = await asyncio.start_server(wire.serve, host, 0, ssl=context)
    async with server:
        yield f"https://{host}:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({}, "one"),
        ({"host": "127.0.0.2"}, "TLS"),
        ({"lifetime": timedelta(minutes=-1)}, "TLS"),
    ],
    ids=["the one we trust", "another name", "expired"],
)
async def test_nothing_is_sent_to_whom_we_do_not_trust(tmp_path: Path, server: dict[str, Any], expected: str) -> None:
    async with secure(tmp_path, **server) as url:
        transport = Transport(Bastjanst(url=url, authority=tmp_path / "ca.pem", seconds=5))
        assert (await told(transport, url))[:2] == (expected, expected == "one")
        await transport.close()


@pytest.mark.parametrize(("says_nothing", "expected"), [(True, "TIMEOUT"), (False, "ANSLUTNING")])
async def test_a_port_that_never_speaks_tls(pki: Path, *, says_nothing: bool, expected: str) -> None:
    ended = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if says_nothing:
            await reader.read()
        writer.close()
        ended.release()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        transport = Transport(Bastjanst(url=url, authority=pki / "ca.pem", seconds=5, connect_seconds=0.2))
        assert (await told(transport, url))[:2] == (expected, False)
        async with asyncio.timeout(5):  # both attempts, and neither is left open
            await ended.acquire()
            await ended.acquire()
        await transport.close()
