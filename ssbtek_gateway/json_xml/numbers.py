"""Numbers digit by digit: neither JSON nor xs:decimal says that a number is a double, so none becomes one."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

# Beyond it a number is told with an exponent, which xs:decimal has not: no amount is that long.
_MOST_DIGITS = 30


def decimal(number: float | Decimal) -> str | None:
    """`number` as xs:decimal writes it, or None where that would be a row of zeros."""
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not exact.is_finite() or len(exact.as_tuple().digits) > _MOST_DIGITS or abs(exact.adjusted()) > _MOST_DIGITS:
        return None
    return format(exact, "f")


def dumps(value: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    """`value` as JSON in ASCII, a `Decimal` with the digits that it has."""
    return _written(value).encode()


def _written(value: Any) -> str:  # noqa: ANN401
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{_written(child)}" for name, child in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_written, value)) + "]"
        case Decimal():
            return str(value)
        case _:
            return json.dumps(value)
