"""Walking the chain: every row is what was written, where it was written, and none is missing but what was purged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssbtek_gateway.audit.chain import Tail
from ssbtek_gateway.audit.head import Head
from ssbtek_gateway.audit.reader import stream
from ssbtek_gateway.audit.tables import CHECKPOINTS, ROWS, WRITERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from ssbtek_gateway.audit.chain import ChainKey
    from ssbtek_gateway.audit.reader import Parts
    from ssbtek_gateway.audit.record import Row


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a chain breaks and how. `seq` and `row_id` are None where it is about the chain as a whole.

    `writer` is None where it is the table of checkpoints; then `seq` is the checkpoint's number.
    """

    writer: str | None
    seq: int | None
    row_id: int | None
    what: str
    # The database, where it is known which of several.
    part: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a walk found: intact where there are no findings. `tails` is how far each writer came, in order.

    `checkpoints` is how far their table came in each part.
    """

    rows: int
    tails: Mapping[str, Tail]
    checkpoints: Mapping[str, Tail]
    findings: tuple[Finding, ...]

    @property
    def head(self) -> Head:
        return Head(self.tails, tuple(last for last in self.checkpoints.values() if last.seq))


def verify(parts: Parts, key: ChainKey, heads: Iterable[Head] = ()) -> Report:
    """Walk everything once and report the first break of each writer, and of the checkpoints.

    Each part has its own tables of writers and checkpoints. `heads` say how far they had come earlier: what is missing
    of that is found too.
    """
    walk = _Walk(key)
    for head in heads:
        for writer, tail in head.tails.items():
            walk.known.setdefault((writer, tail.seq), set()).add(tail.mac)
            walk.reached(writer, tail.seq)
        walk.checkpoints_known |= set(head.checkpoints)
    checkpoints: dict[str, Tail] = {}
    for name, connection in parts.items():
        walk.part = name
        checkpoints[name] = walk.checkpoints(connection, walk.writers(connection))
        for row in stream(connection, ROWS):
            walk.row(row)
    walk.part = None
    walk.end()
    return Report(walk.rows, walk.tails, checkpoints, tuple(walk.findings.values()))


@dataclass(slots=True)
class _Walk:
    key: ChainKey
    # MACs that heads give to a writer's row; one, unless heads contradict each other. Their checkpoints not yet met.
    known: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    checkpoints_known: set[Tail] = field(default_factory=set)
    part: str | None = None
    # The row that each writer must at least have come to.
    least: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    tails: dict[str, Tail] = field(default_factory=dict)
    # The first of each writer: what comes after a break cannot be told from its consequences.
    findings: dict[str | None, Finding] = field(default_factory=dict)

    def reached(self, writer: str, seq: int) -> None:
        """Take it that the writer had come so far."""
        self.least[writer] = max(seq, self.least.get(writer, 0))

    def writers(self, connection: Connection) -> set[str]:
        """Walk a part's table of writers; returns who they are."""
        entered: set[str] = set()
        before: Row | None = None
        for entry in stream(connection, WRITERS):
            writer = entry["writer"]
            self.reached(writer, 1)  # a writer is entered with its first row
            if writer in self.tails:
                self._break(writer, "is entered twice: its database was copied, or its entry put in")
            elif entry["mac"] != self.key.writer(before["mac"] if before else None, entry):
                self._break(writer, "its entry, or the one before it, was changed, removed, moved or put in")
            elif before is not None and entry["previous_seq"] is not None:
                self.reached(before["writer"], entry["previous_seq"])
            self.tails[writer] = Tail(0, entry["mac"])
            entered.add(writer)
            before = entry
        return entered

    def checkpoints(self, connection: Connection, entered: set[str]) -> Tail:
        """Walk a part's table of checkpoints, where its writers' rows begin; returns how far it came."""
        last = Tail(0, "")
        for number, entry in enumerate(stream(connection, CHECKPOINTS), 1):
            writer, seq, mac = entry["writer"], entry["seq"], entry["mac"]
            place = entry | {"seq": number}
            if mac != self.key.checkpoint(last.mac, entry):
                self._break(None, "it, or the one before it, was changed, removed, moved or put in", place)
            elif writer not in entered:
                self._break(None, "names a writer whose entry was removed, with its rows", place)
            elif self._differs(writer, seq, entry["row_mac"]):
                self._break(writer, "is another row than when the head was written", entry)
            # Where its own chain is broken it still tells where this writer's rows begin.
            if writer in entered and isinstance(seq, int):
                self.tails[writer] = Tail(seq, entry["row_mac"])
            last = Tail(number, mac)
            self.checkpoints_known.discard(last)
        return last

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
        elif self._differs(writer, seq, mac):
            self._break(writer, "is another row than when the head was written", row)
        else:
            self.tails[writer] = Tail(seq, mac)

    def end(self) -> None:
        """Once all is read: each writer must have come to the rows that it is known to have come to."""
        for writer, least in self.least.items():
            tail = self.tails.get(writer)
            if tail is None:
                self._break(writer, f"was removed, with its rows 1 to {least}")
            elif tail.seq < least:
                self._break(writer, f"its end was cut off: rows {tail.seq + 1} to {least} are missing")
        if self.checkpoints_known:
            first = min(tail.seq for tail in self.checkpoints_known)
            self._break(None, f"number {first}, which stood there when a head was written, is missing or another one")

    def _differs(self, writer: str, seq: int, mac: str) -> bool:
        return self.known.get((writer, seq), {mac}) != {mac}

    def _break(self, writer: str | None, what: str, row: Row | None = None) -> None:
        seq, row_id = (row["seq"], row["id"]) if row else (None, None)
        self.findings.setdefault(writer, Finding(writer, seq, row_id, what, self.part))
