"""What the calendar closes, on a clock that the test sets: a contract version, and the gateway for maintenance."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from unit.builders import CALLER, CONTRACT, FakeAudit, FakeService, data, flow, operation, so_answer
from unit.test_flow import TESTA
from vectors import make

from ssbtek_gateway.closing import Closing, remind, soon
from ssbtek_gateway.config import Settings
from ssbtek_gateway.config.calendar import Underhall, Version
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.resilience import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST = date(2027, 12, 31)
# In winter Sweden is an hour ahead of UTC.
LAST_SECOND = datetime(2027, 12, 31, 22, 59, 59, tzinfo=UTC)
AFTER = LAST_SECOND + timedelta(seconds=1)
NIGHT = Underhall(fran=datetime(2026, 12, 1, 22, 0), till=datetime(2026, 12, 2, 4, 0))  # noqa: DTZ001 - Swedish time
NIGHT_BEGINS, NIGHT_ENDS = datetime(2026, 12, 1, 21, tzinfo=UTC), datetime(2026, 12, 2, 3, tzinfo=UTC)


def closing(now: datetime, last_days: Mapping[str, date | None] | None = None, *windows: Underhall) -> Closing:
    return Closing(last_days or {"10": LAST, "11": None}, windows, Clock(now=lambda: now))


def refused(closing: Closing, version: str = "10") -> GatewayFault:
    with pytest.raises(GatewayFault) as caught:
        closing.refuse(version)
    return caught.value


def test_a_version_is_open_until_midnight_of_its_last_day_in_sweden() -> None:
    closing(LAST_SECOND).refuse("10")
    fault = refused(closing(AFTER))
    assert (fault.fel.felkod, fault.soap, fault.retry_after) == ("STANGD_VERSION", "Client", None)
    assert fault.detalj == "Version 10 besvarades till och med 2027-12-31. Version 11 är öppen."
    closing(AFTER).refuse("11")


@pytest.mark.parametrize(
    ("others", "named"),
    [
        ({"9": None, "11": None}, "Version 11 är öppen."),
        ({"9": None, "11": date(2028, 6, 30)}, "Version 9 är öppen."),
        ({"9": date(2028, 1, 31), "11": date(2028, 6, 30)}, "Version 11 är öppen."),
        ({"9": date(2028, 1, 1), "11": LAST}, "Version 9 är öppen."),
        ({"9": LAST}, "2027-12-31."),
        ({}, "2027-12-31."),
    ],
)
def test_the_version_to_move_to_is_the_one_that_stays_open_longest(others: dict[str, date | None], named: str) -> None:
    assert refused(closing(AFTER, {"10": LAST, **others})).detalj.endswith(named)


def test_maintenance_refuses_every_version_until_it_ends_and_says_when() -> None:
    for moment in (NIGHT_BEGINS - timedelta(seconds=1), NIGHT_ENDS):
        closing(moment, None, NIGHT).refuse("10")
    for version in ("10", "11"):
        fault = refused(closing(NIGHT_ENDS - timedelta(seconds=90.5), None, NIGHT), version)
        assert (fault.fel.felkod, fault.soap, fault.retry_after) == ("UNDERHALL", "Server", 91)
        assert fault.detalj == "Underhållet pågår till 2026-12-02 04.00."


def test_nobody_is_told_to_wait_longer_than_an_hour() -> None:
    assert refused(closing(NIGHT_BEGINS, None, NIGHT)).retry_after == 3600


@pytest.mark.anyio
@pytest.mark.parametrize("shut", [closing(AFTER), closing(NIGHT_BEGINS, None, NIGHT)], ids=["version", "maintenance"])
async def test_no_operation_reaches_anybody(shut: Closing) -> None:
    audit = FakeAudit()
    way = flow({"SO": FakeService(data(so_answer()), "SO", audit.events)}, audit, closing=shut)
    with pytest.raises(GatewayFault):
        await way.hamta(CONTRACT, operation(make.TEMPLATE), CALLER, "i")
    with pytest.raises(GatewayFault):
        await way.testa(CONTRACT, operation(TESTA), CALLER)
    assert audit.events == []


def settings(**last_days: date) -> Settings:
    versions = {number.removeprefix("v"): Version(stanger=day) for number, day in last_days.items()}
    return Settings.model_construct(versioner={**versions, "12": Version()})  # type: ignore[call-arg] # all that is read


@pytest.mark.parametrize(("days", "warned"), [(91, False), (90, True), (1, True), (0, True), (-1, False)])
def test_a_version_that_closes_is_warned_of_90_days_ahead(days: int, *, warned: bool) -> None:
    found = soon(settings(v10=LAST), LAST - timedelta(days=days))
    assert [str(one) for one in found] == [f"version 10 closes after 2027-12-31, in {days} days"] * warned


@pytest.mark.anyio
async def test_it_is_logged_at_start_and_once_a_day() -> None:
    days = [LAST - timedelta(days=2), LAST - timedelta(days=1)]
    logged = asyncio.Event()

    def now() -> datetime:
        if len(days) == 1:
            logged.set()
        return datetime.combine(days.pop(0), datetime.min.time(), UTC)

    with capture_logs() as log:
        task = asyncio.create_task(remind(settings(v10=LAST), Clock(now=now), every=0))
        await logged.wait()
        await asyncio.sleep(0)
        task.cancel()
    told = [(line["event"], line["log_level"], line["version"], line["last_day"], line["days"]) for line in log]
    assert told == [("version closes", "warning", "10", "2027-12-31", left) for left in (2, 1)]
