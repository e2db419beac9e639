"""`python -m ssbtek_gateway.supervisor PLAN`, as `Plan.command` says."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from http import HTTPStatus
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ssbtek_gateway import health
from ssbtek_gateway.sockets import claim
from ssbtek_gateway.supervisor import management, metrics
from ssbtek_gateway.supervisor.log import log
from ssbtek_gateway.supervisor.management import Page
from ssbtek_gateway.supervisor.plan import Plan
from ssbtek_gateway.supervisor.slot import Slot

if TYPE_CHECKING:
    import socket

    from ssbtek_gateway.supervisor.management import Pages

# For the kernel to end a process that was killed.
_KILL_SECONDS = 5


def main() -> None:
    plan = Plan.of(sys.argv[1])
    with TemporaryDirectory(prefix="ssbtek-gateway-") as folder:
        # Where the processes' metrics meet.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        code = asyncio.run(_supervise(plan))
    sys.exit(code)


async def _supervise(plan: Plan) -> int:
    """Run until a signal comes. Returns the exit code: 1 where an address is taken or a worker cannot be started."""
    stop = asyncio.Event()
    for number in (SIGTERM, SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        doors = [claim(host, port, plan.workers) for host, port in plan.addresses]
        managing = claim(*plan.management, 1) if plan.management else None
    except OSError as error:
        print(f"{plan.config}: {error.strerror}", file=sys.stderr)  # noqa: T201 - as the command line does
        return 1
    slots = [Slot(place + 1, [sockets[place] for _, sockets in doors], plan, stop) for place in range(plan.workers)]
    async with AsyncExitStack() as stack:
        if managing is not None:
            keeper, (bound,) = managing
            await stack.enter_async_context(await management.listen(bound, _pages(slots, plan, stop)))
            log("management", port=stack.enter_context(keeper).getsockname()[1])
        return await _run(slots, plan, stop, [one for keeper, sockets in doors for one in (keeper, *sockets)])


async def _run(slots: list[Slot], plan: Plan, stop: asyncio.Event, held: list[socket.socket]) -> int:
    reloading = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(SIGHUP, reloading.set)
    reloader = asyncio.create_task(_reload(slots, reloading))
    keepers = [asyncio.create_task(slot.keep()) for slot in slots]
    signalled = asyncio.create_task(stop.wait())
    await asyncio.wait([signalled, *keepers], return_when=asyncio.FIRST_COMPLETED)
    code = 0 if stop.is_set() else 1
    stop.set()
    reloader.cancel()
    # First, so that who comes now is refused, instead of waiting for nobody.
    for one in held:
        one.close()
    for number, seconds in ((SIGTERM, plan.stop_seconds), (SIGKILL, _KILL_SECONDS)):
        for slot in slots:
            slot.signal(number)
        await asyncio.wait(keepers, timeout=seconds)
    log("ended", code=code)
    return code


async def _reload(slots: list[Slot], asked: asyncio.Event) -> None:
    """Each time that is asked for, replace one worker after the other by one that reads all files anew."""
    while True:
        await asked.wait()
        asked.clear()
        retiring: list[asyncio.Task[None]] = []
        for slot in slots:
            old = await slot.renew()
            if old is None:
                log("not reloaded", workers=len(retiring))
                break
            retiring.append(asyncio.create_task(old.retire()))
        else:
            log("reloaded")
        # What is asked for meanwhile waits, so that there are never more than two workers in a place.
        await asyncio.gather(*retiring)


def _pages(slots: list[Slot], plan: Plan, stop: asyncio.Event) -> Pages:
    async def live() -> Page:
        alive = health.live([slot.seen for slot in slots], plan.hung_seconds)
        return _judged({"live": alive}, good=alive)

    async def ready() -> Page:
        told = health.readiness([slot.seen for slot in slots], stopping=stop.is_set())
        return _judged(told, good=told["ready"])

    return {"/health/live": live, "/health/ready": ready, "/metrics": metrics.page}


def _judged(told: object, *, good: bool) -> Page:
    return Page.of_json(told, HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE)


if __name__ == "__main__":
    main()
