"""What the configuration says of the calendar: moments, days, announced maintenance, a version's last day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from ssbtek_gateway.config.types import Model

SWEDEN = ZoneInfo("Europe/Stockholm")


def _swedish(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=SWEDEN)


# A TOML date with time; without an offset it is Swedish time.
Moment = Annotated[datetime, Field(strict=True), AfterValidator(_swedish)]
Day = Annotated[date, Field(strict=True)]


class Underhall(Model):
    """A window in which the gateway, or one base service, is announced to be closed; nobody is asked then."""

    fran: Moment
    till: Moment
    """Risk: until then the answer is UNDERHALL, even where all is open again earlier."""

    @model_validator(mode="after")
    def _has_an_end(self) -> Underhall:
        if self.till <= self.fran:
            raise ValueError("till is not after fran")
        return self


class Version(Model):
    """When a contract version closes."""

    stanger: Day | None = None
    """The last day, Swedish time; from the next on questions are refused (STANGD_VERSION). Risk: whoever has not
    moved by then gets no answers. `ssbtek-gateway usage` tells who that is."""
