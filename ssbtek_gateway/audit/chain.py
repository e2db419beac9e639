"""The chain: a row's MAC covers the row before it of the same writer, and a writer's MAC the writer before it.

A writer is one connection of one process to the store. It is entered in the table of writers together with its first
row, so that every writer has rows, and its entry names the row that the writer before it had come to: neither a writer
nor the end of an earlier one can vanish unseen. The key lies outside the store (docs/operate/audit.md).
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.audit.record import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssbtek_gateway.audit.backend import Backend, Driver
    from ssbtek_gateway.audit.record import Row

# What a MAC covers of a row, or of a checkpoint.
_ROW = itemgetter(*COLUMNS, "writer", "seq")
_CHECKPOINT = itemgetter("writer", "seq", "row_mac", "rows", "before", "purged")


@dataclass(frozen=True, slots=True)
class Tail:
    """How far a chain has come: the number and MAC of its last link.

    Of a writer that is a row, number 0 its own entry; of the table of checkpoints a checkpoint, number 0 none.
    """

    seq: int
    mac: str


@dataclass(frozen=True, slots=True)
class ChainKey:
    """HMAC-SHA-256 under a key kept outside the store: without it no row can be changed unseen."""

    key: bytes = field(repr=False)

    def mac(self, kind: str, *values: object) -> str:
        """64 hexadecimal digits over what `kind` says these values are."""
        # An array of JSON strings, numbers and nulls is written in one way only.
        return hmac.digest(self.key, json.dumps((kind, *values), default=_foreign).encode(), "sha256").hex()

    def row(self, previous: str, row: Mapping[str, Any]) -> str:
        """The MAC of a row after the one whose MAC is `previous`; before the first row stands its writer's."""
        return self.mac("row", previous, *_ROW(row))

    def writer(self, previous: str | None, entry: Mapping[str, Any]) -> str:
        """The MAC of an entry in the table of writers after the one whose MAC is `previous`."""
        told = (entry["writer"], entry["started"], entry["previous_seq"], entry["previous_mac"])
        return self.mac("writer", previous, *told)

    def checkpoint(self, previous: str, entry: Mapping[str, Any]) -> str:
        """The MAC of a checkpoint after the one whose MAC is `previous`; before the first stands an empty text."""
        return self.mac("checkpoint", previous, *_CHECKPOINT(entry))


def _foreign(value: object) -> dict[str, str]:
    """What no row of ours holds, such as a blob that somebody put there: differs from every text."""
    return {type(value).__name__: repr(value)}


class Chain:
    """Where one writer has come to. Used by the writer's thread only."""

    def __init__(self, key: ChainKey, writer: str, mac: str) -> None:
        self._key = key
        self._writer = writer
        self._seq = 0
        self._mac = mac

    @property
    def place(self) -> tuple[str, Tail]:
        """The writer, and how far it has come."""
        return self._writer, Tail(self._seq, self._mac)

    def link(self, rows: Iterable[Row]) -> list[Row]:
        """The rows with their place in the chain. A chain whose rows were not committed is of no further use."""
        linked = []
        for row in rows:
            self._seq += 1
            placed = row | {"writer": self._writer, "seq": self._seq}
            placed["mac"] = self._mac = self._key.row(self._mac, placed)
            linked.append(placed)
        return linked


def is_of(connection: Driver, key: ChainKey) -> bool:
    """Whether the last writer was entered under `key`, if there is any: another key's rows must not be put behind."""
    names = ("writer", "started", "previous_seq", "previous_mac", "mac")
    query = f"SELECT {', '.join(names)} FROM audit_writer ORDER BY id DESC LIMIT 2"  # noqa: S608 - our columns
    entries = [dict(zip(names, row, strict=True)) for row in connection.execute(query).fetchall()]
    before = entries[1]["mac"] if len(entries) > 1 else None
    return not entries or entries[0]["mac"] == key.writer(before, entries[0])


def begin(connection: Driver, backend: Backend, key: ChainKey) -> Chain:
    """Enter a new writer, in a transaction that is left open for its first rows."""
    connection.execute(backend.alone)  # two processes that start at once enter one after the other
    before = connection.execute("SELECT writer, mac FROM audit_writer ORDER BY id DESC LIMIT 1").fetchone()
    last = (
        before
        and (
            connection.execute(
                f"SELECT seq, mac FROM audit WHERE writer = {backend.mark} ORDER BY seq DESC LIMIT 1",  # noqa: S608 - a mark
                before[:1],
            ).fetchone()
            # All of its rows have been purged.
            or connection.execute(
                f"SELECT seq, row_mac FROM audit_checkpoint WHERE writer = {backend.mark} ORDER BY id DESC LIMIT 1",  # noqa: S608
                before[:1],
            ).fetchone()
        )
    )
    entry: dict[str, Any] = {
        "writer": secrets.token_hex(16),
        "started": datetime.now(UTC).isoformat(),
        "previous_seq": last and last[0],
        "previous_mac": last and last[1],
    }
    entry["mac"] = key.writer(before and before[1], entry)
    connection.execute(
        f"INSERT INTO audit_writer ({', '.join(entry)}) VALUES ({', '.join([backend.mark] * len(entry))})",  # noqa: S608
        tuple(entry.values()),
    )
    return Chain(key, entry["writer"], entry["mac"])
