"""The only place where others' JSON is read. Nothing that a text of the parser says leaves this module."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn


class JsonError(Exception):
    """Bytes that are not JSON as we accept it; the text is fixed English for the operator's log."""


def parse(data: bytes, *, unique: bool, exact: bool = False) -> Any:  # noqa: ANN401 - whatever JSON can say
    """The value in `data` (RFC 8259: UTF-8, no NaN). With `unique` a name given twice in one object is refused.

    With `exact` a number with a fraction or an exponent is a `Decimal` with its digits, else a float.

    Raises `JsonError`, also for nesting or numbers that the parser cannot hold.
    """
    try:
        text = data.decode("utf-8")
        once, number = _once if unique else None, Decimal if exact else None
        return json.loads(text, parse_constant=_refuse, parse_float=number, object_pairs_hook=once)
    except UnicodeDecodeError:
        raise JsonError("not UTF-8") from None
    except JsonError:
        raise
    except (ValueError, ArithmeticError, RecursionError):
        raise JsonError("not JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("a name stands twice in one object")
    return found


def _refuse(_constant: str) -> NoReturn:
    raise JsonError("NaN or Infinity")
