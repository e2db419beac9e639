"""What stands for whom in one run: learned from the messages of a question, then written in their place."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from ssbtek_gateway.recording import kinds, persons
from ssbtek_gateway.recording.documents import rewritten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssbtek_gateway.recording.persons import Persons

# Shorter ones, and numbers as short as an amount, are replaced in their own place only: elsewhere they are a word or
# an amount like any other.
_SHORTEST, _SHORTEST_NUMBER = 3, 6
_WORD = re.compile(r"[^\W\d_]+\d*")
# Where a number stands without its century, which stands under a name that ends so.
_SPLIT, _CENTURY = {"personnummer", "hushallsmedlemsid"}, "sekel"


class Pseudonyms:
    """Persons by their numbers, everything else by its kind and text. Never printed, never stored.

    `replaced` counts by kind what has been replaced.
    """

    def __init__(self, numbers: Persons) -> None:
        self._persons = numbers
        self._made: dict[str, dict[str, str]] = {}
        self._search: re.Pattern[str] | None = None
        self.replaced: Counter[str] = Counter()

    def __repr__(self) -> str:
        return "Pseudonyms(…)"

    def learn(self, messages: Iterable[tuple[bytes, str | None]]) -> None:
        """Meet everybody in the messages of one question. Raises `UnreadableError` and `NumbersError`."""
        found: list[tuple[str | None, str]] = []
        for data, charset in messages:
            found += self._learn(data, charset)
        self._persons.meet(found)
        self._search = None

    def _learn(self, data: bytes, charset: str | None) -> list[tuple[str | None, str]]:
        found: list[tuple[str | None, str]] = []
        split: list[str] = []
        centuries: set[str] = set()

        def look(path: tuple[str, ...], text: str) -> str:
            numbers = list(persons.find(text))
            found.extend(numbers)
            own = path[-1].lower()
            if own in _SPLIT:
                split.extend(ten for century, ten in numbers if century is None)
            if own.endswith(_CENTURY):
                centuries.add(text.strip())
            kind = kinds.kind(path)
            if kind is not None and kind != kinds.BIRTHDAY:
                for part in _parts(kind, text):
                    self._name(kind, part)
            return text

        rewritten(data, charset, look)
        return [*((century, ten) for ten in split for century in centuries if len(centuries) == 1), *found]

    def write(self, data: bytes, charset: str | None) -> bytes:
        """The message without anybody who was met. Raises `UnreadableError`."""
        return rewritten(data, charset, self._change)

    @property
    def numbers(self) -> frozenset[str]:
        """The ten digits of everybody who was met and is not on the list."""
        return frozenset(self._persons.known)

    @property
    def texts(self) -> dict[str, str]:
        """Every other original that may stand nowhere, in lower case, and its kind."""
        return {
            text: kind
            for kind, made in self._made.items()
            for text in made
            if kind != kinds.UNKNOWN and _is_searched(text)
        }

    def _name(self, kind: str, text: str) -> str:
        made = self._made.setdefault(kind, {})
        key = text.casefold()
        if kinds.is_ours(text):
            return text
        if key not in made:
            made[key] = kinds.STANDS_FOR[kind](text, len(made) + 1)
        return made[key]

    def _change(self, path: tuple[str, ...], text: str) -> str:
        kind = kinds.kind(path)
        if kind == kinds.BIRTHDAY:
            return self._born(text)
        if kind is not None:
            if kind == kinds.NAME:
                return _WORD.sub(lambda word: self._count(kind, word[0]), text)
            return self._count(kind, text.strip())
        swapped, numbers = self._persons.replaced(text)
        is_number = numbers and not _WORD.search(text)
        if not is_number and kinds.is_unknown(path, text) and not kinds.is_ours(text.strip()):
            return self._count(kinds.UNKNOWN, text.strip())
        self.replaced[kinds.PERSON] += numbers
        return self._searched().sub(self._found, swapped)

    def _count(self, kind: str, text: str) -> str:
        other = self._name(kind, text)
        self.replaced[kind] += other != text
        return other

    def _born(self, text: str) -> str:
        """The day of birth of whoever stands for the one born then; of somebody unmet the year alone is kept."""
        with suppress(ValueError):
            day = date.fromisoformat(text.strip()[:10])
            self.replaced[kinds.BIRTHDAY] += 1
            return (self._persons.birthday(day) or date(day.year, 1, 1)).isoformat()
        return self._count(kinds.UNKNOWN, text)

    def _searched(self) -> re.Pattern[str]:
        if self._search is None:
            longest_first = sorted(self.texts, key=len, reverse=True)
            words = "|".join(map(re.escape, longest_first)) or "(?!)"
            self._search = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
        return self._search

    def _found(self, found: re.Match[str]) -> str:
        return self._count(self.texts.get(found[0].casefold(), kinds.NAME), found[0])


def _parts(kind: str, text: str) -> list[str]:
    """What is replaced by itself: each word of a name, and of the rest the whole."""
    return _WORD.findall(text) if kind == kinds.NAME else [text.strip()]


def _is_searched(text: str) -> bool:
    return len(text) >= (_SHORTEST_NUMBER if text.isdecimal() else _SHORTEST)
