"""Removing old rows without breaking the chain: a checkpoint under the chain key stands for what was removed.

Rows go from the beginning of each writer's chain only, a batch with its checkpoints in one transaction.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import sleep
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.audit.chain import Tail
from ssbtek_gateway.audit.schema import told
from ssbtek_gateway.audit.tables import CHECKPOINTS, ROWS, engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from sqlalchemy import Connection

    from ssbtek_gateway.audit.backend import Backend
    from ssbtek_gateway.audit.chain import ChainKey
    from ssbtek_gateway.audit.reader import Parts

# Small enough that a question that waits for the database meanwhile is hardly late.
_ROWS_AT_ONCE = 5_000
_RUNS_AT_ONCE = 500
_READ_AT_ONCE = 1000
_BUSY_MILLISECONDS = 30_000
# Between two batches: SQLite asks again after 100 ms at the latest, so whoever waits to write comes in between.
_PAUSE_SECONDS = 0.15
_EMPTYING_MILLISECONDS, _EMPTYING_TIMES = 100, 20


@dataclass(slots=True)
class Batch:
    """Rows of a part that are removed together: runs of ids that hold nothing else, each writer's last and number."""

    part: str
    runs: list[tuple[int, int]] = field(default_factory=list)
    ends: dict[str, Tail] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, row_id: int, writer: str, tail: Tail, *, follows: bool) -> None:
        """Take one more row; `follows` where the row before it in the database is the last one here."""
        first = self.runs.pop()[0] if follows else row_id
        self.runs.append((first, row_id))
        self.ends[writer] = tail
        self.rows[writer] += 1

    @property
    def full(self) -> bool:
        return self.rows.total() >= _ROWS_AT_ONCE or len(self.runs) >= _RUNS_AT_ONCE


@dataclass(slots=True)
class Plan:
    """What is older than a day (in UTC), from the beginning of each writer; `first` and `last` are times, if any."""

    before: date
    batches: list[Batch] = field(default_factory=list)
    writers: set[str] = field(default_factory=set)
    kept: int = 0
    first: str | None = None
    last: str | None = None

    @property
    def rows(self) -> int:
        return sum(batch.rows.total() for batch in self.batches)


def plan(parts: Parts, before: date) -> Plan:
    """What a purge would remove: of each writer every row up to its first one of `before` or later."""
    planned = Plan(before)
    for part, connection in parts.items():
        _plan(planned, part, connection)
    return planned


def _plan(planned: Plan, part: str, connection: Connection) -> None:
    columns = (ROWS.c.id, ROWS.c.writer, ROWS.c.seq, ROWS.c.mac, ROWS.c.tidpunkt)
    rows = connection.execution_options(yield_per=_READ_AT_ONCE).execute(select(*columns).order_by(ROWS.c.id))
    staying: set[str] = set()
    batch, follows = Batch(part), False
    for row_id, writer, seq, mac, time in rows:
        if writer in staying or time >= planned.before.isoformat():
            staying.add(writer)
            planned.kept, follows = planned.kept + 1, False
            continue
        if batch.full or not batch.runs:
            batch, follows = Batch(part), False
            planned.batches.append(batch)
        batch.add(row_id, writer, Tail(seq, mac), follows=follows)
        follows = True
        planned.writers.add(writer)
        planned.first, planned.last = min(planned.first or time, time), max(planned.last or time, time)


def purge(backend: Backend, key: ChainKey, planned: Plan, checkpoints: Mapping[str, Tail]) -> Iterator[None]:
    """Remove what is planned, yielding after each batch. `checkpoints` is how far they came in each part by then.

    Raises `AuditError` where a database cannot be written, or is no longer what the plan was made of. The batches that
    were yielded stay removed.
    """
    for part in backend.parts():
        batches = [batch for batch in planned.batches if batch.part == str(part)]
        if batches:
            last = checkpoints[str(part)]
            with _writable(part) as connection:
                for batch in batches:
                    with connection.begin():
                        connection.exec_driver_sql(part.alone)
                        last = _remove(connection, key, planned.before, batch, last)
                    yield
                    sleep(_PAUSE_SECONDS)


def _remove(connection: Connection, key: ChainKey, before: date, batch: Batch, last: Tail) -> Tail:
    newest = select(CHECKPOINTS.c.mac).order_by(CHECKPOINTS.c.id.desc()).limit(1)
    unchanged = (connection.execute(newest).scalar() or "") == last.mac
    removed = sum(connection.execute(delete(ROWS).where(ROWS.c.id.between(*run))).rowcount for run in batch.runs)
    if not unchanged or removed != batch.rows.total():
        raise AuditError("the database was changed meanwhile, by another purge perhaps: nothing more is removed")
    purged = datetime.now(UTC).isoformat()
    entries: list[dict[str, Any]] = []
    for writer, tail in batch.ends.items():
        entry = {
            "writer": writer,
            "seq": tail.seq,
            "row_mac": tail.mac,
            "rows": batch.rows[writer],
            "before": before.isoformat(),
            "purged": purged,
        }
        last = Tail(last.seq + 1, key.checkpoint(last.mac, entry))
        entries.append(entry | {"mac": last.mac})
    connection.execute(insert(CHECKPOINTS), entries)
    return last


def emptied(backend: Backend) -> bool:
    """Whether what was removed stands in no write-ahead log of SQLite's any more.

    It cannot be emptied while somebody else reads for long, and nobody can write while we wait: so we wait shortly,
    several times. What is removed in PostgreSQL goes with its own vacuum.
    """
    return all(_emptied(part) for part in backend.parts() if part.dialect == "sqlite")


def _emptied(part: Backend) -> bool:
    with _writable(part) as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_EMPTYING_MILLISECONDS}")
        for _ in range(_EMPTYING_TIMES):
            (busy, *_pages) = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if not busy:
                return True
            sleep(_PAUSE_SECONDS)
    return False


@contextmanager
def _writable(part: Backend) -> Iterator[Connection]:
    database = engine(part, part.connect)
    try:
        with database.connect() as connection:
            if part.dialect == "sqlite":  # what is removed is overwritten
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
                connection.commit()
            yield connection
    except SQLAlchemyError as error:
        raise AuditError(f"{part} cannot be purged: {told(error)}") from None
    finally:
        database.dispose()
