"""Who asks in which version: counted in the database, from the rows that questions and refusals leave."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from unit.audit.test_who import GRANT, KEY, written
from unit.builders import BITRADE, CALLER, GRANNKOMMUN, KOMMUN, question

from ssbtek_gateway.audit import reader, record
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.usage import Used, usage
from ssbtek_gateway.authorisation import Grant
from ssbtek_gateway.config.calendar import SWEDEN
from ssbtek_gateway.model import Caller, Party

if TYPE_CHECKING:
    from pathlib import Path

FIRST, LAST = "2026-02-28T22:59:59.999999+00:00", "2026-02-28T23:00:00+00:00"
NEIGHBOUR = Party(GRANNKOMMUN, "Grannkommunen")


def asked(version: str, when: str = LAST, grant: Grant = GRANT, **changes: Any) -> record.Row:  # noqa: ANN401
    row = record.asked("i", CALLER, question(version=version, **changes), grant, KEY)
    return row | {"tidpunkt": when}


def refused(felkod: str, caller: Caller = CALLER) -> record.Row:
    return record.denied("i", caller, felkod, "10") | {"tidpunkt": LAST}


def found(database: Path, since: datetime | None = None) -> list[Used]:
    with reader.opened(Sqlite(database)) as parts:
        return usage(parts, since)


def test_questions_are_counted_by_organisation_supplier_and_version(tmp_path: Path) -> None:
    own = Grant({}, None)
    rows = (asked("10", FIRST), asked("10"), asked("11", grant=own), asked("10", grant=own, ingivare=NEIGHBOUR))
    database = written(tmp_path, *rows, record.answered("i", CALLER, {}, {}))
    assert found(database) == [
        Used(KOMMUN, None, "11", 1, 0, LAST),
        Used(KOMMUN, BITRADE, "10", 2, 0, LAST),
        Used(GRANNKOMMUN, None, "10", 1, 0, LAST),
    ]


def test_what_a_closed_version_refused_is_counted_by_certificate(tmp_path: Path) -> None:
    rows = (refused("STANGD_VERSION"), refused("STANGD_VERSION", Caller(BITRADE, "cd" * 32)), refused("OGILTIG_FRAGA"))
    assert found(written(tmp_path, *rows)) == [
        Used(KOMMUN, None, "10", 0, 1, LAST),
        Used(BITRADE, None, "10", 0, 1, LAST),
    ]


def test_only_what_was_asked_since_a_day_in_sweden(tmp_path: Path) -> None:
    database = written(tmp_path, asked("10", FIRST), asked("10"))
    (line,) = found(database, datetime(2026, 3, 1, tzinfo=SWEDEN))
    assert (line.fragor, line.senast) == (1, LAST)
    assert found(database, datetime(2026, 3, 2, tzinfo=SWEDEN)) == []
