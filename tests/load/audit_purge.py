"""How long a purge takes, and how long a gateway that writes meanwhile waits. Not part of the test suite.

    PYTHONPATH=tests .venv/bin/python tests/load/audit_purge.py FOLDER ROWS WRITERS

builds a database in FOLDER, with a row every 100 seconds from 2020 on, and purges all but the last twentieth.
"""

# ruff: noqa: T201 - prints what it measured

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unit.builders import CALLER, question

from ssbtek_gateway.audit import purge, reader, record
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.record import PersonKey
from ssbtek_gateway.audit.store import AuditStore
from ssbtek_gateway.audit.verify import verify
from ssbtek_gateway.authorisation import Grant

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

KEY = ChainKey(b"c" * 32)
ASKED = record.asked("", CALLER, question(), Grant({}, None), PersonKey("1", b"k" * 32))
START = datetime(2020, 1, 1, tzinfo=UTC)
TOGETHER = 200


def row() -> record.Row:
    now = datetime.now(UTC).isoformat()
    return ASKED | {"tidpunkt": now, "incident": secrets.token_hex(16), "person": secrets.token_hex(32)}


def moment(number: int) -> datetime:
    return START + timedelta(seconds=100 * number)


async def build(database: Path, rows: int, writers: int) -> None:
    stores = [await AuditStore.open(Sqlite(database), KEY) for _ in range(writers)]
    for first in range(0, rows, TOGETHER):
        store = stores[first // TOGETHER % writers]
        numbers = range(first, first + TOGETHER)
        await asyncio.gather(*[store.append(row() | {"tidpunkt": moment(number).isoformat()}) for number in numbers])
    for store in stores:
        await store.close()


def write(database: Path, ended: Event, told: Any) -> None:  # noqa: ANN401 - one end of a pipe
    """Append rows one by one and tell how long each took."""

    async def append() -> list[float]:
        store, took = await AuditStore.open(Sqlite(database), KEY), []
        while not ended.is_set():
            began = time.perf_counter()
            await store.append(row())
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.005)
        await store.close()
        return sorted(took)

    told.send(asyncio.run(append()))


def main(folder: str, rows: int, writers: int) -> None:
    database = Path(folder) / "audit.sqlite"
    asyncio.run(build(database, rows, writers))
    print(f"{database.stat().st_size / 1e6:.0f} MB")
    began = time.perf_counter()
    with reader.opened(Sqlite(database)) as parts:
        report, plan = verify(parts, KEY), purge.plan(parts, moment(rows * 19 // 20).date())
    print(f"verified and planned {report.rows} rows in {time.perf_counter() - began:.1f} s")

    receiver, sender = multiprocessing.Pipe(duplex=False)
    ended = multiprocessing.Event()
    writer = multiprocessing.Process(target=write, args=(database, ended, sender))
    writer.start()
    began = time.perf_counter()
    for _ in purge.purge(Sqlite(database), KEY, plan, report.checkpoints):
        pass
    emptied = purge.emptied(Sqlite(database))
    print(f"purged {plan.rows} rows in {time.perf_counter() - began:.1f} s, log emptied: {emptied}")
    ended.set()
    took = receiver.recv()
    writer.join()
    print(f"{len(took)} rows waited {took[len(took) // 2]:.4f} s (half of them), {took[-1]:.2f} s (the longest)")
    with reader.opened(Sqlite(database)) as parts:
        print(f"findings: {len(verify(parts, KEY).findings)}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
