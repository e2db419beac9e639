"""The structured log: one JSON line an event, on standard error, with the incident id and without personal data.

docs/operate/log.md lists the events and what each says.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from ssbtek_gateway import metrics

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# A personnummer with or without century and separator. A net under the rule that no value is logged at all.
_PERSONNUMMER = re.compile(r"(?<![0-9a-fA-F])(?:[0-9]{2})?[0-9]{6}[-+]?[0-9]{4}(?![0-9a-fA-F])", re.ASCII)
_PLAIN = {"incident", "timestamp", "organisation", "certifikat_organisation"}
# Libraries that write messages, addresses or whole requests to the log (docs/decisions/0001).
_SILENCED = ("spyne", "zeep", "sqlalchemy", "asyncio", "urllib3", "uvicorn", "uvicorn.error", "opentelemetry")
_STANDARD_ERROR = 2
_LOG = structlog.get_logger()
_chosen = {"points": False}


class Lines:
    """Writes lines to a descriptor. What it cannot take is dropped, and the next line says how many those were.

    Where the descriptor does not block (`unblock`), a reader that has stopped reading holds up nobody.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""
        self._lost = 0

    def info(self, line: str) -> None:
        data = f"{self._told()}{line}\n".encode(errors="backslashreplace")
        try:
            written = os.write(self._descriptor, self._rest + data)
        except OSError:  # it is full, or who read it has gone
            written = 0
        begun = max(0, written - len(self._rest))
        self._rest = self._rest[written:] + (data[begun:] if begun else b"")
        if begun:
            self._lost = 0
        else:
            self._lost += 1
            metrics.LOG_LOST.inc()

    debug = warning = error = critical = info

    def _told(self) -> str:
        if not self._lost:
            return ""
        now = datetime.now(UTC).isoformat()
        return json.dumps({"event": "log-lost", "lines": self._lost, "level": "warning", "timestamp": now}) + "\n"


def unblock() -> None:
    """From now on standard error takes what it can and the rest is dropped, where it is a pipe or a socket.

    So for every process that shares it: use it where nothing but the log is written there.
    """
    kind = os.fstat(_STANDARD_ERROR).st_mode
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
        os.set_blocking(_STANDARD_ERROR, False)


def points() -> bool:
    """Whether the four points of a question are logged."""
    return _chosen["points"]


def point(event: str, **facts: object) -> None:
    """One of the four points that a question passes: sizes, times and codes, never content."""
    if points():
        _LOG.info(event, **facts)


def configure(*, four_points: bool = False, for_good: bool = False) -> None:
    """Set up the log for this process, with or without the four points; what libraries log themselves is dropped.

    `for_good` binds each logger once, which is cheaper, and makes it blind to what is set up later.
    """
    _chosen["points"] = four_points
    lines = Lines(_STANDARD_ERROR)
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
            _written,
        ],
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=for_good,
    )


def _written(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> str:
    try:
        return orjson.dumps(entry, default=repr).decode()
    except TypeError:  # a file name that is not UTF-8, say
        return json.dumps(entry, default=repr)


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
