"""What was purged leaves a chain that is intact, however the purge ended, and no other change to it is missed."""

# ruff: noqa: S608 - the statements hold our own names and numbers

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from contextlib import AsyncExitStack, closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from unit.audit.here import Store
from unit.builders import CALLER

from ssbtek_gateway.audit import AuditError, reader, record
from ssbtek_gateway.audit import purge as purging
from ssbtek_gateway.audit.backend import Backend, Postgresql, Sqlite
from ssbtek_gateway.audit.chain import ChainKey, Tail
from ssbtek_gateway.audit.head import Head
from ssbtek_gateway.audit.tables import CHECKPOINTS
from ssbtek_gateway.audit.verify import Report, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from postgresql import Postgresql as Server

    from ssbtek_gateway.audit.purge import Plan

KEY = ChainKey(b"c" * 32)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 6
CHECKPOINT = [column.name for column in CHECKPOINTS.columns if column.name != "id"]
DYING = """
import os, pathlib, sys
from datetime import date
from sqlalchemy import Engine, event
from ssbtek_gateway.audit import purge, reader
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.verify import verify

database, key = Sqlite(pathlib.Path(sys.argv[1])), ChainKey(b"c" * 32)
with reader.opened(database) as parts:
    report, planned = verify(parts, key), purge.plan(parts, date(2024, 1, 3))
event.listen(Engine, "before_cursor_execute", lambda *told: "INSERT" in told[2] and os._exit(3))
list(purge.purge(database, key, planned, report.checkpoints))
"""

# Each row's writer, and its day.
Rows = list[tuple[int, int]]
WRITTEN = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, DAYS - 1)), max_size=15), min_size=1, max_size=3
)


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with patch.object(purging, "_PAUSE_SECONDS", 0), patch.object(purging, "_ROWS_AT_ONCE", 3):
        yield


def day(number: int) -> date:
    return (FIRST + timedelta(days=number)).date()


def row(number: int) -> record.Row:
    moment = FIRST + timedelta(days=number, hours=23, minutes=59)
    return record.denied(f"of day {number}", CALLER, "FOR_STOR") | {"tidpunkt": moment.isoformat()}


async def append(audit: Store, *days: int) -> None:
    for number in days:
        await audit.append(row(number))


async def write(backend: Backend, *writers: Iterable[int]) -> None:
    """One writer after the other, each with rows of these days."""
    for days in writers:
        audit = Store(backend, KEY)
        await append(audit, *days)
        await audit.close()


@pytest.fixture
def audit(backend: Backend) -> Backend:
    """Three writers; of the days 0 and 1 stand two, four and no rows at the beginning."""
    asyncio.run(write(backend, (0, 1, 2, 1), (0, 0, 1, 1), (3, 4)))
    return backend


@pytest.fixture
def file(tmp_path: Path) -> Sqlite:
    """The same in a file."""
    backend = Sqlite(tmp_path / "audit")
    asyncio.run(write(backend, (0, 1, 2, 1), (0, 0, 1, 1), (3, 4)))
    return backend


def execute(backend: Backend, statement: str, values: Sequence[Any] = ()) -> list[Any]:
    with closing(backend.connect()) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def verified(backend: Backend, *heads: Head) -> Report:
    with reader.opened(backend) as parts:
        return verify(parts, KEY, heads)


def head(backend: Backend) -> Head:
    report = verified(backend)
    assert report.findings == ()
    return report.head


def planned(backend: Backend, before: date) -> Plan:
    with reader.opened(backend) as parts:
        return purging.plan(parts, before)


def purge(backend: Backend, before: date) -> None:
    for _ in purging.purge(backend, KEY, planned(backend, before), verified(backend).checkpoints):
        pass


@contextmanager
def stopped_before(statements: int | None) -> Iterator[None]:
    """Whatever a purge does within is ended before so many statements, if it comes so far."""
    left = statements

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal left
        if left is not None and not statement.startswith("PRAGMA"):
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

    event.listen(Engine, "before_cursor_execute", count)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def places(backend: Backend) -> list[tuple[int, int]]:
    """Each row that is left: its writer in the order of their start, and its number."""
    statement = "SELECT w.id, r.seq FROM audit r JOIN audit_writer w USING (writer) ORDER BY r.id"
    return [(writer - 1, seq) for writer, seq in execute(backend, statement)]


def test_each_writer_loses_its_beginning_up_to_its_first_row_that_is_not_older(audit: Backend) -> None:
    before = head(audit)
    plan = planned(audit, day(2))
    assert (plan.rows, plan.kept, len(plan.writers)) == (6, 4, 2)
    assert (plan.first, plan.last) == (row(0)["tidpunkt"], row(1)["tidpunkt"])
    purge(audit, day(2))
    # The last row of the first writer is as old, and stays behind one that is not.
    assert places(audit) == [(0, 3), (0, 4), (2, 1), (2, 2)]
    report = verified(audit, before)
    assert (report.findings, report.rows, report.tails) == ((), 4, before.tails)


