"""What the gateway owes each fault of the simulator on each base service, and the playing of all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chaos.asker import DATA, Answer

from ssbtek_gateway.config import KODER
from ssbtek_gateway.simulator.faults import fault_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from chaos.asker import Asker, Faults

# For the gateway that is asked. Generous: those that hang hang all at the same time. The breaker stays out of it.
LIMITS = "seconds = 4\nsparr_efter = 100000\nsamtidiga = 10000\nconnections = 10000"
TIMEOUT, ANSLUTNING, OGILTIGT_SVAR = "SSBT TIMEOUT", "SSBT ANSLUTNING", "SSBT OGILTIGT_SVAR"
# What a section says of each fault, and after it what FK's says where that is another, over REST: an HTTP status is its
# own code, and it speaks JSON. `flap` has a test of its own.
EXPECTED: dict[str, tuple[str, ...]] = {
    "slow": (TIMEOUT,),
    "hang": (TIMEOUT,),
    "hangheaders": (TIMEOUT,),
    "drip": (TIMEOUT,),
    "too-long": (TIMEOUT,),
    "close": (ANSLUTNING,),
    "reset": (ANSLUTNING,),
    "truncated": (OGILTIGT_SVAR,),
    "http401": ("BT FAULT", "BT 401"),
    "http403": ("BT FAULT", "BT 403"),
    "http404": ("BT FAULT", "BT 404"),
    "http429": ("BT FAULT", "BT 429"),
    "http500": ("BT FAULT", "BT 500"),
    "http503": ("BT FAULT", "BT 503"),
    "fault": ("BT FAULT", "BT 500"),
    "fault200": ("BT FAULT", OGILTIGT_SVAR),
    "fault-pnr": ("BT FAULT", "BT 500"),
    "longfault": (OGILTIGT_SVAR,),
    "garbage": (OGILTIGT_SVAR,),
    "empty": (OGILTIGT_SVAR,),
    "not-xml": (OGILTIGT_SVAR,),
    "invalid": (OGILTIGT_SVAR,),
    "soap12": (OGILTIGT_SVAR,),
    "two-bodies": (OGILTIGT_SVAR,),
    "doctype": (OGILTIGT_SVAR,),
    "xxe": (OGILTIGT_SVAR,),
    "comments": (DATA,),
    "other-person": ("SSBT FEL_PERSON",),
    "korrelationsid": ("SSBT FEL_PERSON",),
    "extra": (DATA,),
    "huge": (OGILTIGT_SVAR,),
    "gzip": (OGILTIGT_SVAR,),
    "gzip-bomb": (OGILTIGT_SVAR,),
    # RFC 8259: JSON is UTF-8, and a charset in the header means nothing.
    "charset": (OGILTIGT_SVAR, DATA),
    "utf-16": (DATA, OGILTIGT_SVAR),
    "redirect": (OGILTIGT_SVAR,),
    "redirect-loop": (OGILTIGT_SVAR,),
    "redirect-file": (OGILTIGT_SVAR,),
    "http09": (OGILTIGT_SVAR,),
    "bad-chunk": (OGILTIGT_SVAR,),
    "too-short": (OGILTIGT_SVAR,),
}


def expected(service: str, kind: str) -> Mapping[str, str]:
    """The outcome of every section where `service` plays `kind`."""
    return dict.fromkeys(KODER, DATA) | {service: EXPECTED[kind][-1 if service == "FK" else 0]}


def cells(services: Collection[str] = KODER) -> list[tuple[str, str]]:
    """Each of the services with every kind that it can play."""
    return [(service, kind) for kind in EXPECTED for service in services if _can(service, kind)]


def _can(service: str, kind: str) -> bool:
    try:
        fault_of(service, _spelled(kind))
    except ValueError:
        return False  # such as another person, where an answer names none
    return True


def _spelled(kind: str) -> str:
    return "slow:60" if kind == "slow" else kind


async def play(
    asker: Asker, faults: Faults, url: str, burst: int = 1, services: Collection[str] = KODER
) -> dict[tuple[str, str], list[Answer]]:
    """Ask `burst` questions at once to all services while one plays a fault; for each fault and service in turn."""
    asked = dict[tuple[str, str], list[asyncio.Task[Answer]]]()
    before = await faults.asked()
    for number, (service, kind) in enumerate(cells(services), start=1):
        await faults.play(service, _spelled(kind))
        asked[service, kind] = [
            asyncio.create_task(asker.ask(url, f"{service} {kind} {n}", services)) for n in range(burst)
        ]
        # When every agency has been asked the next fault may be played, however long this one hangs.
        await faults.until_asked(before | {kod: before[kod] + number * burst for kod in services})
        await faults.clear()
    return {cell: list(await asyncio.gather(*tasks)) for cell, tasks in asked.items()}
