"""Amounts and days in words, as exact as they were sent."""

from __future__ import annotations

import re
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# More digits than a number in an answer can have: a sum is never rounded.
_EXACT = Context(prec=100_000)
_CSN_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_CSN_WEEK = re.compile(r"(\d{4})(\d{2})", re.ASCII)
_MONTH = re.compile(r"\d{4}-\d{2}(?!\d)", re.ASCII)


def amount(text: str) -> Decimal | None:
    """The number that `text` is, digit by digit; None where it is none."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, never rounded."""
    with localcontext(_EXACT):
        return sum(amounts, Decimal(0))


def kronor(value: Decimal, valuta: str = "SEK") -> str:
    """`value` in words of money: all its decimals, and at least two, such as `8240,00 kr`.

    Without separators between thousands, at which a line could break an amount in two.
    """
    whole, _, decimals = f"{value:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(2, "0")
    return f"{whole},{decimals} {'kr' if valuta == 'SEK' else valuta or '(okänd valuta)'}"


def money(text: str, valuta: str = "SEK") -> str:
    """The same for a text: as it is where it is no number, nothing where it is empty."""
    value = amount(text)
    return text if value is None else kronor(value, valuta)


def day(text: str) -> str:
    """A day as CSN writes it, `ÅÅÅÅMMDD`, with hyphens; any other as it is."""
    return "-".join(found.groups()) if (found := _CSN_DAY.fullmatch(text)) else text


def week(text: str) -> str:
    """A week as CSN writes it, `ÅÅÅÅVV`, in words; any other text as it is."""
    return f"{found[1]} v. {found[2]}" if (found := _CSN_WEEK.fullmatch(text)) else text


def month(dag: str) -> str:
    """The month of a day `ÅÅÅÅ-MM-DD`."""
    return found[0] if (found := _MONTH.match(dag)) else "okänd månad"


def period(first: str, last: str) -> str:
    """From `first` to `last` in words; either may be missing."""
    if not first or not last:
        return f"från {first}" if first else f"till {last}" if last else ""
    return f"{first} till {last}"


def percent(text: str) -> str:
    """A part of a whole, where there is a number for it."""
    return f"{text} %" if text else ""


def joined(*texts: str) -> str:
    """Those that say something, in one line."""
    return ", ".join(filter(None, texts))