def test_a_checkpoint_says_what_was_removed_and_when(audit: Backend) -> None:
    started = datetime.now(UTC).isoformat()
    purge(audit, day(2))
    told = execute(audit, 'SELECT seq, "rows", "before", purged FROM audit_checkpoint ORDER BY id')
    # In batches of three rows.
    assert [(seq, rows, before) for seq, rows, before, _ in told] == [
        (2, 2, "2024-01-03"),
        (1, 1, "2024-01-03"),
        (4, 3, "2024-01-03"),
    ]
    assert all(started <= purged <= datetime.now(UTC).isoformat() for *_, purged in told)


def test_a_day_begins_at_midnight_utc(tmp_path: Path) -> None:
    moments = ("2024-01-01T23:59:59.999999+00:00", "2024-01-02T00:00:00+00:00", "2024-01-02T00:00:00.000001+00:00")
    backend = Sqlite(tmp_path / "a")

    async def appended() -> None:
        audit = Store(backend, KEY)
        for moment in moments:
            await audit.append(row(0) | {"tidpunkt": moment})
        await audit.close()

    asyncio.run(appended())
    purge(backend, date(2024, 1, 2))
    assert places(backend) == [(0, 2), (0, 3)]


def test_the_files_of_all_processes_are_purged_each_with_checkpoints_of_its_own(file: Sqlite) -> None:
    other = Sqlite(file.path.with_name("audit.2"))
    asyncio.run(write(other, (0, 0, 3)))
    before = head(file)
    assert planned(file, day(2)).rows == 8
    purge(file, day(2))
    assert (len(places(file)), places(other)) == (4, [(0, 3)])
    known = head(file)
    assert (verified(file, before, known).findings, [last.seq for last in known.checkpoints]) == ((), [3, 1])
    execute(other, "DELETE FROM audit_checkpoint")
    assert {finding.writer is None for finding in verified(file, known).findings} == {True, False}


def test_checkpoints_of_another_file_are_not_its_own(file: Sqlite) -> None:
    other = Sqlite(file.path.with_name("audit.2"))
    asyncio.run(write(other, (3,)))
    purge(file, day(2))
    for values in execute(file, "SELECT * FROM audit_checkpoint"):
        execute(other, f"INSERT INTO audit_checkpoint VALUES ({', '.join('?' * len(values))})", values)
    (finding,) = verified(file).findings
    assert (finding.writer, finding.seq, finding.part) == (None, 1, str(other))


def test_nothing_of_what_was_removed_stands_in_the_files(file: Sqlite) -> None:
    with closing(file.connect()):  # as a gateway that runs: the log is not emptied by the last one who leaves
        purge(file, day(2))
        assert purging.emptied(file)
        left = b"".join(path.read_bytes() for path in file.path.parent.glob("audit*"))
    assert (b"of day 0" in left, b"of day 3" in left) == (False, True)


def test_what_somebody_reads_is_not_waited_for(file: Sqlite) -> None:
    with patch.object(purging, "_EMPTYING_MILLISECONDS", 1), reader.opened(file) as parts:
        (reading,) = parts.values()
        reading.exec_driver_sql("SELECT count(*) FROM audit")
        purge(file, day(2))
        assert not purging.emptied(file)
        assert reading.exec_driver_sql("SELECT count(*) FROM audit").scalar() == 10


def test_the_next_writer_names_what_was_purged_of_the_one_before(audit: Backend) -> None:
    purge(audit, day(9))
    assert places(audit) == []
    asyncio.run(write(audit, (5,)))
    assert execute(audit, "SELECT previous_seq FROM audit_writer WHERE id = 4") == [(2,)]
    assert verified(audit).findings == ()
    execute(audit, "DELETE FROM audit_checkpoint WHERE id = (SELECT max(id) FROM audit_checkpoint)")
    assert [finding.what for finding in verified(audit).findings] == ["its end was cut off: rows 2 to 2 are missing"]


def test_two_purges_at_once_leave_one(audit: Backend) -> None:
    plan, before = planned(audit, day(2)), verified(audit).checkpoints
    next(purging.purge(audit, KEY, plan, before))  # one batch
    with pytest.raises(AuditError, match="changed meanwhile"):
        list(purging.purge(audit, KEY, plan, before))
    assert (len(places(audit)), verified(audit).findings) == (7, ())


