"""Rates counted in a real Redis over TLS: shared, kept over a restart, and never in the way of an answer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from harness import running_gateway
from redis.asyncio import Redis
from redis_server import PASSWORD, RedisServer, running_redis
from structlog.testing import capture_logs
from unit.builders import KOMMUN, organisation
from unit.test_rates import tried

from ssbtek_gateway import rates, redis_pool
from ssbtek_gateway.client import FaultError
from ssbtek_gateway.config.rates import Rates as Settings
from ssbtek_gateway.rates import LEFT_ALONE_SECONDS, Rates
from ssbtek_gateway.resilience import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.external]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    # A machine under load must not look like a Redis that is away.
    monkeypatch.setattr(rates, "REDIS_SECONDS", 20)


@pytest.fixture
def redis(pki: Path, unused_port: int) -> Iterator[RedisServer]:
    with running_redis(pki, unused_port) as server:
        yield server


@pytest.fixture
def settings(redis: RedisServer, pki: Path, tmp_path: Path) -> Settings:
    password = tmp_path / "redis.password"
    password.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return Settings(redis=redis.url, authority=pki / "ca.pem", password=password)


class Node:
    """The rates of one process, with a clock that only the test moves."""

    def __init__(self, settings: Settings, per_dygn: int) -> None:
        self.now = 0.0
        self.pool = redis_pool.connect(settings)
        self.rates = Rates([organisation(per_dygn=per_dygn)], self.pool, Clock(elapsed=lambda: self.now))

    async def admitted(self, times: int) -> int:
        """How many of so many questions were within the rate."""
        return (await tried(self.rates, times)).count(None)


@asynccontextmanager
async def nodes(settings: Settings, per_dygn: int) -> AsyncIterator[tuple[Node, Node]]:
    made = Node(settings, per_dygn), Node(settings, per_dygn)
    try:
        yield made
    finally:
        for node in made:
            await node.pool.disconnect()


async def test_two_processes_share_a_rate_under_the_organisation_number_alone(settings: Settings) -> None:
    async with nodes(settings, per_dygn=5) as (one, other):
        assert [await one.admitted(3), await other.admitted(3), await one.admitted(1)] == [3, 2, 0]
        (key,) = await Redis(connection_pool=one.pool).keys()
        assert key.decode() == f"ssbtek-gateway:LIMITER/{KOMMUN}/5/1/day"
        assert one.rates.warning == other.rates.warning == ""


@pytest.mark.parametrize("how", ["stop", "hang"])
async def test_without_redis_each_counts_for_itself_until_it_is_back(
    settings: Settings, redis: RedisServer, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nodes(settings, per_dygn=2) as (one, other):
        assert await one.admitted(2) == 2
        getattr(redis, how)()
        with capture_logs() as log, monkeypatch.context() as impatient:
            impatient.setattr(rates, "REDIS_SECONDS", 0.1)
            # Here the count begins anew, and only the first question tries Redis.
            assert await one.admitted(4) == 2
        assert [(line["event"], line["log_level"]) for line in log] == [("rates not shared", "error")]
        assert "Redis does not answer" in one.rates.warning

        redis.stop()
        redis.start()
        with capture_logs() as log:
            assert await one.admitted(1) == 0, "Redis was tried too early"
            one.now += LEFT_ALONE_SECONDS
            assert [await one.admitted(1), await other.admitted(2)] == [1, 1]
        assert [line["event"] for line in log] == ["rates shared again"]
        assert one.rates.warning == ""


async def test_a_redis_with_another_password_or_authority_is_not_used(
    settings: Settings, stranger_pki: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither the system's authorities, which the environment can name, nor none.
    monkeypatch.setenv("SSL_CERT_FILE", str(settings.authority))
    unknown = settings.model_copy(update={"authority": stranger_pki / "ca.pem"})
    for mistaken, error in ((unknown, "ConnectionError"), (settings.model_copy(update={"password": None}), "Auth")):
        with capture_logs() as log:
            async with nodes(mistaken, per_dygn=1) as (one, other):
                assert [await one.admitted(2), await other.admitted(2)] == [1, 1]
        assert [line["error"].startswith(error) for line in log] == [True, True], log


async def test_a_stop_does_not_wait_for_a_redis_that_hangs(
    settings: Settings, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(settings, per_dygn=2)
    monkeypatch.setattr(rates, "REDIS_SECONDS", 0.5)
    await node.admitted(1)
    while node.rates.warning:  # a slow machine, not a Redis that is away
        node.now += LEFT_ALONE_SECONDS
        await node.admitted(1)
    redis.hang()
    async with asyncio.timeout(20):
        await node.pool.disconnect()


def test_a_days_allowance_outlasts_the_gateway_and_an_answer_does_not_wait_for_redis(
    settings: Settings, redis: RedisServer, pki: Path, tmp_path: Path, agencies: int
) -> None:
    table = f"""
        [rates]
        redis = "{settings.redis}"
        authority = "{settings.authority}"
        password = "{settings.password}"
    """

    def asked() -> str:
        try:
            return "answered" if gateway.ask(["SO"]).sections else "nothing"
        except FaultError as fault:
            return fault.felkod

    for expected in (["answered", "answered"], ["answered", "FOR_MANGA"]):
        with running_gateway(pki, tmp_path, agencies, table, organisation="per_dygn = 3") as gateway:
            assert [asked() for _ in expected] == expected
            if "FOR_MANGA" in expected:
                assert gateway.state()["warnings"] == []
                redis.stop()
                assert asked() == "answered"
                assert gateway.state()["warnings"] == ["Redis does not answer: each worker counts rates for itself"]
