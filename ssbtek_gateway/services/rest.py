"""What the base services that speak JSON over HTTP share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.faults import agency_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.model import Failure
    from ssbtek_gateway.services.transport import Reply

HEADERS: Mapping[str, str] = {"Content-Type": "application/json", "Accept": "application/json"}
_OK = 200


def written(value: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    """`value` as JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode()


def refusal(reply: Reply, meanings: Mapping[int, str]) -> Failure | None:
    """The agency's own failure where it did not answer 200; `meanings` are ours, in Swedish, for what it documents."""
    if reply.status == _OK:
        return None
    meaning = meanings.get(reply.status, "")
    detalj = f"HTTP-status {reply.status}. {meaning}".strip()
    # In REST the status is the agency's own code.
    return agency_fault(str(reply.status), detalj=detalj, reason=f"HTTP {reply.status}")
