"""Which stage of a question's way a line of code belongs to: the one table that `make profile` goes by.

A sample is placed by the innermost of its frames that stands in the table. A place is a file below ssbtek_gateway/, or
`file:function` where a file serves several stages, or `/package` of somebody else's; helpers need not be named, for the
function that called them is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOOP = "event loop, sockets, other"
WRITER = "audit, its process"
STAGES = {
    "listen, HTTP in": (
        *("inbound/protocol.py", "inbound/accept.py", "inbound/server.py", "inbound/framing.py", "inbound/app.py"),
        "/uvicorn",
    ),
    "TLS": ("/ssl.py",),
    "gate, spyne, XSD in": (
        *("xmlgate.py:parse_caller", "inbound/app.py:_parsed", "inbound/envelope.py", "inbound/soap.py", "/spyne"),
        *("contracts/contract.py:check_question", "contracts/contract.py:read_question", "contracts/size.py"),
        *("contracts/personidentitet.py", "contracts/lefi.py", "inbound/security.py"),
    ),
    "identity, register": ("inbound/identity.py", "revocation.py", "authorisation.py", "rates.py", "closing.py"),
    "places, fan-out": ("admission.py", "fanout.py", "resilience.py", "flow.py"),
    "message building": (
        *("services/template.py", "services/soap.py:request", "services/soap.py:refusal", "services/soap.py:ask"),
        *("services/fk_rest.py:refusal", "services/fk_rest.py:_url", "services/lefi.py:limit"),
        *("services/fk_soap.py:_limit", "services/fk_soap.py:_message"),
        *(f"services/{kod}.py:_message" for kod in ("af", "csn", "so", "tns", "miv")),
    ),
    "HTTP out": ("services/http1.py", "services/transport.py", "connection.py"),
    "parse, judge": (
        *("services/soap.py:_outcome", "services/soap.py:_checked", "xmlgate.py:parse_agency"),
        *("xmlgate.py:parse_agency_text", "services/rest.py", "services/lefi.py", "services/fk_soap.py"),
        *("services/fk_rest.py", "jsongate.py"),
    ),
    "assembly, XSD out": (
        "contracts/contract.py:write_answer",
        "contracts/contract.py:invalid_sections",
        "oversikt.py",
    ),
    "audit, in the worker": ("audit/store.py", "audit/record.py"),
    WRITER: (),
    "log": ("observe.py", "/structlog"),
    "metrics": ("telemetry.py", "metrics.py", "families.py"),
    "supervisor": ("supervisor/", "health.py"),
    LOOP: (),
}
_PLACES = {place: stage for stage, places in STAGES.items() for place in places}
_FRAME = re.compile(r"(?P<name>.*) \((?P<file>[^)]*?)(?::[0-9]+)?\)")
_OURS = "ssbtek_gateway/"
# By what a process was started with; a worker's samples are placed by their frames.
_PROCESSES = {"ssbtek_gateway.supervisor": "supervisor", "ssbtek_gateway.audit.writer": WRITER}


def process_stage(command: str) -> str | None:
    """The stage that all of a process belongs to, by its command line."""
    return next((stage for name, stage in _PROCESSES.items() if name in command), None)


def stage(frames: Sequence[str]) -> str:
    """Where a stack belongs, its frames from the outermost to the innermost, as py-spy writes them."""
    return next(filter(None, map(_placed, reversed(frames))), LOOP)


def _placed(frame: str) -> str | None:
    found = _FRAME.fullmatch(frame)
    return next((_PLACES[place] for place in _spellings(found) if place in _PLACES), None) if found else None


def _spellings(found: re.Match[str]) -> Iterable[str]:
    """How the table could name this place, the most exact first."""
    function, file = found["name"].rpartition(".")[2], found["file"]
    if _OURS not in file:
        yield from ("/" + part for part in file.split("/"))
        return
    own = file.rpartition(_OURS)[2]
    yield f"{own}:{function}"
    yield own
    yield own.partition("/")[0] + "/"
