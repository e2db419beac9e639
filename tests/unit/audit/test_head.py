"""Heads are written while rows are, and at the end; one that cannot be written delays nobody."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from unit.builders import CALLER

from ssbtek_gateway.audit import AuditError, reader, record
from ssbtek_gateway.audit import head as heads
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.chain import ChainKey, Tail
from ssbtek_gateway.audit.head import Head, exported
from ssbtek_gateway.audit.store import AuditStore
from ssbtek_gateway.audit.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ssbtek_gateway.audit.head import Place

KEY = ChainKey(b"c" * 32)
HOUR = 3600
PLACE = ("writer", Tail(3, "mac"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "heads"
    path.mkdir()
    return path


def export(
    folder: Path, place: Callable[[], Place | None], seconds: float, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Export heads until `meanwhile` returns."""

    async def main() -> None:
        async with exported(place, KEY, folder, seconds):
            await asyncio.to_thread(meanwhile)

    asyncio.run(main())


class Asked:
    """A place, and a wait until it was asked for so many times: the heads before the last are then written."""

    def __init__(self, times: int) -> None:
        self._left = times
        self._enough = threading.Event()

    def __call__(self) -> Place:
        self._left -= 1
        if self._left == 0:
            self._enough.set()
        return PLACE

    def wait(self) -> None:
        assert self._enough.wait(15)


def test_a_head_is_whole_and_for_our_own_user(folder: Path) -> None:
    head = Head({"a": Tail(3, "mac")}, (Tail(1, "checkpoint"),))
    path = heads.write(folder, head, KEY)
    assert list(folder.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600
    assert heads.read(path.read_text(encoding="utf-8"), KEY) == head
    assert heads.write(folder, head, KEY) != path


def test_a_head_of_an_earlier_version_is_read() -> None:
    told = ("ssbtek-gateway audit head 1", "2026-01-31T00:00:00+00:00", 12)
    values = dict(zip(("format", "time", "rows"), told, strict=True))
    values |= {"writers": [{"writer": "a", "seq": 4, "mac": "b"}], "hmac": KEY.mac("head", *told, [("a", 4, "b")])}
    for more in ({}, {"checkpoints": [{"seq": 1, "mac": "b"}]}):  # which its signature does not cover
        assert heads.read(json.dumps(values | more), KEY) == Head({"a": Tail(4, "b")})
    with pytest.raises(heads.HeadError, match="it was changed"):
        heads.read(json.dumps(values | {"rows": 13}), KEY)


def test_a_running_store_tells_how_far_it_has_come_on_disk(tmp_path: Path) -> None:
    async def written() -> list[Place | None]:
        audit = await AuditStore.open(Sqlite(tmp_path / "a"), KEY)
        places = [audit.place]
        await audit.append(record.denied("a", CALLER, "FOR_STOR"))
        places.append(audit.place)
        with pytest.raises(AuditError):
            await audit.append(record.denied("b", CALLER, "FOR_STOR") | {"handlaggare": "\ud800"})
        places.append(audit.place)
        await audit.close()
        return places

    before, *after = asyncio.run(written())
    assert before is None
    with reader.opened(Sqlite(tmp_path / "a")) as parts:
        tails = verify(parts, KEY).tails
    assert after == [*tails.items()] * 2


def test_every_head_counts(tmp_path: Path) -> None:
    async def written() -> None:
        audit = await AuditStore.open(Sqlite(tmp_path / "a"), KEY)
        for number in range(2):
            await audit.append(record.denied(f"{number}", CALLER, "FOR_STOR"))
        await audit.close()

    asyncio.run(written())
    with reader.opened(Sqlite(tmp_path / "a")) as parts:
        ((writer, tail),) = verify(parts, KEY).tails.items()
        known = [Head({writer: tail}), Head({writer: Tail(3, "x")}), Head({writer: tail})]
        (longer,) = verify(parts, KEY, known).findings
        (other,) = verify(parts, KEY, [Head({writer: Tail(2, "x")}), *known]).findings
    assert longer.what == "its end was cut off: rows 3 to 3 are missing"
    assert other.what == "is another row than when the head was written"


def test_heads_come_while_it_runs_and_one_at_the_end(folder: Path) -> None:
    asked = Asked(3)
    export(folder, asked, 0.001, asked.wait)
    written = list(folder.iterdir())
    assert len(written) >= 3
    export(folder, lambda: PLACE, HOUR)
    assert len(list(folder.iterdir())) == len(written) + 1
    for path in folder.glob("head-*.json"):
        assert heads.read(path.read_text(encoding="utf-8"), KEY) == Head(dict([PLACE]))


def test_before_the_first_row_there_is_none(folder: Path) -> None:
    export(folder, lambda: None, HOUR)
    assert list(folder.iterdir()) == []


def test_a_head_that_cannot_be_written_is_told_in_the_log_and_the_next_is_tried(folder: Path) -> None:
    folder.rmdir()
    asked = Asked(2)

    def repair() -> None:
        asked.wait()
        folder.mkdir()

    with capture_logs() as logged:
        export(folder, asked, 0.001, repair)
    assert logged[0] == {
        "event": "audit-head-not-written",
        "error": "No such file or directory",
        "log_level": "error",
    }
    assert list(folder.iterdir()) != []


def test_a_folder_that_hangs_holds_neither_the_loop_nor_the_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, ended = threading.Event(), threading.Event()

    def write(*_: object) -> None:
        hangs.wait(15)
        ended.set()

    asked = Asked(1)
    monkeypatch.setattr(heads, "write", write)
    monkeypatch.setattr(heads, "_STOP_SECONDS", 0.01)
    export(folder, asked, 0.001, asked.wait)
    assert not ended.is_set()
    hangs.set()
    assert ended.wait(15)
