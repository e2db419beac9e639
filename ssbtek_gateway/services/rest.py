"""What the base services that speak JSON over HTTP share: a question out, an answer in, read and as it came."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ssbtek_gateway import jsongate
from ssbtek_gateway.faults import agency_fault, failure
from ssbtek_gateway.model import Failure
from ssbtek_gateway.services.transport import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ssbtek_gateway.services.transport import Reply, Transport

_HEADERS: Mapping[str, str] = {"Content-Type": "application/json", "Accept": "application/json"}
_OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes as they were received, and the value that they hold."""

    body: bytes = field(repr=False)
    value: Any = field(repr=False)
    drop: Callable[[], None] = field(repr=False)
    """Close the connection that it came on: for whoever finds that it is not the answer to the question."""


def written(value: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    """`value` as JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode()


async def ask(transport: Transport, url: str, body: bytes, meanings: Mapping[str, tuple[str, ...]]) -> Answer | Failure:
    """Post `body`; `meanings` are our Swedish texts for the statuses that the agency documents."""
    try:
        reply = await transport.post(url, body, _HEADERS)
    except TransportError as error:
        return error.failure
    try:
        return refusal(reply, meanings) or Answer(reply.body, jsongate.parse(reply.body, unique=False), reply.drop)
    except jsongate.JsonError as error:
        reply.drop()
        return failure("OGILTIGT_SVAR", reason=str(error))


def refusal(reply: Reply, meanings: Mapping[str, tuple[str, ...]]) -> Failure | None:
    """The agency's own failure where it did not answer 200. In REST the status is its own code."""
    if reply.status == _OK:
        return None
    felkod, reason = str(reply.status), f"HTTP {reply.status}"
    if felkod in meanings:
        return Failure("BT", felkod, meanings[felkod], reason)
    return agency_fault(felkod, detalj=f"HTTP-status {felkod}.", reason=reason)
