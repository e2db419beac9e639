"""The metrics of all processes. The module that counts is imported when it is first needed; there may be none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ssbtek_gateway.supervisor.management import Page

_NAME = "ssbtek_gateway.metrics"


async def page() -> Page | None:
    """What Prometheus reads, or None."""
    counting = _module()
    return counting and Page(await asyncio.to_thread(counting.exposition), "text/plain; version=0.0.4; charset=utf-8")


def forget(pid: int) -> None:
    """What is only true of a process that lives is no longer counted of this one."""
    if (counting := _module()) is not None:
        with suppress(OSError):
            counting.forget(pid)


def _module() -> Any:  # noqa: ANN401 - a module
    return import_module(_NAME) if find_spec(_NAME) else None
