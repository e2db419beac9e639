"""JSON from others: read as RFC 8259 says, or refused with a text that holds nothing of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssbtek_gateway import jsongate


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"secret",
        b"{",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'"\xff"',
        "\ufeff{}".encode(),
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000 + b"]" * 100_000,
        b"1" * 100_000,
        b'{"a": 1} x',
    ],
)
def test_what_is_not_json_is_refused_without_being_quoted(data: bytes) -> None:
    with pytest.raises(jsongate.JsonError) as raised:
        jsongate.parse(data, unique=True)
    assert str(raised.value) in {"not JSON", "not UTF-8", "NaN or Infinity"}
    assert raised.value.__cause__ is None


def test_a_name_given_twice_is_refused_where_one_reader_may_see_another_value() -> None:
    twice = b'{"personnummer": "1", "a": {"b": 1, "b": 2}}'
    with pytest.raises(jsongate.JsonError, match="twice"):
        jsongate.parse(twice, unique=True)
    assert jsongate.parse(twice, unique=False)["a"] == {"b": 2}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        jsongate.parse(data, unique=True)
    except jsongate.JsonError:
        return