@pytest.mark.parametrize(
    "statement", ["DELETE FROM audit WHERE id = 2", "UPDATE audit SET id = 99 WHERE id = 2"], ids=["removed", "moved"]
)
def test_a_row_that_vanished_meanwhile_stops_it(audit: Backend, statement: str) -> None:
    plan, before = planned(audit, day(2)), verified(audit).checkpoints
    execute(audit, statement)
    left = len(places(audit))
    with pytest.raises(AuditError, match="changed meanwhile"):
        list(purging.purge(audit, KEY, plan, before))
    assert len(places(audit)) == left


def test_a_checkpoint_that_vanished_meanwhile_stops_it(audit: Backend) -> None:
    purge(audit, day(1))
    plan, before = planned(audit, day(2)), verified(audit).checkpoints
    execute(audit, "DELETE FROM audit_checkpoint WHERE id = (SELECT max(id) FROM audit_checkpoint)")
    left = len(places(audit))
    with pytest.raises(AuditError, match="changed meanwhile"):
        list(purging.purge(audit, KEY, plan, before))
    assert len(places(audit)) == left


def test_a_database_that_somebody_else_writes_for_long(file: Sqlite) -> None:
    with closing(file.connect()) as other:
        other.execute(file.alone)
        with (
            patch.object(purging, "_BUSY_MILLISECONDS", 1),
            pytest.raises(AuditError, match=r"cannot be purged: .*lock"),
        ):
            purge(file, day(2))
    assert len(places(file)) == 10


@pytest.mark.external
def test_in_postgresql_a_role_that_the_gateway_does_not_have_can_purge(postgresql: Server) -> None:
    page = (Path(__file__).parents[3] / "docs" / "operate" / "audit.md").read_text(encoding="utf-8")
    grants = [line.strip() for line in page.splitlines() if line.startswith("    GRANT")]
    assert len(grants) == 4
    postgresql.execute("CREATE ROLE purger LOGIN")
    with postgresql.database() as name:
        asyncio.run(write(Postgresql(postgresql.url(name)), (0, 3)))
        for grant in grants:
            postgresql.execute(grant, name)
        purger = Postgresql(postgresql.url(name, "purger"))
        purge(purger, day(2))
        assert (places(purger), verified(purger).findings) == ([(0, 2)], ())
        postgresql.execute("REVOKE USAGE ON SEQUENCE audit_checkpoint_id_seq FROM purger", name)
        with pytest.raises(AuditError, match="cannot be purged: permission denied for sequence"):
            purge(purger, day(9))
        assert len(places(purger)) == 1
    postgresql.execute("DROP ROLE purger")


def test_a_process_that_dies_between_removing_and_its_checkpoint_removed_nothing(file: Sqlite) -> None:
    ended = subprocess.run([sys.executable, "-c", DYING, str(file)], check=False, capture_output=True)
    assert ended.returncode == 3, ended.stderr
    assert (len(places(file)), verified(file).findings) == (10, ())


async def story(backend: Backend, written: list[Rows], data: st.DataObject) -> None:
    """After each part of the rows a purge, which may be stopped anywhere; what is left is intact and as expected."""
    heads = list[Head]()
    days: dict[int, list[int]] = defaultdict(list)  # of each writer's rows
    gone: dict[int, int] = defaultdict(int)
    order = list[int]()  # of their start
    async with AsyncExitStack() as stack:
        stores = [Store(backend, KEY) for _ in range(3)]
        for store in stores:
            stack.push_async_callback(store.close)
        for rows in written:
            for writer, number in rows:
                await append(stores[writer], number)
                days[writer].append(number)
                order += [writer] if writer not in order else []
            limit = data.draw(st.integers(0, DAYS), label="before")
            stop = data.draw(st.none() | st.integers(0, 30), label="stop")
            heads.append(head(backend))
            plan, before = planned(backend, day(limit)), verified(backend).checkpoints
            with stopped_before(stop):
                for _ in purging.purge(backend, KEY, plan, before):
                    pass
            heads.append(head(backend))
            left = sorted(places(backend))
            for writer, numbers in days.items():
                rest = enumerate(numbers[gone[writer] :], gone[writer])
                full = next((at for at, number in rest if number >= limit), len(numbers))
                there = [seq for place, seq in left if order[place] == writer]
                kept = there[0] - 1 if there else len(numbers)
                assert kept == full if stop is None else gone[writer] <= kept <= full
                gone[writer] = kept
            assert left == [
                (place, seq)
                for place, writer in enumerate(order)
                for seq in range(gone[writer] + 1, len(days[writer]) + 1)
            ]
    assert verified(backend, *heads).findings == ()


