"""Version 1's answer about a persona on a fixed day, all the way but for the sockets: the client's own question, the
flow, the services' requests, the simulator, the contract's writer.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING
from unittest import mock
from urllib.parse import urlsplit

from unit.builders import CALLER, flow, operation
from unit.simulator.driver import exchange

from ssbtek_gateway import client, config, resources, xmlgate
from ssbtek_gateway.config import KODER
from ssbtek_gateway.contracts.ssbtek1 import SSBTEK1
from ssbtek_gateway.inbound.soap import SoapEndpoint
from ssbtek_gateway.model import Period
from ssbtek_gateway.services import REGISTRY, csn, fk_rest, skv, soap
from ssbtek_gateway.services.transport import Reply
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.personas import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lxml.etree import _Element

    from ssbtek_gateway.services.service import BaseService

NS = f"{{{SSBTEK1.namespace}}}"
TODAY = date(2026, 3, 31)
PERIOD = Period(date(2026, 2, 1), TODAY + timedelta(days=30))
PERSONAS = load(today=TODAY)


class _Transport:
    """`Transport` straight into the simulator."""

    def __init__(self, _settings: config.Bastjanst) -> None:
        self._simulator = Simulator(PERSONAS, today=lambda: TODAY)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        media = headers["Content-Type"].partition(";")[0]
        got = await exchange(self._simulator, urlsplit(url).path, body, method="POST", media=media)
        return Reply(got.status, "utf-8", got.body)


@cache
def _services() -> dict[str, BaseService]:
    settings = {kod: {"url": f"https://agency.example/{kod.lower()}", "authority": "ca.pem"} for kod in KODER}
    settings["SKV"]["delar_url"] = "https://agency.example/skv/v11"
    connected = config.Bastjanster.model_validate(settings)
    assert connected.CSN is not None
    with ExitStack() as stack:
        for module in (soap, fk_rest, skv):
            stack.enter_context(mock.patch.object(module, "Transport", _Transport))
        services: dict[str, BaseService] = {kod: REGISTRY[kod].connect(getattr(connected, kod)) for kod in KODER}
        # The only one that asks what day it is.
        services["CSN"] = soap.SoapService(csn.spec(connected.CSN), connected.CSN, clock=lambda: TODAY)
    return services


@cache
def _question(koder: frozenset[str]) -> str:
    somebody = PERSONAS["allt"].person
    return client.written(resources.wsdl(SSBTEK1.wsdl), somebody, PERIOD, client.TEST_ASKER, koder)


@cache
def typed_answer(alias: str, koder: Iterable[str] = KODER, *, dokument: bool = False) -> _Element:
    """The Body's element. `dokument`: Skatteverket is asked without a block, as in version 10. Not to be changed."""
    message = _question(frozenset(koder)).replace(PERSONAS["allt"].person.reveal(), PERSONAS[alias].person.reveal())
    question = operation(message)
    if dokument:
        for block in question.findall(f".//{NS}SKV/{NS}fraga"):
            block.getparent().remove(block)  # type: ignore[union-attr] # it has one
    answer = asyncio.run(SoapEndpoint(SSBTEK1, flow(_services())).answer(question, CALLER, "incident-1"))
    return operation_of(answer)


def operation_of(answer: bytes) -> _Element:
    (body,) = xmlgate.parse_agency(answer, None).iterchildren("{*}Body")
    return body[0]


def section(alias: str, kod: str, *, dokument: bool = False) -> _Element:
    """The section `kod` of the answer about a persona."""
    found = typed_answer(alias, dokument=dokument).find(f"{NS}svarsdata/{NS}{kod}")
    assert found is not None
    return found
