"""The audit database, a real SQLite file: what is said to be durable is, and nothing personal stands in it in clear."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from unit.builders import CALLER, CONTRACT, PERSON, FakeService, af_answer, data, flow, operation, so_answer
from vectors import make

from ssbtek_gateway import metrics
from ssbtek_gateway.audit import AuditError, record, store
from ssbtek_gateway.audit.backend import Sqlite, database_of
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.store import AuditStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime

    from ssbtek_gateway.audit.backend import Backend

pytestmark = pytest.mark.anyio

CHAIN = ChainKey(b"c" * 32)
DYING = """
import asyncio, os, pathlib, sys
from ssbtek_gateway.audit import record
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.store import AuditStore
from ssbtek_gateway.model import Caller

async def main():
    audit = await AuditStore.open(Sqlite(pathlib.Path(sys.argv[1])), ChainKey(b"c" * 32))
    await audit.append(record.denied("before-the-end", Caller("162021004748", "ab"), "FOR_STOR"))
    os._exit(3)

asyncio.run(main())
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "audit.sqlite"


@asynccontextmanager
async def opened(backend: Backend) -> AsyncIterator[AuditStore]:
    audit = await AuditStore.open(backend, CHAIN)
    try:
        yield audit
    finally:
        await audit.close()


def row(incident: str) -> record.Row:
    return record.denied(incident, CALLER, "FOR_STOR")


def pid_of(audit: AuditStore) -> int:
    assert audit.pid is not None
    return audit.pid


def failing(audit: AuditStore) -> tuple[datetime, str] | None:
    return audit.failing


def incidents(backend: Backend) -> list[str]:
    """What another connection sees."""
    return [incident for (incident,) in execute(backend, "SELECT incident FROM audit ORDER BY id")]


def execute(backend: Backend, statement: str) -> list[Any]:
    with closing(backend.connect()) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


async def test_a_row_is_on_disk_when_append_returns(backend: Backend) -> None:
    async with opened(backend) as audit:
        await audit.append(row("a"))
        assert incidents(backend) == ["a"]
        await audit.append(row("b"))
        assert incidents(backend) == ["a", "b"]


