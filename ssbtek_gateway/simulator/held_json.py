"""JSON that a persona holds as the text of an element, and JSON that a caller sends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.simulator.agency import Flaw

if TYPE_CHECKING:
    from lxml.etree import _Element


def read_object(data: bytes | str) -> dict[str, Any]:
    """The JSON object in `data`. Raises `ValueError` where it is none."""
    try:
        document = json.loads(data)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a value that was read, not an argument
    return document


def read_held(element: _Element | None) -> dict[str, Any]:
    """The JSON object that a persona holds as text, empty where there is none. Raises `Flaw`."""
    if element is None:
        return {}
    if len(element):
        raise Flaw(element.sourceline, "holds JSON in <![CDATA[ ]]>, and no element")
    try:
        return read_object(element.text or "")
    except json.JSONDecodeError as error:
        # The text begins in its element's line.
        raise Flaw((element.sourceline or 1) + error.lineno - 1, f"not JSON: {error.msg}") from None
    except ValueError as error:
        raise Flaw(element.sourceline, f"not JSON as it is used here: {error}") from None
