"""Whether anything original survives in a file, looked for without what wrote it: however it is spelled or wrapped.

A file is read as text, and again as what its entities, escapes and percent signs stand for and what its base64 holds
from any character on, and so on inwards. In each reading are sought ten digits with anything between them that
separates, and words as words. Names of elements, attributes and properties, and addresses of namespaces, are no values:
in them only numbers are sought.
"""

from __future__ import annotations

import html
import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ssbtek_gateway.recording.kinds import PERSON
from ssbtek_gateway.recording.persons import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_DEEPEST = 6
_BETWEEN_DIGITS = re.compile(rf"(?<=\d){SEPARATOR}+(?=\d)")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{8,}", re.ASCII)
_BROKEN = re.compile(r"(?<=[A-Za-z0-9+/=])\s+(?=[A-Za-z0-9+/=])", re.ASCII)
_NO_VALUE = re.compile(
    r"""xmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')|</?[\w:.-]+|(?<![\w:.-])[\w:.-]++(?=\s*=\s*["'])|"[^"\\]*"(?=\s*:)"""
)
# Of what came out of a guess at base64, less than that much is not ASCII's or UTF-16's, or it was no text.
_STRANGE = 0.3
_WRITTEN = bytes([0, 9, 10, 13, *range(32, 127)])


def survivors(data: bytes, numbers: Collection[str], texts: Mapping[str, str]) -> set[str]:
    """The kinds of which something survives. `numbers` are ten digits each, `texts` in lower case with their kinds."""
    found = set()
    for reading in _readings(data):
        digits = _BETWEEN_DIGITS.sub("", reading)
        if any(number in digits for number in numbers):
            found.add(PERSON)
        values = _NO_VALUE.sub(" ", reading).casefold()
        words = set(re.findall(r"\w+", values))
        for text, kind in texts.items():
            if text in words or (not text.isalnum() and _stands_in(text, values)):
                found.add(kind)
    return found


def _stands_in(text: str, values: str) -> bool:
    return text in values and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", values) is not None


def _readings(data: bytes) -> Iterator[str]:
    seen: set[str] = set()
    waiting = [(text, 0) for text in _texts(data)]
    while waiting:
        text, depth = waiting.pop()
        if text in seen:
            continue
        seen.add(text)
        yield text
        if depth < _DEEPEST:
            waiting += [(inner, depth + 1) for inner in _inside(text)]


def _texts(data: bytes) -> Iterator[str]:
    if data.count(0) > len(data) // 4:
        yield from (data.decode(codec, "replace") for codec in ("utf-16-le", "utf-16-be"))
    else:
        yield data.decode("utf-8", "replace")
        yield data.decode("latin-1")


def _inside(text: str) -> Iterator[str]:
    yield html.unescape(text)
    yield _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    yield unquote(text)
    for token in {*_TOKEN.findall(text), *_TOKEN.findall(_BROKEN.sub("", text))}:
        plain = token.replace("+", "-").replace("/", "_")
        for start in range(4):
            piece = plain[start:]
            # A character alone in its group of four holds no whole byte.
            piece = piece[:-1] if len(piece) % 4 == 1 else piece
            decoded = urlsafe_b64decode(piece + "=" * (-len(piece) % 4))
            if _is_text(decoded):
                yield from _texts(decoded)


def _is_text(data: bytes) -> bool:
    """Whether guessed bytes may be a text, in any encoding."""
    return len(data.translate(None, delete=_WRITTEN)) < _STRANGE * len(data)