async def test_rows_survive_a_process_that_dies(database: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", DYING, str(database)], check=False, capture_output=True)  # noqa: ASYNC221
    assert ended.returncode == 3, ended.stderr
    assert incidents(Sqlite(database)) == ["before-the-end"]
    async with opened(Sqlite(database)) as audit:
        await audit.append(row("after"))
    assert incidents(Sqlite(database)) == ["before-the-end", "after"]


def test_every_commit_reaches_the_disk(database: Path) -> None:
    with closing(Sqlite(database).connect()) as connection:
        full = 2
        assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_many_rows_share_few_transactions(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[float] = []
    monkeypatch.setattr(metrics.AUDIT_GROUP_ROWS, "observe", groups.append)
    async with opened(backend) as audit:
        await asyncio.gather(*(audit.append(row(f"{number}")) for number in range(500)))
        assert incidents(backend) == [f"{number}" for number in range(500)]
    assert (sum(groups), len(groups) <= 50) == (500, True)


async def test_an_error_refuses_its_rows_and_service_resumes_by_itself(backend: Backend) -> None:
    async with opened(backend) as audit:
        execute(backend, "ALTER TABLE audit RENAME TO away")
        refusals = await asyncio.gather(*(audit.append(row("lost")) for _ in range(3)), return_exceptions=True)
        # By the driver's word for it, which holds nothing of the row.
        assert {str(error) for error in refusals} <= {"OperationalError", "UndefinedTable"}
        assert all(isinstance(error, AuditError) for error in refusals)
        execute(backend, "ALTER TABLE away RENAME TO audit")
        await audit.append(row("kept"))
    assert incidents(backend) == ["kept"]


async def test_what_failed_is_opened_anew(database: Path) -> None:
    backend = Sqlite(database)
    async with opened(backend) as audit:
        await audit.append(row("before"))
        execute(backend, "ALTER TABLE audit RENAME TO away")
        with pytest.raises(AuditError):
            await audit.append(row("lost"))
        # Somebody puts another file in its place.
        for path in list(database.parent.glob(f"{database.name}*")):
            path.unlink()
        async with opened(backend):
            pass
        await audit.append(row("after"))
    assert incidents(backend) == ["after"]


async def test_an_error_of_another_kind_is_told_too(backend: Backend) -> None:
    async with opened(backend) as audit:
        with pytest.raises(AuditError):
            await audit.append(row("bad") | {"handlaggare": "\ud800"})  # no encoding holds it
        await audit.append(row("good"))
    assert incidents(backend) == ["good"]


async def test_who_stops_waiting_harms_nobody(backend: Backend) -> None:
    async with opened(backend) as audit:
        gone = asyncio.create_task(audit.append(row("gone")))
        await asyncio.sleep(0)
        gone.cancel()
        await audit.append(row("stays"))
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert "stays" in incidents(backend)


@contextmanager
def hanging(audit: AuditStore) -> Iterator[None]:
    """The writer stands still, as it does where a disk hangs."""
    pid = pid_of(audit)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def test_a_disk_that_hangs_holds_no_question(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(backend) as audit:
        with monkeypatch.context() as patch, hanging(audit):
            patch.setattr(store, "_SECONDS", 0.1)
            with pytest.raises(AuditError, match="not on disk in time"):
                await audit.append(row("late"))
            since, kind = failing(audit) or (None, "")
            assert (since is not None, kind) == (True, "not on disk in time")
        await audit.append(row("after"))
        assert failing(audit) is None
    assert incidents(backend) == ["late", "after"]


async def test_what_nobody_waits_for_is_not_gathered_without_end(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_MOST_WAITING", 3)
    async with opened(backend) as audit:
        with hanging(audit):
            waiting = [asyncio.create_task(audit.append(row(f"{number}"))) for number in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(AuditError, match="too many rows wait"):
                await audit.append(row("too many"))
        await asyncio.gather(*waiting)
        await audit.append(row("after"))
    assert incidents(backend) == ["0", "1", "2", "after"]


async def test_a_writer_that_is_killed_is_replaced_and_its_rows_are_refused(backend: Backend) -> None:
    async with opened(backend) as audit:
        await audit.append(row("before"))
        with hanging(audit):
            lost = asyncio.create_task(audit.append(row("lost")))
            await asyncio.sleep(0)
            os.kill(pid_of(audit), signal.SIGKILL)
            with pytest.raises(AuditError, match="the writer has ended"):
                await lost
        async with asyncio.timeout(10):
            while failing(audit) is not None:  # noqa: ASYNC110 - as an operator looks
                await asyncio.sleep(0.01)
        await audit.append(row("after"))
    assert incidents(backend) == ["before", "after"]


async def test_the_writer_ends_with_the_gateway_and_not_before(backend: Backend) -> None:
    async with opened(backend) as audit:
        pid = pid_of(audit)
        os.kill(pid, signal.SIGTERM)  # as a service manager does to all processes
        await audit.append(row("last"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert incidents(backend) == ["last"]


async def test_the_chain_key_is_no_argument_of_a_process(backend: Backend) -> None:
    async with opened(backend) as audit:
        process = Path(f"/proc/{pid_of(audit)}")
        told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert CHAIN.key.hex().encode() not in told


async def test_close_leaves_no_row_waiting(backend: Backend) -> None:
    audit = await AuditStore.open(backend, CHAIN)
    waiting = [asyncio.create_task(audit.append(row(f"{number}"))) for number in range(300)]
    await asyncio.sleep(0)
    await audit.close()
    async with asyncio.timeout(5):
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    # Each was told the truth: on disk, or refused.
    assert incidents(backend) == [f"{number}" for number, end in enumerate(ends) if end is None]
    assert all(isinstance(end, AuditError) for end in ends if end is not None)


async def test_it_tells_since_when_it_cannot_write_and_finds_out_itself_when_it_can(database: Path) -> None:
    async with opened(Sqlite(database)) as audit:
        assert failing(audit) is None
        limit = resource.prlimit(pid_of(audit), resource.RLIMIT_FSIZE)
        resource.prlimit(pid_of(audit), resource.RLIMIT_FSIZE, (0, limit[1]))
        try:
            with pytest.raises(AuditError):
                await audit.append(row("lost"))
            since = failing(audit)
            assert since is not None
            assert since[1] == "OperationalError"
            await asyncio.sleep(1.1)  # it tries again
            assert failing(audit) == since
        finally:
            resource.prlimit(pid_of(audit), resource.RLIMIT_FSIZE, limit)
        while failing(audit) is not None:  # noqa: ASYNC110 - nobody asks, and nobody is told
            await asyncio.sleep(0.01)
    assert incidents(Sqlite(database)) == []
    assert execute(Sqlite(database), "SELECT * FROM audit_writer") == []


def test_each_worker_has_a_file_of_its_own(database: Path) -> None:
    assert [database_of(database, worker).name for worker in (1, 2, 3)] == [
        "audit.sqlite",
        "audit.2.sqlite",
        "audit.3.sqlite",
    ]


async def test_nothing_is_taken_after_close(backend: Backend) -> None:
    audit = await AuditStore.open(backend, CHAIN)
    await audit.close()
    with pytest.raises(AuditError, match="the gateway is stopping"):
        await audit.append(row("late"))
    assert incidents(backend) == []


@pytest.mark.parametrize("content", [None, b"not a database, but long enough to be taken for one" * 100])
async def test_a_database_that_cannot_be_opened(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "missing" / "audit.sqlite"
    if content is not None:
        path = tmp_path / "audit.sqlite"
        path.write_bytes(content)
    with pytest.raises(AuditError, match=rf"cannot be opened: {path}: (unable|file is)"):
        await AuditStore.open(Sqlite(path), CHAIN)


async def test_rows_are_numbered_by_writer_and_a_new_process_is_a_new_writer(backend: Backend) -> None:
    for _ in range(2):
        async with opened(backend) as audit:
            await asyncio.gather(*(audit.append(row("x")) for _ in range(3)))
    places = execute(backend, "SELECT writer, seq FROM audit ORDER BY id")
    assert [seq for _, seq in places] == [1, 2, 3, 1, 2, 3]
    writers = execute(backend, "SELECT writer, previous_seq FROM audit_writer ORDER BY id")
    assert [(writer, seq) for writer, seq in dict.fromkeys((writer, None) for writer, _ in places)] == [
        (writer, None) for writer, _ in writers
    ]
    assert [seq for _, seq in writers] == [None, 3]


async def test_nobody_is_a_writer_before_the_first_row(backend: Backend) -> None:
    async with opened(backend):
        pass
    assert execute(backend, "SELECT * FROM audit_writer") == []


async def test_a_writer_that_failed_is_not_gone_on_with(backend: Backend) -> None:
    # Whether a commit that failed reached the disk is unknown; a chain that goes on from either guess could break.
    async with opened(backend) as audit:
        await audit.append(row("before"))
        with pytest.raises(AuditError):
            # SQLite cannot bind it, and PostgreSQL's JSON cannot hold it.
            await audit.append(row("bad") | {"handlaggare": {"": "\0"}})
        await audit.append(row("after"))
    (first, one), (second, again) = execute(backend, "SELECT writer, seq FROM audit ORDER BY id")
    assert (one, again, first != second) == (1, 1, True)


async def test_a_database_from_before_the_chain_is_refused_and_left_as_it_is(database: Path) -> None:
    execute(Sqlite(database), "CREATE TABLE audit (id INTEGER PRIMARY KEY, incident VARCHAR)")
    with pytest.raises(AuditError, match=r"earlier version, without a chain .* audit\.database"):
        await AuditStore.open(Sqlite(database), CHAIN)
    assert execute(Sqlite(database), "SELECT name FROM sqlite_master") == [("audit",)]


async def test_neither_person_nor_payload_stands_in_the_file(database: Path) -> None:
    async with opened(Sqlite(database)) as audit:
        services = {"AF": FakeService(data(af_answer())), "SO": FakeService(data(so_answer()))}
        way = flow(services, audit)  # type: ignore[arg-type] # the real store
        answer = await way.hamta(CONTRACT, operation(make.TEMPLATE), CALLER, "incident-1")
        assert PERSON.encode() in answer.body
        files = [path for path in database.parent.iterdir() if path.name.startswith(database.name)]
        assert len(files) > 1  # the log that is written ahead too
        content = b"".join(path.read_bytes() for path in files)
    assert b"incident-1" in content
    for secret in (PERSON, PERSON[2:], "StatusSokandeinformationKod", "ArbetsloshetsersattningLista", "4711"):
        assert secret.encode() not in content
        assert secret.encode("utf-16-le") not in content
    assert incidents(Sqlite(database)) == ["incident-1"] * 2


async def test_a_database_of_another_key_is_not_written_to(backend: Backend) -> None:
    for number in range(2):
        async with opened(backend) as audit:
            await audit.append(row(f"{number}"))
    with pytest.raises(AuditError, match=r"is not of audit\.chain_key"):
        await AuditStore.open(backend, ChainKey(b"x" * 32))
    async with opened(backend) as audit:
        await audit.append(row("2"))
    assert incidents(backend) == ["0", "1", "2"]
