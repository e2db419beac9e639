"""The LEFI question inside a question: it must be readable and about the same person, or nobody is asked anything.

What only FK can refuse (version, kinds, period) is the service's own limit, in `services/lefi.py`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from ssbtek_gateway import jsongate
from ssbtek_gateway.contracts import schema_errors
from ssbtek_gateway.faults import GatewayFault

if TYPE_CHECKING:
    from ssbtek_gateway.model import PersonId

_FIELD = "lefiJsonFraga"
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")
# LEFI's own pattern: the century may be left out.
_PERSONNUMMER = re.compile(r"(?:[0-9]{2})?[0-9]{10}", re.ASCII)


def decoded(text: str) -> bytes:
    """The bytes of `lefiJsonFraga`. libxml2 admits stray characters in base64; we do not. Raises `GatewayFault`."""
    try:
        return b64decode(_WHITE_SPACE.sub("", text).encode(), validate=True)
    except ValueError:
        raise _fault(schema_errors.rule(_FIELD), "lefiJsonFraga: not base64") from None


def content(sent: bytes, person: PersonId) -> dict[str, Any]:
    """The question in `sent` (`LefiExternFormansinformationFraga`). Raises `GatewayFault` where it is about another."""
    try:
        value = jsongate.parse(sent, unique=True)
    except jsongate.JsonError as error:
        raise _fault(schema_errors.rule(_FIELD), f"lefiJsonFraga: {error}") from None
    number = value.get("personnummer") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(number, str) or not _PERSONNUMMER.fullmatch(number):
        detalj = f"{_FIELD}: ska vara ett JSON-objekt med personnummer (tio eller tolv siffror)."
        raise _fault(detalj, "lefiJsonFraga: no personnummer")
    if not person.reveal().endswith(number):
        detalj = f"{_FIELD}: personnummer ska vara detsamma som personidentitet."
        raise _fault(detalj, "lefiJsonFraga: about another person")
    return value


def _fault(detalj: str, reason: str) -> GatewayFault:
    return GatewayFault("OGILTIG_FRAGA", detalj, reason=reason)
