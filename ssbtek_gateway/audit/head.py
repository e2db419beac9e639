"""A signed head: how far each writer had come at a moment. Kept elsewhere, it shows later that an end was cut off."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.audit.verify import Tail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.audit.chain import ChainKey
    from ssbtek_gateway.audit.verify import Report

FORMAT = "ssbtek-gateway audit head 1"


class HeadError(ValueError):
    """This is no head, or not one that was signed with this key."""


def sign(report: Report, key: ChainKey) -> dict[str, Any]:
    """The head of what was verified, as JSON values."""
    head: dict[str, Any] = {
        "format": FORMAT,
        "time": datetime.now(UTC).isoformat(),
        "rows": report.rows,
        "writers": [{"writer": writer, "seq": tail.seq, "mac": tail.mac} for writer, tail in report.tails.items()],
    }
    return head | {"hmac": _mac(head, key)}


def read(text: str, key: ChainKey) -> Mapping[str, Tail]:
    """How far each writer had come. Raises `HeadError` where the text is no head that `key` signed."""
    try:
        head = json.loads(text)
        if head["format"] != FORMAT:
            raise HeadError(f"its format is not {FORMAT!r}")
        signed = hmac.compare_digest(head["hmac"], _mac(head, key))
        tails = {entry["writer"]: Tail(entry["seq"], entry["mac"]) for entry in head["writers"]}
    except (json.JSONDecodeError, KeyError, TypeError, RecursionError):
        raise HeadError("it is no head written by `audit head`") from None
    if not signed:
        raise HeadError("it was changed, or signed with another key")
    return tails


def _mac(head: Mapping[str, Any], key: ChainKey) -> str:
    writers = [(entry["writer"], entry["seq"], entry["mac"]) for entry in head["writers"]]
    return key.mac("head", head["format"], head["time"], head["rows"], writers)
