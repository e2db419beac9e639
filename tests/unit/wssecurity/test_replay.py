"""A message is taken once: at once, after a restart, in another process, and after the clock has been set."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from unit.wssecurity.signers import NOW

from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.audit.backend import Postgresql, Sqlite
from ssbtek_gateway.wssecurity import replay
from ssbtek_gateway.wssecurity.names import SecurityError
from ssbtek_gateway.wssecurity.replay import ReplayStore, shared

if TYPE_CHECKING:
    from datetime import datetime

    from postgresql import Postgresql as Server

    from ssbtek_gateway.audit.backend import Backend

pytestmark = pytest.mark.anyio
DOCUMENT = Path(__file__).parents[3] / "docs" / "ws-security.md"
MARK, OTHER = "a" * 64, "b" * 64
EXPIRES = NOW + timedelta(minutes=5)


class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def opened(backend: Backend, clock: Clock | None = None) -> ReplayStore:
    return ReplayStore(shared(backend), clock or Clock())


def execute(backend: Backend, statement: str) -> list[Any]:
    connection = shared(backend).connect()
    cursor = connection.execute(statement)
    rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def stored(backend: Backend) -> int:
    return int(execute(backend, "SELECT count(*) FROM ws_security_replay")[0][0])


async def taken(store: ReplayStore, mark: str = MARK) -> bool:
    try:
        await store.remember(mark, EXPIRES)
    except SecurityError:
        return False
    return True


async def test_a_message_is_taken_once(backend: Backend) -> None:
    store = opened(backend)
    assert [await taken(store), await taken(store), await taken(store, OTHER)] == [True, False, True]
    with pytest.raises(SecurityError, match="the message was taken before") as caught:
        await store.remember(MARK, EXPIRES)
    assert caught.value.code == "FailedCheck"
    await store.close()


async def test_of_many_at_once_one_is_taken(backend: Backend) -> None:
    store = opened(backend)
    found = await asyncio.gather(*(taken(store, mark) for mark in [MARK, OTHER] * 50))
    assert found.count(True) == 2
    await store.close()


async def test_after_a_restart(backend: Backend) -> None:
    store = opened(backend)
    await taken(store)
    await store.close()
    again = opened(backend)
    assert not await taken(again)
    await again.close()


async def test_by_another_process(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from ssbtek_gateway.audit.backend import Sqlite\n"
        "from ssbtek_gateway.wssecurity.replay import ReplayStore, shared\n"
        "async def main():\n"
        "    store = ReplayStore(shared(Sqlite(Path(sys.argv[1]))))\n"
        "    await store.remember('a' * 64, datetime.now(UTC))\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
    )
    backend = Sqlite(tmp_path / "audit.sqlite")
    store = opened(backend)
    subprocess.run([sys.executable, "-c", program, str(backend.path)], check=True)  # noqa: ASYNC221
    assert not await taken(store)
    await store.close()


async def test_two_stores_at_once(backend: Backend) -> None:
    stores = [opened(backend) for _ in range(2)]
    marks = [f"{number:064}" for number in range(20)]
    found = await asyncio.gather(*(taken(store, mark) for mark in marks for store in stores))
    assert found.count(True) == len(marks)
    for store in stores:
        await store.close()


async def test_several_that_start_at_once(backend: Backend) -> None:
    for _ in range(10):
        stores = await asyncio.gather(*(asyncio.to_thread(opened, backend) for _ in range(6)))
        assert [await taken(store) for store in stores] == [True, *[False] * 5]
        for store in stores:
            await store.close()
        execute(backend, "DROP TABLE ws_security_replay")


async def test_what_has_expired_long_ago_is_forgotten_and_a_clock_set_forward_forgets_nothing(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_PURGE_SECONDS", -1)
    clock = Clock()
    store = opened(backend, clock)
    await taken(store)
    clock.now = NOW + timedelta(days=1)
    await taken(store, OTHER)
    assert stored(backend) == 2
    clock.now = NOW
    assert not await taken(store)
    clock.now = NOW + timedelta(days=2)
    await taken(store, OTHER)
    assert stored(backend) == 0
    await store.close()


async def test_a_purge_is_not_done_for_every_message(backend: Backend) -> None:
    clock = Clock()
    store = opened(backend, clock)
    await taken(store)
    clock.now = NOW + timedelta(days=9)
    await taken(store, OTHER)
    assert stored(backend) == 2
    await store.close()


async def test_where_nobody_can_tell_nothing_is_taken(backend: Backend) -> None:
    store = opened(backend)
    execute(backend, "ALTER TABLE ws_security_replay RENAME TO away")
    with pytest.raises(AuditError, match="the replay store cannot be written: "):
        await store.remember(MARK, EXPIRES)
    execute(backend, "ALTER TABLE away RENAME TO ws_security_replay")
    assert await taken(store)  # service resumes by itself when the store does
    await store.close()


async def test_a_database_that_hangs_does_not_hold_the_message(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(backend)
    monkeypatch.setattr(replay, "_SECONDS", 0.05)
    blocker = shared(backend).connect()
    blocker.execute("BEGIN")
    blocker.execute("DELETE FROM ws_security_replay" if isinstance(backend, Sqlite) else "LOCK ws_security_replay")
    with pytest.raises(AuditError, match="not on disk in time"):
        await store.remember(MARK, EXPIRES)
    blocker.execute("ROLLBACK")
    blocker.close()
    await store.close()


async def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be opened"):
        opened(Sqlite(tmp_path / "none" / "audit.sqlite"))


@pytest.mark.external
async def test_a_role_that_may_not_make_tables(postgresql: Server) -> None:
    (statements,) = re.findall(r"```sql\n(CREATE TABLE ws_.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    with postgresql.database() as database:
        postgresql.execute("CREATE ROLE replaying LOGIN")
        backend = Postgresql(postgresql.url(database, "replaying"))
        with pytest.raises(AuditError, match="cannot be opened: InsufficientPrivilege"):
            opened(backend)
        postgresql.execute(statements.replace("ssbtek_gateway", "replaying"), database)
        store = opened(backend)
        assert [await taken(store), await taken(store)] == [True, False]
        await store.close()
    postgresql.execute("DROP ROLE replaying")


def test_postgresql_keeps_it_with_the_audit_and_sqlite_in_one_file_for_all_workers(tmp_path: Path) -> None:
    server = Postgresql("postgresql://postgres@/audit")
    assert shared(server) == server
    assert shared(Sqlite(tmp_path / "audit.sqlite")) == Sqlite(tmp_path / "audit.sqlite.replay")
