"""What one database does the other does too: rows come back as they were put in, and the record is read as a whole."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.audit.here import Store
from unit.builders import BITRADE, CALLER, OTHER_PERSON, PERSON, data, question, so_answer

from ssbtek_gateway.audit import AuditError, head, reader, record, schema
from ssbtek_gateway.audit.backend import Backend, Driver, Postgresql, Sqlite
from ssbtek_gateway.audit.chain import ChainKey, Tail
from ssbtek_gateway.audit.export import export
from ssbtek_gateway.audit.record import PersonKey
from ssbtek_gateway.audit.tables import ROWS
from ssbtek_gateway.audit.verify import Report, verify
from ssbtek_gateway.audit.who import Answer, who
from ssbtek_gateway.audit.writer import Writer
from ssbtek_gateway.authorisation import Grant
from ssbtek_gateway.model import PersonId

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ssbtek_gateway.audit.record import Row

KEY = ChainKey(b"c" * 32)
PERSON_KEY = PersonKey("one", b"k" * 32)
# Whatever a caller can write: XML has neither NUL nor half a surrogate pair.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
UNBOUNDED = ("handlaggare", "arende", "syfte", "lagtext", "bastjanster", "tider")
ROW = record.denied("incident", CALLER, "FOR_STOR") | {"writer": "w", "mac": "m"}


def write(backend: Backend, *rows: Row) -> None:
    """As one writer."""

    async def written() -> None:
        audit = Store(backend, KEY)
        for row in rows:
            await audit.append(row)
        await audit.close()

    asyncio.run(written())


def refusals(*incidents: str) -> list[Row]:
    return [record.denied(incident, CALLER, "FOR_STOR") for incident in incidents]


def asked(incident: str, person: str = PERSON, key: PersonKey = PERSON_KEY) -> Row:
    return record.asked(incident, CALLER, question(person=PersonId(person)), Grant({}, BITRADE), key)


def execute(backend: Backend, *statements: str) -> None:
    with closing(backend.connect()) as connection:
        for statement in statements:
            connection.execute(statement)


def verified(backend: Backend, known: Mapping[str, Tail] | None = None) -> Report:
    with reader.opened(backend) as parts:
        return verify(parts, KEY, [head.Head(known)] if known else [])


def found(backend: Backend, known: Mapping[str, Tail] | None = None) -> list[tuple[int | None, str]]:
    return [(finding.seq, finding.what) for finding in verified(backend, known).findings]


def answer(backend: Backend) -> Answer:
    with reader.opened(backend) as parts:
        return who(parts, PERSON_KEY, PersonId(PERSON))


def exported(backend: Backend, out: Path) -> list[dict[str, Any]]:
    with reader.opened(backend) as parts:
        manifest = export(parts, verify(parts, KEY), out)
    assert manifest.findtext("{*}sha256") == hashlib.sha256(out.read_bytes()).hexdigest()
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def connected(backend: Backend) -> Iterator[Driver]:
    """With tables."""
    schema.ensure(backend)
    with closing(backend.connect()) as connection:
        yield connection


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.fixed_dictionaries(dict.fromkeys(UNBOUNDED, st.none() | TEXTS)), min_size=1, max_size=5),
    seq=st.integers(0, 2**63 - 9),
)
def test_rows_come_back_as_they_were_put_in(connected: Driver, backend: Backend, texts: list[Row], seq: int) -> None:
    rows = [ROW | told | {"seq": seq + number} for number, told in enumerate(texts)]
    connected.execute("DELETE FROM audit")
    backend.insert(connected, rows)
    kept = connected.execute(f"SELECT {', '.join(rows[0])} FROM audit ORDER BY id").fetchall()  # noqa: S608 - our columns
    assert kept == [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("text", ["\ud800", "a\0b"], ids=["half a pair", "NUL"])
def test_what_cannot_be_kept_as_it_is_is_refused(connected: Driver, backend: Backend, text: str) -> None:
    bad, good = [ROW | {"arende": written, "seq": 1} for written in (text, "good")]
    with suppress(Exception):  # each driver has its own
        backend.insert(connected, [bad])
    backend.insert(connected, [good])
    kept = [arende for (arende,) in connected.execute("SELECT arende FROM audit ORDER BY id").fetchall()]
    assert kept in (["good"], [text, "good"])


def test_what_was_written_is_intact(backend: Backend, tmp_path: Path) -> None:
    write(backend)
    assert verified(backend) == Report(0, {}, {str(backend): Tail(0, "")}, ())
    for writer in range(3):
        write(backend, *refusals(*(f"{writer}-{number}" for number in range(4))))
    report = verified(backend)
    assert (report.rows, [tail.seq for tail in report.tails.values()], report.findings) == (12, [4, 4, 4], ())
    signed = head.read(json.dumps(head.sign(report.head, KEY)), KEY)
    assert found(backend, signed.tails) == []
    rows = exported(backend, tmp_path / "out")
    assert [row["incident"] for row in rows[:5]] == ["0-0", "0-1", "0-2", "0-3", "1-0"]
    assert [row["seq"] for row in rows] == [1, 2, 3, 4] * 3


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE audit SET felkod = 'OTHER' WHERE id = 2", (2, "was changed, or put in its place")),
        ("UPDATE audit SET felkod = NULL WHERE id = 2", (2, "was changed, or put in its place")),
        ("DELETE FROM audit WHERE id = 2", (3, "row 2 should stand here: it was removed or moved")),
        ("DELETE FROM audit WHERE id = 3", (None, "its end was cut off: rows 3 to 3 are missing")),
        ("UPDATE audit SET seq = 2 WHERE id = 1", (2, "row 1 should stand here: it was removed or moved")),
        (
            "UPDATE audit_writer SET previous_seq = 2 WHERE id = 2",
            (None, "its entry, or the one before it, was changed, removed, moved or put in"),
        ),
        (
            "DELETE FROM audit_writer WHERE id = 1",
            (None, "its entry, or the one before it, was changed, removed, moved or put in"),
        ),
    ],
)
def test_what_is_done_without_the_key_is_found(backend: Backend, statement: str, place: tuple[int | None, str]) -> None:
    write(backend, *refusals("a", "b", "c"))
    write(backend, *refusals("d"))
    execute(backend, statement)
    assert place in found(backend)


def test_an_end_that_was_cut_off_is_found_with_a_head(backend: Backend) -> None:
    write(backend, *refusals("a", "b", "c"))
    known = verified(backend).tails
    execute(backend, "DELETE FROM audit WHERE id > 1")
    assert found(backend) == []
    assert found(backend, known) == [(None, "its end was cut off: rows 2 to 3 are missing")]


def test_two_gateways_at_once_are_two_whole_chains(backend: Backend) -> None:
    async def at_once() -> None:
        stores = [Store(backend, KEY) for _ in range(2)]
        rows = refusals(*map(str, range(60)))
        await asyncio.gather(*(store.append(row) for row in rows for store in stores))
        for store in stores:
            await store.close()

    asyncio.run(at_once())
    report = verified(backend)
    assert ([tail.seq for tail in report.tails.values()], report.findings) == ([60, 60], ())


def test_a_group_whose_acknowledgement_was_lost_leaves_the_chain_whole(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = type(backend).insert

    def unacknowledged(self: Backend, connection: Driver, rows: Sequence[Row]) -> None:
        insert(self, connection, rows)
        if rows[0]["incident"] == "unknown":
            raise ConnectionError

    monkeypatch.setattr(type(backend), "insert", unacknowledged)
    writer = Writer(backend, KEY)
    writer.open()
    before, unknown, after = (
        [[row[name] for name in record.COLUMNS]] for row in refusals("before", "unknown", "after")
    )
    writer.commit(before)
    with pytest.raises(ConnectionError):
        writer.commit(unknown)
    writer.commit(after)
    writer.close()
    report = verified(backend)
    # It is there, though nobody relied on it; the next writer says that it was.
    assert ([tail.seq for tail in report.tails.values()], report.findings) == ([2, 1], ())


def test_who_asked_and_what_came_of_it(backend: Backend) -> None:
    write(
        backend,
        asked("a"),
        asked("b", OTHER_PERSON),
        asked("c", key=PersonKey("two", b"2" * 32)),
        record.answered("a", CALLER, {"SO": data(so_answer())}, {}),
    )
    (only,) = answer(backend).asked
    assert (only.incident, only.arende, only.utfall) == ("a", "Ärende-17", {"SO": "SVARAT"})
    assert answer(backend).other_keys == {"two": 1}


def test_a_reader_sees_one_moment_and_changes_nothing(backend: Backend) -> None:
    write(backend, *refusals("a"))
    with reader.opened(backend) as parts:
        (connection,) = parts.values()
        assert len(list(reader.stream(connection, ROWS))) == 1
        write(backend, *refusals("b"))
        assert len(list(reader.stream(connection, ROWS))) == 1
        with pytest.raises(AuditError, match=r"read-?only"), reader.opened(backend) as others:
            next(iter(others.values())).execute(ROWS.delete())
    assert verified(backend).rows == 2


@pytest.fixture
def files(tmp_path: Path) -> list[Sqlite]:
    """What three processes of one gateway wrote, one after the other in turns."""
    processes = [Sqlite(tmp_path / name) for name in ("audit.sqlite", "audit.2.sqlite", "audit.10.sqlite")]
    for turn in range(2):
        for number, process in enumerate(processes):
            incident = f"{turn}{number}"
            write(process, asked(incident), record.answered(incident, CALLER, {"SO": data(so_answer())}, {}))
    # None of these is one of them.
    for name in ("audit.02.sqlite", "audit.x.sqlite", "audit.2.sqlite.bak", "other.2.sqlite", "audit-2.sqlite"):
        (tmp_path / name).write_text("no database")
    return processes


def test_the_files_of_all_processes_are_one_record(files: list[Sqlite], tmp_path: Path) -> None:
    report = verified(files[0])
    assert (report.rows, [tail.seq for tail in report.tails.values()], report.findings) == (12, [2] * 6, ())
    assert found(files[0], report.tails) == []
    # By time, whichever process was asked; the export has the files one after the other.
    assert [question.incident for question in answer(files[0]).asked] == ["00", "01", "02", "10", "11", "12"]
    assert all(question.utfall == {"SO": "SVARAT"} for question in answer(files[0]).asked)
    order = [row["incident"] for row in exported(files[0], tmp_path / "out") if row["handelse"] == "FRAGAD"]
    assert order == ["00", "10", "01", "11", "02", "12"]


def test_a_change_is_found_in_the_file_where_it_was_made(files: list[Sqlite]) -> None:
    execute(files[2], "UPDATE audit SET arende = 'other' WHERE id = 2")
    (finding,) = verified(files[0]).findings
    assert (finding.part, finding.row_id) == (str(files[2]), 2)


def test_a_file_that_vanishes_is_found_with_a_head(files: list[Sqlite]) -> None:
    known = verified(files[0]).tails
    for path in files[1].path.parent.glob("audit.2.sqlite*"):
        path.unlink()
    assert found(files[0]) == []
    assert found(files[0], known) == [(None, "was removed, with its rows 1 to 2")] * 2


def test_a_file_that_stands_there_twice_is_found(files: list[Sqlite]) -> None:
    shutil.copy(files[1].path, files[1].path.with_name("audit.3.sqlite"))
    assert [what for _, what in found(files[0])] == [
        "is entered twice: its database was copied, or its entry put in"
    ] * 2


def test_a_file_that_is_no_audit_is_named(files: list[Sqlite]) -> None:
    files[1].path.with_name("audit.3.sqlite").write_bytes(b"not a database, but long enough to be one" * 100)
    with pytest.raises(AuditError, match=r"audit\.3\.sqlite cannot be read: file is not a database"):
        verified(files[0])


def test_a_password_file_that_cannot_be_read(tmp_path: Path) -> None:
    backend = Postgresql("postgresql://user@localhost/db", tmp_path / "missing")
    for use in (backend.check, backend.connect, backend.read):
        with pytest.raises(AuditError, match="missing: No such file"):
            use()
