"""Whatever is done to the database without the key is found, where it was done."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.audit.here import Store
from unit.builders import CALLER

from ssbtek_gateway.audit import AuditError, reader, record
from ssbtek_gateway.audit import head as heads
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey, Tail
from ssbtek_gateway.audit.head import Head
from ssbtek_gateway.audit.tables import ROWS
from ssbtek_gateway.audit.verify import Report, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = ChainKey(b"c" * 32)
OTHER = ChainKey(b"x" * 32)
WRITERS, EACH = 3, 4
COVERED = [column.name for column in ROWS.columns if column.name != "id"]


async def write(database: Path, writers: int = WRITERS) -> None:
    await Store(Sqlite(database), KEY).close()
    for writer in range(writers):
        audit = Store(Sqlite(database), KEY)
        for number in range(EACH):
            await audit.append(record.denied(f"{writer}-{number}", CALLER, "FOR_STOR"))
        await audit.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "audit?%41 #.sqlite"  # whatever a path may hold
    asyncio.run(write(path))
    return path


def execute(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def verified(database: Path, head: Mapping[str, Tail] | None = None, key: ChainKey = KEY) -> Report:
    with reader.opened(Sqlite(database)) as parts:
        return verify(parts, key, [Head(head)] if head else [])


def found(database: Path, head: Mapping[str, Tail] | None = None) -> list[tuple[int, int | None, int | None, str]]:
    """The findings, with the writer by its place in the order of their start; -1 is one that is not entered."""
    report = verified(database, head)
    order = list(report.tails)
    return [
        (order.index(finding.writer) if finding.writer in order else -1, finding.seq, finding.row_id, finding.what)
        for finding in report.findings
    ]


def test_what_the_store_wrote_is_intact(database: Path) -> None:
    report = verified(database)
    assert (report.findings, report.rows) == ((), WRITERS * EACH)
    assert [tail.seq for tail in report.tails.values()] == [EACH] * WRITERS
    assert verified(database, report.tails).findings == ()


def test_writers_that_write_at_once_are_intact(tmp_path: Path) -> None:
    async def interleaved() -> None:
        one, other = [Store(Sqlite(tmp_path / "a"), KEY) for _ in range(2)]
        for number in range(3):
            await one.append(record.denied(f"{number}", CALLER, "FOR_STOR"))
            await other.append(record.denied(f"{number}", CALLER, "FOR_STOR"))
        await one.close()
        await other.close()

    asyncio.run(interleaved())
    report = verified(tmp_path / "a")
    assert ([tail.seq for tail in report.tails.values()], report.findings) == ([3, 3], ())


def test_an_empty_database_is_intact(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path / "a", 0))
    assert verified(tmp_path / "a") == Report(0, {}, {str(tmp_path / "a"): Tail(0, "")}, ())


def test_nothing_is_intact_under_another_key(database: Path) -> None:
    assert len(verified(database, key=OTHER).findings) == WRITERS


@pytest.mark.parametrize("name", COVERED)
def test_a_changed_column_is_found_in_its_row(database: Path, name: str) -> None:
    execute(database, f"UPDATE audit SET {name} = '777' WHERE id = 6")  # noqa: S608 - our own column's name
    # The second row of the second writer; where it claims another place, it is missing at its own.
    places = {"writer": [(-1, 777, 6), (1, 3, 7)], "seq": [(1, 777, 6)]}.get(name, [(1, 2, 6)])
    assert [(writer, row_id) for writer, _, row_id, _ in found(database)] == [(w, i) for w, _, i in places]


@pytest.mark.parametrize("value", ["x'00ff'", "CAST(x'ff' AS TEXT)", "'162021004748' || char(0)", "1.5", "NULL"])
def test_what_is_no_text_of_ours_is_found_too(database: Path, value: str) -> None:
    execute(database, f"UPDATE audit SET felkod = {value} WHERE id = 6")  # noqa: S608 - as above
    assert found(database) == [(1, 2, 6, "was changed, or put in its place")]


def test_a_number_that_is_none(database: Path) -> None:
    execute(database, "UPDATE audit SET seq = 'two' WHERE id = 6")
    assert [(writer, row_id) for writer, _, row_id, _ in found(database)] == [(1, 6)]


def test_a_removed_row(database: Path) -> None:
    execute(database, "DELETE FROM audit WHERE id = 6")
    assert found(database) == [(1, 3, 7, "row 2 should stand here: it was removed or moved")]


def test_a_removed_row_whose_followers_are_numbered_anew(database: Path) -> None:
    execute(database, "DELETE FROM audit WHERE id = 6", "UPDATE audit SET seq = seq - 1 WHERE id IN (7, 8)")
    assert found(database) == [(1, 2, 7, "was changed, or put in its place")]


def test_rows_that_change_places(database: Path) -> None:
    execute(
        database,
        "UPDATE audit SET id = 99 WHERE id = 6",
        "UPDATE audit SET id = 6 WHERE id = 7",
        "UPDATE audit SET id = 7 WHERE id = 99",
    )
    assert found(database) == [(1, 3, 6, "row 2 should stand here: it was removed or moved")]


def test_a_row_that_is_put_in_again(database: Path) -> None:
    columns = ", ".join(COVERED)
    execute(database, f"INSERT INTO audit ({columns}) SELECT {columns} FROM audit WHERE id = 6")  # noqa: S608
    assert found(database) == [(1, 2, 13, "should not stand after row 4: it was moved, or put in")]


def test_a_row_that_is_made_up_at_the_end(database: Path) -> None:
    columns = ", ".join(COVERED).replace("seq", "seq + 1", 1)
    execute(
        database,
        f"INSERT INTO audit ({', '.join(COVERED)}) SELECT {columns} FROM audit WHERE id = 12",  # noqa: S608
    )
    assert found(database) == [(2, 5, 13, "was changed, or put in its place")]


@pytest.mark.parametrize("writer", range(WRITERS - 1))
def test_a_cut_off_end_of_an_earlier_writer(database: Path, writer: int) -> None:
    last = EACH * (writer + 1)
    execute(database, f"DELETE FROM audit WHERE id IN ({last - 1}, {last})")  # noqa: S608
    assert found(database) == [(writer, None, None, "its end was cut off: rows 3 to 4 are missing")]


def test_a_cut_off_end_of_the_last_writer_is_found_with_a_head(database: Path) -> None:
    head = verified(database).tails
    execute(database, "DELETE FROM audit WHERE id >= 10")
    assert found(database) == []
    assert found(database, head) == [(2, None, None, "its end was cut off: rows 2 to 4 are missing")]
    # Without any row it is found without a head.
    execute(database, "DELETE FROM audit WHERE id >= 9")
    assert found(database) == [(2, None, None, "its end was cut off: rows 1 to 1 are missing")]


@pytest.mark.parametrize("writer", range(WRITERS - 1))
def test_a_whole_writer_that_vanishes(database: Path, writer: int) -> None:
    first = EACH * writer + 1
    execute(
        database,
        f"DELETE FROM audit WHERE id BETWEEN {first} AND {first + EACH - 1}",  # noqa: S608
        f"DELETE FROM audit_writer WHERE id = {writer + 1}",  # noqa: S608
    )
    # Seen at the writer that stood after it.
    assert found(database) == [
        (writer, None, None, "its entry, or the one before it, was changed, removed, moved or put in")
    ]


def test_the_last_writer_that_vanishes_is_found_with_a_head(database: Path) -> None:
    head = verified(database).tails
    execute(database, "DELETE FROM audit WHERE id > 8", "DELETE FROM audit_writer WHERE id = 3")
    assert found(database) == []
    assert found(database, head) == [(-1, None, None, "was removed, with its rows 1 to 4")]


def test_an_entry_that_vanishes_from_under_its_rows(database: Path) -> None:
    execute(database, "DELETE FROM audit_writer WHERE id = 3")
    assert [place[:3] for place in found(database)] == [(-1, 1, 9)]


def test_writers_that_change_places(database: Path) -> None:
    execute(
        database,
        "UPDATE audit_writer SET id = 9 WHERE id = 1",
        "UPDATE audit_writer SET id = 1 WHERE id = 2",
        "UPDATE audit_writer SET id = 2 WHERE id = 9",
    )
    assert [place[0] for place in found(database)] == [0, 1, 2]


@pytest.mark.parametrize("column", ["started", "previous_seq", "previous_mac", "mac"])
def test_a_changed_entry(database: Path, column: str) -> None:
    execute(database, f"UPDATE audit_writer SET {column} = 3 WHERE id = 2")  # noqa: S608
    assert found(database)[0][0] == 1


def test_rows_that_change_writers(database: Path) -> None:
    execute(
        database,
        "CREATE TEMP TABLE names AS SELECT (SELECT writer FROM audit WHERE id = 1) one,"
        " (SELECT writer FROM audit WHERE id = 5) two",
        "UPDATE audit SET writer = CASE WHEN id < 5 THEN (SELECT two FROM names) ELSE (SELECT one FROM names) END"
        " WHERE id < 9",
    )
    assert [place[:3] for place in found(database)] == [(1, 1, 1), (0, 1, 5)]


def test_a_database_that_was_put_back_and_written_anew_differs_from_the_head(database: Path) -> None:
    report = verified(database)
    last = list(report.tails)[-1]
    assert found(database, {last: Tail(4, "other")}) == [(2, 4, 12, "is another row than when the head was written")]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_one_change_to_any_table_is_found(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        database = Path(folder) / "audit"
        asyncio.run(write(database, 2))
        head = verified(database).tails
        table = data.draw(st.sampled_from(["audit", "audit_writer"]))
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.row_factory = sqlite3.Row
            row = data.draw(st.sampled_from(connection.execute(f"SELECT * FROM {table}").fetchall()))  # noqa: S608
            column = data.draw(st.sampled_from([name for name in row.keys() if name != "id"]))  # noqa: SIM118
            kinds = st.text(st.characters(codec="utf-8"), max_size=5) | st.integers(0, 9) | st.binary(max_size=3)
            value = data.draw(kinds)
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, row["id"]))  # noqa: S608
            (after,) = connection.execute(f"SELECT {column} FROM {table} WHERE id = ?", (row["id"],)).fetchone()  # noqa: S608
        assert (verified(database, head).findings == ()) == (after == row[column])


def test_a_head_is_read_as_it_was_signed(database: Path) -> None:
    report = verified(database)
    head = Head(report.tails, (Tail(1, "checkpoint"),))
    assert heads.read(json.dumps(heads.sign(head, KEY)), KEY) == head
    assert heads.read(json.dumps(heads.sign(report.head, KEY)), KEY) == Head(report.tails)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("FOR", "FOR"), "another key"),
        (('"checkpoints": []', '"checkpoints": [{"seq": 1, "mac": ""}]'), "it was changed"),
        (('"seq": 4', '"seq": 3'), "it was changed"),
        (("head 2", "head 3"), "its format is not"),
        (('"hmac"', '"other"'), "no head written by"),
        (("{", "["), "no head written by"),
        (('"seq": 4', '"sequence": 4'), "no head written by"),
    ],
)
def test_a_head_that_cannot_be_used(database: Path, change: tuple[str, str], told: str) -> None:
    report = verified(database)
    text = json.dumps(heads.sign(report.head, KEY)).replace(*change)
    with pytest.raises(heads.HeadError, match=told):
        heads.read(text, OTHER if change[0] == change[1] else KEY)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DROP TABLE audit_writer", "table audit_writer is missing"),
        ("ALTER TABLE audit DROP COLUMN mac", r"column audit\.mac is missing"),
    ],
)
def test_a_database_without_a_chain(database: Path, statement: str, told: str) -> None:
    execute(database, statement)
    with pytest.raises(AuditError, match=told):
        verified(database)


@pytest.mark.parametrize("content", [None, b"not a database, but long enough to be taken for one" * 100])
def test_a_database_that_cannot_be_read_is_not_made(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AuditError, match="cannot be read"):
        verified(path)
    assert path.exists() == (content is not None)
