"""Asks many questions at once over mutual TLS, and switches the simulator's faults."""

from __future__ import annotations

import asyncio
import json
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Self

import aiohttp
from lxml import etree
from vectors import make

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.config import KODER
from ssbtek_gateway.services.service import today

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from lxml.etree import _Element

# What a real client waits.
READ_SECONDS = 30
DATA = "DATA"
_ARENDE = "Ärende-17"
_HEADERS = {"Content-Type": "text/xml; charset=utf-8"}


def message(arende: str, services: Collection[str] = KODER) -> bytes:
    """A question of version 10 about the last month, whose audit rows can be told by `arende`."""
    return _message(frozenset(services)).replace(_ARENDE, arende).encode()


@cache
def _message(services: Collection[str]) -> str:
    first, last = today() - timedelta(days=25), today() - timedelta(days=3)
    schema = json.loads(resources.xsd("services/fk/lefi-9.schema.json").read_bytes())["$defs"]
    lefi = {
        "personnummer": make.PERSON,
        "period": {"from": first.isoformat(), "tom": last.isoformat()},
        "formansinformation": schema["LefiFkFormanGruppKod"]["x-kanda-koder"],
    }
    text = make.TEMPLATE
    for old, new in (
        (make.lefi(make.PERSON), b64encode(json.dumps(lefi).encode()).decode()),
        ("2026-01-01", first.isoformat()),
        ("2026-01-31", last.isoformat()),
        *((f'<ssbt:{kod} inkludera="true"', f'<ssbt:{kod} inkludera="false"') for kod in set(KODER) - set(services)),
    ):
        text = text.replace(old, new)
    return text


@dataclass(frozen=True)
class Answer:
    """What came: HTTP status (0 where nothing did), the whole question's felkod, and the outcome of each section."""

    status: int
    felkod: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    valid: bool = False
    seconds: float = 0
    body: bytes = field(default=b"", repr=False)


class Asker:
    """A client with as many connections as questions. Make it on the running event loop, and close it there."""

    def __init__(self, pki: Path, who: str = "client") -> None:
        context = ssl.create_default_context(cafile=pki / "ca.pem")
        context.load_cert_chain(pki / f"{who}.pem", pki / f"{who}.key")
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(READ_SECONDS))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()

    async def ask(self, url: str, arende: str, services: Collection[str] = KODER) -> Answer:
        """Never raises for what the gateway does: no answer is status 0."""
        started = monotonic()
        try:
            async with self._session.post(url, data=message(arende, services), headers=_HEADERS) as response:
                body = await response.read()
        except (aiohttp.ClientError, OSError):
            return Answer(0, seconds=monotonic() - started)
        return _read(response.status, body, monotonic() - started)


def _read(status: int, body: bytes, seconds: float) -> Answer:
    root = etree.fromstring(body)
    answer = root.find("{*}Body")[0]  # type: ignore[index] # a gateway's answer has a Body
    outcomes = {etree.QName(section).localname: _outcome(section) for section in answer.iterfind("{*}svarsdata/*")}
    felkod = "" if outcomes else root.findtext(".//{*}felkod", "")
    schema = xmlgate.schema(resources.xsd("ssbt/10/sammansatt_bastjanst.xsd"))
    # On its own: libxml2 checks part of a tree without its ancestors' prefixes.
    return Answer(status, felkod, outcomes, schema.validate(etree.fromstring(etree.tostring(answer))), seconds, body)


def _outcome(section: _Element) -> str:
    if section.find("{*}data") is not None:
        return DATA
    return f"{section.findtext('{*}error/{*}kalla')} {section.findtext('{*}error/{*}felkod')}"


class Faults:
    """The simulator's control, at a port on this machine. Use it as an asynchronous context manager."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(raise_for_status=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def play(self, service: str, fault: str) -> None:
        async with self._session.put(f"{self._url}/faults/{service}", data=fault):
            pass

    async def clear(self) -> None:
        async with self._session.delete(f"{self._url}/faults"):
            pass

    async def asked(self) -> dict[str, int]:
        """How often each agency has been asked."""
        async with self._session.get(f"{self._url}/asked") as response:
            found: dict[str, int] = await response.json()
            return found

    async def until_asked(self, times: Mapping[str, int]) -> None:
        """Return when each agency has been asked so often, and no more."""
        async with asyncio.timeout(READ_SECONDS):
            while await self.asked() != times:  # noqa: ASYNC110 - it may be another process
                await asyncio.sleep(0.002)
