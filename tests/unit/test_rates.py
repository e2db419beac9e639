"""Rates of an organisation, on a clock that only the test moves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from unit.builders import (
    CALLER,
    CONTRACT,
    GRANNKOMMUN,
    KOMMUN,
    FakeAudit,
    FakeService,
    data,
    flow,
    organisation,
    so_answer,
)
from unit.builders import operation as read
from vectors import make

from ssbtek_gateway import rates as module
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time; `limits` reads it from `time`."""
    now = [1000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(module, "time", lambda: now[0])
    return lambda seconds: now.__setitem__(0, 1000.0 + seconds)


def rates(**changes: Any) -> Rates:  # noqa: ANN401 - any field's value
    neighbour = organisation(organisationsnummer=GRANNKOMMUN, namn="Grannkommunen", **changes)
    return Rates([organisation(**changes), neighbour])


async def tried(rates: Rates, times: int) -> list[int | None]:
    """None where a question may be asked, else how long to wait."""
    found: list[int | None] = []
    for _ in range(times):
        try:
            await rates.count(KOMMUN)
        except GatewayFault as fault:
            found.append(fault.retry_after)
        else:
            found.append(None)
    return found


async def test_without_a_rate_nothing_is_counted() -> None:
    assert await tried(rates(), 100) == [None] * 100


async def test_so_many_a_second_and_then_again(at: Callable[[float], None]) -> None:
    counted = rates(per_sekund=2)
    at(0)
    assert await tried(counted, 4) == [None, None, 1, 1]
    at(1)
    assert await tried(counted, 3) == [None, None, 1]


async def test_so_many_in_24_hours_from_the_first(at: Callable[[float], None]) -> None:
    counted = rates(per_dygn=2)
    at(0)
    assert await tried(counted, 1) == [None]
    at(3600)
    assert await tried(counted, 2) == [None, 23 * 3600]
    at(24 * 3600)
    assert await tried(counted, 1) == [None]


async def test_one_refused_for_its_rate_takes_nothing_from_the_day(at: Callable[[float], None]) -> None:
    counted = rates(per_sekund=1, per_dygn=2)
    at(0)
    assert await tried(counted, 5) == [None, 1, 1, 1, 1]
    at(1)
    assert await tried(counted, 1) == [None]
    at(2)
    assert await tried(counted, 1) == [24 * 3600 - 2]


async def test_each_organisation_has_its_own(at: Callable[[float], None]) -> None:
    counted = rates(per_dygn=1)
    at(0)
    assert await tried(counted, 2) == [None, 24 * 3600]
    await counted.count(GRANNKOMMUN)


async def test_one_too_many_reaches_nobody_and_says_what_the_limit_is() -> None:
    audit = FakeAudit()
    services = {"SO": FakeService(data(so_answer()), "SO", audit.events)}
    way = flow(services, audit, [organisation(per_dygn=1)])
    await way.hamta(CONTRACT, read(make.TEMPLATE), CALLER, "i")
    audit.events.clear()
    with pytest.raises(GatewayFault) as caught:
        await way.hamta(CONTRACT, read(make.TEMPLATE), CALLER, "i")
    assert caught.value.fel.felkod == "FOR_MANGA"
    assert caught.value.detalj == "Organisationen får ställa högst 1 frågor på 24 timmar."
    assert audit.events == []


async def test_one_that_may_not_be_asked_is_not_counted() -> None:
    way = flow(organisations=[organisation(per_dygn=1, syften=())])
    for _ in range(2):
        with pytest.raises(GatewayFault, match="EJ_BEHORIG"):
            await way.hamta(CONTRACT, read(make.TEMPLATE), CALLER, "i")
