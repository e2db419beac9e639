"""Personal numbers in every spelling, and the test number that stands for each in one run."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ssbtek_gateway.model import has_check_digit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHIPPED = Path(__file__).with_name("test_numbers.txt")
# What stands between the parts of a number: hyphens, spaces, and + from the hundredth birthday on.
SEPARATOR = "[-+ \\t\\r\\n\u00a0\u2010-\u2013]"
# Ten digits that begin as a day of birth (a samordningsnummer's is 60 higher), with or without century and separator.
# Whether the check digit is right is not asked: a number that is mistyped is still about somebody.
_BORN = r"\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0\d|1[0-2])(?:[6-8]\d|9[01]))"
_NUMBER = re.compile(rf"(?<!\d)(18|19|20)?{SEPARATOR}?({_BORN}){SEPARATOR}?(\d{{4}})(?!\d)", re.ASCII)
_DIGITS = re.compile(r"[0-9]{12}", re.ASCII)
_CENTURY = 100
_COORDINATION = 60


class NumbersError(Exception):
    """The test numbers cannot be used, or do not suffice. The text holds no number."""


def read(path: Path = SHIPPED) -> tuple[str, ...]:
    """The twelve digits at the beginning of each line that has them, as in Skatteverket's file.

    Raises `NumbersError`.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NumbersError(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    found = tuple(line.lstrip('"')[:12] for line in lines if _DIGITS.match(line.lstrip('"')))
    if not found:
        raise NumbersError(f"{path}: no line begins with twelve digits")
    return found


def find(text: str) -> Iterator[tuple[str | None, str]]:
    """Century, if it is written, and ten digits of every number in the text."""
    for century, born, rest in _NUMBER.findall(text):
        yield century or None, born + rest


class Persons:
    """Who has been met in this run, by ten digits, and the test number of each. Never printed, never stored.

    A number on the list is nobody's and stands for itself. Any other gets one of the same century and sex, of those
    that nobody has the nearest in age. For a samordningsnummer 60 is added to the day of a number on the list.
    """

    def __init__(self, numbers: Iterable[str], today: date) -> None:
        self._free = list(dict.fromkeys(numbers))
        self._nobody = {number[2:] for number in self._free} | {_coordinated(number)[2:] for number in self._free}
        self._today = today
        self._century: dict[str, str] = {}
        self.known: dict[str, str] = {}

    def __repr__(self) -> str:
        return "Persons(…)"

    def meet(self, found: Iterable[tuple[str | None, str]]) -> None:
        """Find a test number for everybody new. Raises `NumbersError`."""
        # Those with a century first: ten digits may stand for the same person.
        for century, ten in sorted(found, key=lambda one: one[0] is None):
            if century is not None and self._century.setdefault(ten, century) != century:
                raise NumbersError("two persons a hundred years apart have the same ten digits")
            if ten in self._nobody:
                self._free = [number for number in self._free if number[2:] != ten]
            elif ten not in self.known:
                self.known[ten] = self._take((century or self._guessed(ten)) + ten)[2:]

    def replaced(self, text: str) -> tuple[str, int]:
        """The text with every known number replaced, wherever in it and however separated, and how many there were."""
        if not self.known:
            return text, 0
        return _anywhere(tuple(self.known)).subn(self._spelled, text)

    def birthday(self, day: date) -> date | None:
        """The day of birth that stands for `day`, where somebody met was born then."""
        for ten, other in self.known.items():
            if ten[:6] == f"{day:%y%m%d}":
                century = str(day.year // _CENTURY)
                born = int(other[4:6]) % _COORDINATION
                return date(int(century + other[:2]), int(other[2:4]), born)
        return None

    def _spelled(self, found: re.Match[str]) -> str:
        born, separator, rest = found.groups()
        other = self.known[born + rest]
        return f"{other[:6]}{separator}{other[6:]}"

    def _guessed(self, ten: str) -> str:
        this = self._today.year
        return "20" if int(ten[:2]) <= this % _CENTURY else "19"

    def _take(self, number: str) -> str:
        year, sex = int(number[:4]), int(number[10]) % 2
        fits = [one for one in self._free if one[:2] == number[:2] and int(one[10]) % 2 == sex]
        if not fits:
            raise NumbersError("no test number is left of that century and sex: give a longer list with --test-numbers")
        taken = min(fits, key=lambda one: abs(int(one[:4]) - year))
        self._free.remove(taken)
        return _coordinated(taken) if int(number[6:8]) > _COORDINATION - 1 else taken


def _coordinated(number: str) -> str:
    digits = f"{number[:6]}{int(number[6:8]) + _COORDINATION}{number[8:11]}"
    return next(f"{digits}{last}" for last in range(10) if has_check_digit(f"{digits[2:]}{last}"))


@cache
def _anywhere(tens: tuple[str, ...]) -> re.Pattern[str]:
    born = "|".join(f"{ten[:6]}(?={SEPARATOR}?{ten[6:]})" for ten in tens)
    return re.compile(rf"({born})({SEPARATOR}?)(\d{{4}})", re.ASCII)