@settings(max_examples=15, deadline=None)
@given(written=WRITTEN, data=st.data())
def test_random_purges_of_a_file_while_writers_go_on(written: list[Rows], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(story(Sqlite(Path(folder) / "audit"), written, data))


@pytest.mark.external
@settings(max_examples=3, deadline=None)
@given(written=WRITTEN, data=st.data())
def test_random_purges_in_postgresql_while_writers_go_on(
    postgresql: Server, written: list[Rows], data: st.DataObject
) -> None:
    with postgresql.database() as name:
        asyncio.run(story(Postgresql(postgresql.url(name)), written, data))


def tamper(backend: Backend, before: list[Any], data: st.DataObject) -> bool:
    """Change one thing, without the key; `before` is every row from before the purge. False where nothing changed."""
    checkpoints: list[int] = [entry for (entry,) in execute(backend, "SELECT id FROM audit_checkpoint")]
    one = data.draw(st.sampled_from(checkpoints), label="checkpoint")
    match data.draw(st.sampled_from(["remove", "alter", "reorder", "put back", "cut off"]), label="tampering"):
        case "remove":
            execute(backend, f"DELETE FROM audit_checkpoint WHERE id = {one}")
        case "alter":
            column, value = data.draw(st.sampled_from(CHECKPOINT)), data.draw(st.integers(0, 9) | st.text(max_size=3))
            read = f'SELECT "{column}" FROM audit_checkpoint WHERE id = {one}'
            was = execute(backend, read)
            execute(backend, f'UPDATE audit_checkpoint SET "{column}" = ? WHERE id = {one}', (value,))
            return execute(backend, read) != was
        case "reorder":
            other = data.draw(st.sampled_from(checkpoints))
            for now, then in ((one, -1), (other, one), (-1, other)):
                execute(backend, f"UPDATE audit_checkpoint SET id = {then} WHERE id = {now}")
            return one != other
        case "put back":
            there = {entry[0] for entry in execute(backend, "SELECT id FROM audit")}
            back = data.draw(st.sampled_from([entry for entry in before if entry[0] not in there]))
            row_id = data.draw(st.sampled_from([None, back[0]]))
            execute(backend, f"INSERT INTO audit VALUES ({', '.join('?' * len(back))})", (row_id, *back[1:]))
        case "cut off":
            left = [entry for (entry,) in execute(backend, "SELECT id FROM audit ORDER BY id")]
            some = data.draw(st.integers(0, len(left)))
            execute(backend, f"DELETE FROM audit WHERE id IN ({', '.join(map(str, left[:some]))})")
            return some > 0
    return True


@pytest.fixture(scope="module")
def purged(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], Sqlite]:
    """Every row from before two purges, and the database after them."""
    backend = Sqlite(tmp_path_factory.mktemp("purged") / "audit")
    asyncio.run(write(backend, (0, 1, 2, 1), (0, 0, 1, 1, 3), (2, 4)))
    before = execute(backend, "SELECT * FROM audit")
    for limit in (1, 3):
        purge(backend, day(limit))
    return before, backend


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_one_change_after_a_purge_is_found_with_a_head(
    purged: tuple[list[Any], Sqlite], data: st.DataObject
) -> None:
    before, backend = purged
    known = head(backend)
    with TemporaryDirectory() as folder:
        copy = Sqlite(Path(folder) / "audit")
        copy.path.write_bytes(backend.path.read_bytes())
        changed = tamper(copy, before, data)
        assert (verified(copy, known).findings == ()) == (not changed)


def test_where_a_broken_chain_of_checkpoints_breaks(audit: Backend) -> None:
    purge(audit, day(2))
    execute(audit, "UPDATE audit_checkpoint SET purged = 'never' WHERE id = 2")
    (finding,) = verified(audit).findings
    assert (finding.writer, finding.seq, finding.row_id) == (None, 2, 2)


def test_a_copy_from_before_the_purge_is_found_with_a_head(file: Sqlite) -> None:
    copy = Sqlite(file.path.with_name("copy"))
    execute(file, f"VACUUM INTO '{copy}'")
    purge(file, day(2))
    known = head(file)
    assert verified(copy).findings == ()
    assert [(finding.writer, finding.what) for finding in verified(copy, known).findings] == [
        (None, "number 3, which stood there when a head was written, is missing or another one")
    ]


def test_other_checkpoints_than_a_head_knows_are_found(file: Sqlite) -> None:
    purge(file, day(2))
    (_, second, _) = verified(file).tails
    for other in (Head({}, (Tail(1, "other"),)), Head({second: Tail(4, "other")})):
        (finding,) = verified(file, other).findings
        assert "when a head was written" in finding.what or "when the head was written" in finding.what


def test_a_writer_that_vanishes_though_a_checkpoint_names_it(audit: Backend) -> None:
    purge(audit, day(9))
    execute(audit, "DELETE FROM audit_writer WHERE id = 3")
    (finding,) = verified(audit).findings
    assert (finding.writer, finding.what) == (None, "names a writer whose entry was removed, with its rows")
