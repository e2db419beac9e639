"""The only place where others' JSON is read. Nothing that a text of the parser says leaves this module."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class JsonError(Exception):
    """Bytes that are not JSON as we accept it; the text is fixed English for the operator's log."""


def parse(data: bytes, *, unique: bool) -> Any:  # noqa: ANN401 - whatever JSON can say
    """The value in `data` (RFC 8259: UTF-8, no NaN). With `unique` a name given twice in one object is refused.

    Raises `JsonError`, also for nesting or numbers that the parser cannot hold.
    """
    try:
        text = data.decode("utf-8")
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_once if unique else None)
    except UnicodeDecodeError:
        raise JsonError("not UTF-8") from None
    except JsonError:
        raise
    except (ValueError, RecursionError):
        raise JsonError("not JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("a name stands twice in one object")
    return found


def _refuse(_constant: str) -> NoReturn:
    raise JsonError("NaN or Infinity")
