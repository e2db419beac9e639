"""Days as the agencies write them, and the notation for days that follow the calendar (see `personas.py`)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_RELATIVE = re.compile(r"\$\{([+-]?\d{1,3})(d|m(?::(\d{1,2}))?)(?: (ÅÅÅÅMMDD|ÅÅÅÅVV|ÅÅÅÅ-MM|ÅÅÅÅ))?\}", re.ASCII)
# An xs:date may end in a time zone, which an agency's calendar day does not depend on.
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2})?|\d{8}", re.ASCII)
_WEEK = re.compile(r"(\d{4})(\d{2})", re.ASCII)
_RULE = (
    "a relative day is ${SHIFTd}, ${SHIFTm} or ${SHIFTm:DAY}, then optionally a space and one of "
    "ÅÅÅÅMMDD, ÅÅÅÅVV, ÅÅÅÅ-MM, ÅÅÅÅ"
)
_FORMS = {None: "%Y-%m-%d", "ÅÅÅÅMMDD": "%Y%m%d", "ÅÅÅÅVV": "%G%V", "ÅÅÅÅ-MM": "%Y-%m", "ÅÅÅÅ": "%Y"}


def today_in_sweden() -> date:
    """The agencies' calendar day."""
    return datetime.now(ZoneInfo("Europe/Stockholm")).date()


def shift_months(day: date, months: int, day_of_month: int | None = None) -> date:
    """`day` moved by whole months; a day of the month that the month lacks becomes its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day_of_month or day.day, monthrange(year, month + 1)[1]))


def span(text: str) -> tuple[date, date]:
    """First and last day of what `text` names: an `xs:date`, a day `ÅÅÅÅMMDD` or an ISO week `ÅÅÅÅVV`.

    Raises `ValueError` (without the text) where it is none of them.
    """
    try:
        if week := _WEEK.fullmatch(text.strip()):
            monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return monday, monday + timedelta(days=6)
        found = _DAY.fullmatch(text.strip())
        day = date.fromisoformat((found[1] or found[0]) if found else "")
    except ValueError:
        raise ValueError("not a day of the calendar") from None
    return day, day


def expand(text: str, today: date) -> str:
    """`text` with each `${…}` replaced by the day it names. Raises `ValueError` naming the rule for an unknown one."""
    return re.sub(r"\$\{[^}]*\}?", lambda found: _day(found[0], today), text)


def _day(notation: str, today: date) -> str:
    found = _RELATIVE.fullmatch(notation)
    if found is None or found[3] in {"0", "00"}:
        raise ValueError(_RULE)
    shift, unit, day_of_month, form = found.groups()
    if unit == "d":
        day = today + timedelta(days=int(shift))
    else:
        day = shift_months(today, int(shift), int(day_of_month) if day_of_month else None)
    return day.strftime(_FORMS[form])
