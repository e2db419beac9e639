"""Hears what a gateway is asked and asks: an ASGI app around its own, and the tap of its connections to agencies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.inbound import framing
from ssbtek_gateway.recording.recorder import Exchange
from ssbtek_gateway.services import transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from typing import Any

    from ssbtek_gateway.config import Settings
    from ssbtek_gateway.inbound.app import Application, Receive, Scope, Send
    from ssbtek_gateway.recording.recorder import Recorder
    from ssbtek_gateway.services.transport import Reply

_VERSIONS = {contract.path: version for version, contract in CONTRACTS.items()}


def listening(settings: Settings, recorder: Recorder) -> Callable[[Application], Application]:
    """What makes a gateway's app one whose questions are kept. A question is kept when it has been answered."""
    places = dict(_places(settings))
    one_at_a_time = asyncio.Lock()

    def around(app: Application) -> Application:
        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            version = _VERSIONS.get(scope["path"])
            if version is None or scope["method"] != "POST":
                return await app(scope, receive, send)
            heard: list[Exchange] = []
            request, response, status = bytearray(), bytearray(), 0

            async def received() -> MutableMapping[str, Any]:
                event = await receive()
                request.extend(event.get("body", b""))
                return event

            async def sent(event: MutableMapping[str, Any]) -> None:
                nonlocal status
                status = event.get("status", status)
                response.extend(event.get("body", b""))
                await send(event)

            def tap(url: str, asked: bytes, reply: Reply) -> None:
                place = next((place for start, place in places.items() if f"{url}/".startswith(f"{start}/")), None)
                if place is not None:
                    heard.append(Exchange(place, asked, None, reply.body, reply.charset, reply.status))

            tapped = transport.TAP.set(tap)
            try:
                await app(scope, received, sent)
            finally:
                transport.TAP.reset(tapped)
            try:
                charset = framing.charset(scope)
            except framing.HttpError:
                return None  # refused before it was a question
            asked = Exchange(f"callers/{version}", bytes(request), charset, bytes(response), None, status)
            async with one_at_a_time:
                return await asyncio.to_thread(recorder.keep, [asked, *heard])

        return recorded

    return around


def _places(settings: Settings) -> Iterator[tuple[str, str]]:
    """Where each agency's address begins, and the folder of what is asked there."""
    skv = settings.bastjanst.SKV
    if skv is not None and skv.delar_url is not None:
        for part, path in skv.delar:
            yield f"{skv.delar_url}{path}", f"agencies/skv/v11/{part}"
    for kod, service in settings.bastjanst:
        if service is not None:
            yield service.url, f"agencies/{kod.lower()}"
