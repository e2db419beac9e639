"""What a MAC covers: everything that a row says, its place, and the row before it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.builders import CALLER

from ssbtek_gateway.audit import record
from ssbtek_gateway.audit.chain import Chain, ChainKey
from ssbtek_gateway.audit.tables import ROWS

KEY = ChainKey(b"c" * 32)
COVERED = [column.name for column in ROWS.columns if column.name not in {"id", "mac"}]
VALUES = st.none() | st.text() | st.integers()


def placed() -> dict[str, Any]:
    return record.denied("incident", CALLER, "FOR_STOR") | {"writer": "w", "seq": 1}


def test_a_mac_is_hmac_sha_256_over_the_row_before_and_every_column_in_order() -> None:
    row = placed()
    text = json.dumps(["row", "before", *[row[name] for name in COVERED]])
    assert KEY.row("before", row) == hmac.new(b"c" * 32, text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("name", COVERED)
def test_every_column_is_covered(name: str) -> None:
    assert KEY.row("before", placed() | {name: "other"}) != KEY.row("before", placed())


@given(st.lists(VALUES), st.lists(VALUES))
def test_different_values_have_different_macs(one: list[object], other: list[object]) -> None:
    assert (KEY.mac("row", *one) == KEY.mac("row", *other)) == (one == other)


def test_a_blob_is_not_the_text_that_it_looks_like() -> None:
    assert KEY.mac("row", b"a") not in {KEY.mac("row", "a"), KEY.mac("row", "b'a'")}


def test_what_is_covered_depends_on_key_kind_and_the_row_before() -> None:
    macs = {
        KEY.row("before", placed()),
        KEY.row("other", placed()),
        ChainKey(b"x" * 32).row("before", placed()),
        KEY.mac("writer", "before", *[placed()[name] for name in COVERED]),
    }
    assert len(macs) == 4


def test_links_follow_each_other_from_the_writers_own_mac() -> None:
    rows = [record.denied(f"{number}", CALLER, "FOR_STOR") for number in range(3)]
    chain = Chain(KEY, "w", "genesis")
    linked = [*chain.link(rows[:2]), *chain.link(rows[2:])]
    assert [(row["writer"], row["seq"]) for row in linked] == [("w", 1), ("w", 2), ("w", 3)]
    for previous, row in zip(["genesis", linked[0]["mac"], linked[1]["mac"]], linked, strict=True):
        assert row["mac"] == KEY.row(previous, row)


def test_the_key_never_prints_itself() -> None:
    assert "c" * 32 not in repr(KEY)
