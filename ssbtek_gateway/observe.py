"""The structured log: one JSON line an event, on standard error, with the incident id and without personal data."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# A personnummer with or without century and separator. A net under the rule that no value is logged at all.
_PERSONNUMMER = re.compile(r"(?<![0-9a-fA-F])(?:[0-9]{2})?[0-9]{6}[-+]?[0-9]{4}(?![0-9a-fA-F])", re.ASCII)
_PLAIN = {"incident", "timestamp", "organisation"}
# Libraries that write messages, addresses or whole requests to the log (docs/decisions/0001).
_SILENCED = ("spyne", "zeep", "sqlalchemy", "asyncio", "urllib3", "uvicorn", "uvicorn.error")


def configure() -> None:
    """Set up the log for this process; what libraries log themselves is dropped."""
    for name in _SILENCED:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _masked,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        # One write a line, so that those of several processes do not mix.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
    )


def _masked(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value if key in _PLAIN else _mask(value) for key, value in entry.items()}


def _mask(value: object) -> object:
    match value:
        case str():
            return _PERSONNUMMER.sub("[nummer]", value)
        case dict():
            return {key: _mask(child) for key, child in value.items()}
        case list():
            return [_mask(child) for child in value]
        case _:
            return value
