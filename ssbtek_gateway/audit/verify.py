"""Walking the chain: every row is what was written, where it was written, and none is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssbtek_gateway.audit.chain import WRITERS
from ssbtek_gateway.audit.reader import stream
from ssbtek_gateway.audit.record import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from ssbtek_gateway.audit.chain import ChainKey
    from ssbtek_gateway.audit.reader import Parts
    from ssbtek_gateway.audit.record import Row


@dataclass(frozen=True, slots=True)
class Tail:
    """A row of a writer, by its number and MAC; number 0 is the writer's own entry."""

    seq: int
    mac: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Where the chain breaks and how. `seq` and `row_id` are None where it is about the writer as a whole."""

    writer: str
    seq: int | None
    row_id: int | None
    what: str
    # The database, where it is known which of several.
    part: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a walk found: intact where there are no findings. `tails` is how far each writer came, in order."""

    rows: int
    tails: Mapping[str, Tail]
    findings: tuple[Finding, ...]


def verify(parts: Parts, key: ChainKey, head: Mapping[str, Tail] | None = None) -> Report:
    """Walk everything once and report the first break of each writer. Each part has its own table of writers.

    `head` is how far each writer had come earlier: what is missing of that is found too.
    """
    walk = _Walk(key, head or {})
    followed: dict[str, Tail] = {}
    for walk.part, connection in parts.items():
        followed |= walk.writers(connection)
        for row in stream(connection, ROWS):
            walk.row(row)
    walk.part = None
    for writer, tail in (*walk.head.items(), *followed.items()):
        walk.reaches(writer, tail)
    return Report(walk.rows, walk.tails, tuple(walk.findings.values()))


@dataclass(slots=True)
class _Walk:
    key: ChainKey
    head: Mapping[str, Tail]
    part: str | None = None
    rows: int = 0
    tails: dict[str, Tail] = field(default_factory=dict)
    # The first of each writer: what comes after a break cannot be told from its consequences.
    findings: dict[str, Finding] = field(default_factory=dict)

    def writers(self, connection: Connection) -> dict[str, Tail]:
        """Walk the table of writers; returns the row that each must at least have come to."""
        reached: dict[str, Tail] = {}
        before: Row | None = None
        for entry in stream(connection, WRITERS):
            writer = entry["writer"]
            reached[writer] = Tail(1, "")  # a writer is entered with its first row
            if writer in self.tails:
                self._break(writer, "is entered twice: its database was copied, or its entry put in")
            elif entry["mac"] != self.key.writer(before["mac"] if before else None, entry):
                self._break(writer, "its entry, or the one before it, was changed, removed, moved or put in")
            elif before is not None and entry["previous_seq"] is not None:
                reached[before["writer"]] = Tail(entry["previous_seq"], entry["previous_mac"])
            self.tails[writer] = Tail(0, entry["mac"])
            before = entry
        return reached

    def row(self, row: Row) -> None:
        """Take the next row, in order of insertion."""
        self.rows += 1
        writer, seq, mac = row["writer"], row["seq"], row["mac"]
        tail = self.tails.get(writer)
        if tail is None:
            self._break(writer, "is no writer that is known: its entry was removed, or its rows were put in", row)
        elif writer in self.findings:
            pass
        elif not isinstance(seq, int):
            self._break(writer, "was changed, or put in", row)
        elif seq > tail.seq + 1:
            self._break(writer, f"row {tail.seq + 1} should stand here: it was removed or moved", row)
        elif seq <= tail.seq:
            self._break(writer, f"should not stand after row {tail.seq}: it was moved, or put in", row)
        elif mac != self.key.row(tail.mac, row):
            self._break(writer, "was changed, or put in its place", row)
        elif (known := self.head.get(writer)) is not None and known.seq == seq and known.mac != mac:
            self._break(writer, "is another row than when the head was written", row)
        else:
            self.tails[writer] = Tail(seq, mac)

    def reaches(self, writer: str, least: Tail) -> None:
        """Once all rows are read: the writer must have come to the row that it is known to have come to."""
        tail = self.tails.get(writer)
        if tail is None:
            self._break(writer, f"was removed, with its rows 1 to {least.seq}")
        elif tail.seq < least.seq:
            self._break(writer, f"its end was cut off: rows {tail.seq + 1} to {least.seq} are missing")

    def _break(self, writer: str, what: str, row: Row | None = None) -> None:
        seq, row_id = (row["seq"], row["id"]) if row else (None, None)
        self.findings.setdefault(writer, Finding(writer, seq, row_id, what, self.part))
