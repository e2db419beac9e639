"""Who asked about a person, and what came of it: found with the key only."""

from __future__ import annotations

import asyncio
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from unit.audit.here import Store
from unit.builders import BITRADE, CALLER, OTHER_PERSON, PERSON, data, question, so_answer

from ssbtek_gateway.audit import reader, record
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.record import PersonKey
from ssbtek_gateway.audit.who import Answer, who
from ssbtek_gateway.authorisation import Grant
from ssbtek_gateway.cli.table import print_asked
from ssbtek_gateway.faults import failure
from ssbtek_gateway.model import PersonId

if TYPE_CHECKING:
    from pathlib import Path

KEY = PersonKey("one", b"k" * 32)
GRANT = Grant({}, BITRADE)


def written(folder: Path, *rows: record.Row) -> Path:
    async def write() -> None:
        audit = Store(Sqlite(folder / "audit"), ChainKey(b"c" * 32))
        for row in rows:
            await audit.append(row)
        await audit.close()

    asyncio.run(write())
    return folder / "audit"


def asked(incident: str, person: str = PERSON, key: PersonKey = KEY) -> record.Row:
    return record.asked(incident, CALLER, question(person=PersonId(person)), GRANT, key)


def answer(database: Path, key: PersonKey = KEY, person: str = PERSON) -> Answer:
    with reader.opened(Sqlite(database)) as parts:
        return who(parts, key, PersonId(person))


def test_each_question_about_the_person_with_what_came_of_it(tmp_path: Path) -> None:
    database = written(
        tmp_path,
        asked("a"),
        asked("b", OTHER_PERSON),
        asked("c"),
        asked("d"),
        record.answered("b", CALLER, {"AF": failure("TIMEOUT")}, {}),
        record.answered("a", CALLER, {"SO": data(so_answer()), "AF": failure("TIMEOUT")}, {}),
        record.denied("d", CALLER, "INTERNT_FEL"),
    )
    first, unanswered, failed = answer(database).asked
    assert (first.incident, first.utfall) == ("a", {"SO": "SVARAT", "AF": "SSBT TIMEOUT"})
    assert (first.bitrade, first.handlaggare, first.arende) == (BITRADE, "asa01", "Ärende-17")
    assert first.bastjanster["AF"] == ["2026-01-01", "2026-01-31"]
    assert (unanswered.incident, unanswered.utfall) == ("c", None)
    assert (failed.incident, failed.utfall) == ("d", {"fel": "INTERNT_FEL"})


def test_another_key_finds_nothing_and_is_told_so(tmp_path: Path) -> None:
    database = written(
        tmp_path, asked("a"), asked("b", key=PersonKey("two", b"2" * 32)), record.answered("a", CALLER, {}, {})
    )
    assert [found.incident for found in answer(database).asked] == ["a"]
    assert answer(database).other_keys == {"two": 1}
    assert answer(database, PersonKey("three", b"3" * 32)) == Answer((), {"one": 1, "two": 1})


@pytest.mark.parametrize("text", ["no json", "[1]", "x" * 9, "[" * 99999])
def test_a_row_that_was_changed_ends_nothing(tmp_path: Path, text: str) -> None:
    database = written(tmp_path, asked("a") | {"bastjanster": text})
    assert [found.bastjanster for found in answer(database).asked] == [{}]


def test_what_callers_wrote_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    database = written(tmp_path, asked("a") | {"handlaggare": "[red]\x1b[2J\u202e", "syfte": "[/]"})
    out = StringIO()
    print_asked(answer(database).asked, Console(file=out, width=200, force_terminal=False))
    assert "[red]\ufffd[2J\ufffd" in out.getvalue()
    assert "[/]" in out.getvalue()
    assert "1 frågor" in out.getvalue()
