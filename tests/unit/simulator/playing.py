"""Runs the real server in a process of its own and ends it with a signal: `python playing.py PKI SIGNAL [play]`.

No unit test may reach the network; this process is not the one that tests, and speaks to itself alone. With `play` it
asks first, and prints what each connection saw; without, the signal comes as soon as the server has started. Then it
prints `returned`; whatever the server has to complain of goes to stderr.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from unit.simulator import driver

from ssbtek_gateway import tls
from ssbtek_gateway.simulator.faults import parse_fault
from ssbtek_gateway.simulator.server import Settings, serve

if TYPE_CHECKING:
    import ssl

_FAULTS = ("AF=truncated", "SO=hang", "CSN=huge", "TNS=slow:60", "MIV=reset")
_DAY = date(2026, 3, 31)
_PERSON = "191212121212"


def _message(service: str) -> bytes:
    path, media = (driver.FRAGA, "application/json") if service == "FK" else (f"/{service.lower()}", "text/xml")
    body = driver.question(service, _PERSON, _DAY, _DAY)
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _ask(service: str, port: int, context: ssl.SSLContext) -> tuple[str, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    writer.write(_message(service))
    try:
        if service in {"SO", "TNS"}:
            seen = "nothing"
            try:
                await asyncio.wait_for(reader.read(1), 0.2)
                seen = "something"
            except TimeoutError:
                pass
        elif service == "AF":
            seen = "less" if b"</soap:Envelope>" not in await reader.read() else "all"
        elif service == "CSN":
            seen = "more" if len(await reader.readexactly(300_000)) else ""
        elif service == "MIV":
            seen = "nothing" if not await reader.read() else "something"
        else:
            seen = (await reader.readline()).decode().strip()
    except ConnectionError:
        seen = "reset"
    return seen, writer


async def _main(pki: Path, number: signal.Signals, *, play: bool) -> None:
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def started(ports: list[int]) -> None:
        listening.set_result(ports[0])
        if not play:
            os.kill(os.getpid(), number)

    faults = dict(parse_fault(fault) for fault in _FAULTS)
    settings = Settings("127.0.0.1", 0, pki / "agency.pem", pki / "agency.key", (pki / "ca.pem",), faults)
    server = asyncio.ensure_future(serve(settings, started))
    connections = []
    if play:
        context = tls.client_context(pki / "gateway.pem", pki / "gateway.key", pki / "ca.pem")
        context.check_hostname = False
        port = await listening
        for service in ("AF", "SO", "CSN", "TNS", "MIV", "FK"):
            seen, writer = await _ask(service, port, context)
            connections.append(writer)
            sys.stdout.write(f"{service} {seen}\n")
        os.kill(os.getpid(), number)
    await server
    sys.stdout.write("returned\n")
    for writer in connections:
        writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), signal.Signals[sys.argv[2]], play="play" in sys.argv))
