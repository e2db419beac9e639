"""The metrics of all processes. What counts is imported when it is first needed, so that the supervisor stays small."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from ssbtek_gateway.supervisor.management import Page


async def page() -> Page:
    """What Prometheus reads."""
    return await asyncio.to_thread(_page)


async def forget(pid: int) -> None:
    """What is only true of a process that lives is no longer counted of this one."""
    with suppress(OSError):
        await asyncio.to_thread(_forget, pid)


def _page() -> Page:
    from ssbtek_gateway import metrics  # noqa: PLC0415 - see above

    return Page(metrics.exposition(), metrics.CONTENT_TYPE)


def _forget(pid: int) -> None:
    from ssbtek_gateway import metrics  # noqa: PLC0415 - see above

    metrics.forget(pid)
