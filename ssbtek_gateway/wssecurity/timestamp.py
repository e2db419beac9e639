"""When a message may be taken: the one Timestamp's Created and Expires, by the wall clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ssbtek_gateway.wssecurity.names import WSU, SecurityError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

_CHILDREN = [f"{{{WSU}}}Created", f"{{{WSU}}}Expires"]
# In UTC, as the Basic Security Profile 1.1 asks; Java writes up to nine decimals.
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?Z", re.ASCII)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """How long a message may be valid, and how far a sender's clock may be ahead of ours."""

    ttl: timedelta = timedelta(seconds=300)
    skew: timedelta = timedelta(seconds=60)
    clock: Callable[[], datetime] = utc_now

    def check(self, timestamp: _Element) -> datetime:
        """When a message with this Timestamp expires. Raises `SecurityError`."""
        if [child.tag for child in timestamp] != _CHILDREN:
            raise SecurityError("InvalidSecurity", "a Timestamp without one Created and one Expires")
        created, expires = (_time(child) for child in timestamp)
        now = self.clock()
        if not timedelta() < expires - created <= self.ttl:
            raise SecurityError("InvalidSecurity", "a Timestamp that is valid for too long, or never")
        if expires <= now:
            raise SecurityError("MessageExpired", "the message has expired")
        if created > now + self.skew:
            raise SecurityError("InvalidSecurity", "the message is from the future")
        return expires


def _time(element: _Element) -> datetime:
    found = None if len(element) else _TIME.fullmatch((element.text or "").strip())
    try:
        # Fractions are left out of both, which moves each by less than a second.
        return datetime.fromisoformat(f"{found[1]}+00:00" if found else "")
    except ValueError:
        raise SecurityError("InvalidSecurity", "a time that is not one in UTC") from None
