"""Rows of an audit in bulk, written as the gateway's own writer writes them: chained, and indexed like all others."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from unit.builders import CALLER, question

from ssbtek_gateway.audit import record
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.record import COLUMNS, PersonKey
from ssbtek_gateway.audit.writer import Writer
from ssbtek_gateway.authorisation import Grant

if TYPE_CHECKING:
    from pathlib import Path

_ASKED = record.asked("", CALLER, question(), Grant({}, None), PersonKey("1", b"k" * 32))
_TOGETHER = 500


def build(database: Path, chain_key: bytes, rows: int) -> None:
    """Append `rows` to the database, which is created: each of an incident and a person of its own."""
    writer = Writer(Sqlite(database), ChainKey(chain_key))
    writer.open()
    now = datetime.now(UTC).isoformat()
    for first in range(0, rows, _TOGETHER):
        writer.commit([_row(now) for _ in range(min(_TOGETHER, rows - first))])


def _row(now: str) -> list[object]:
    row = _ASKED | {"tidpunkt": now, "incident": secrets.token_hex(8), "person": secrets.token_hex(32)}
    return [row[column] for column in COLUMNS]
