"""Messages that a library builds once for each shape, and that are filled for each question.

zeep takes about a tenth of a millisecond to build a message whose tags never change; filling its slots takes a tenth of
that (docs/decisions/0006). A shape is which fields are there, and how many of each; zeep builds the first of its kind.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# A slot's stand-in while the library builds: private-use characters, which no question of ours writes around a number.
_SLOT = re.compile("\ue000([0-9]+)\ue001")
# In an attribute white space must be written as references, and in text it may be.
_QUOTED = {'"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
_SPECIAL = re.compile('[&<>"\r\n\t]')
# A caller decides how many biträden there are: beyond these, each message is built by the library.
_MOST_SHAPES = 50


class Templates:
    """`build` makes a message, as text, from a dict of strings, dates, truth values, lists and dicts."""

    def __init__(self, build: Callable[[Mapping[str, Any]], str]) -> None:
        self._build = build
        self._compiled: dict[object, tuple[list[str], list[int]]] = {}

    def fill(self, message: Mapping[str, Any]) -> bytes:
        """What `build` makes of `message`, in UTF-8: the same XML, possibly with other character references."""
        leaves: list[str] = []
        shape = _shape(message, leaves)
        template = self._compiled.get(shape)
        if template is None:
            if len(self._compiled) >= _MOST_SHAPES:
                return self._build(message).encode()
            template = self._compiled[shape] = self._compile(message, len(leaves))
        texts, slots = template
        parts = [texts[0]]
        for text, slot in zip(texts[1:], slots, strict=True):
            leaf = leaves[slot]
            parts += (escape(leaf, _QUOTED) if _SPECIAL.search(leaf) else leaf, text)
        return "".join(parts).encode()

    def _compile(self, message: Mapping[str, Any], leaves: int) -> tuple[list[str], list[int]]:
        pieces = _SLOT.split(self._build(_with_slots(message, iter(range(leaves)))))
        slots = [int(number) for number in pieces[1::2]]
        if sorted(slots) != list(range(leaves)):
            raise ValueError("the library left a field out of the message, or wrote one twice")
        return pieces[::2], slots


def _shape(value: object, leaves: list[str]) -> object:
    """What stays when the strings and dates are taken out, which are appended to `leaves`."""
    if isinstance(value, str):
        leaves.append(value)
        return str
    if isinstance(value, date):
        leaves.append(value.isoformat())
        return date
    if isinstance(value, dict):
        shape: list[object] = []
        for key, child in value.items():
            shape.append(key)
            if type(child) is str:  # most are: without a call
                leaves.append(child)
                shape.append(str)
            else:
                shape.append(_shape(child, leaves))
        return tuple(shape)
    if isinstance(value, list):
        return (list, *[_shape(child, leaves) for child in value])
    return value


def _with_slots(value: Any, numbers: Any) -> Any:  # noqa: ANN401 - as nested as the message
    if isinstance(value, (str, date)):
        return f"\ue000{next(numbers)}\ue001"
    if isinstance(value, dict):
        return {key: _with_slots(child, numbers) for key, child in value.items()}
    if isinstance(value, list):
        return [_with_slots(child, numbers) for child in value]
    return value
