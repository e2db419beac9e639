"""A part of `make chaos` that is short enough for every run: real processes, a kill, and a disk that gives out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from chaos import rig, scenarios
from chaos.scene import set_up

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_nothing_is_lost(pki: Path, tmp_path: Path) -> None:
    with rig.agencies(pki) as ports:
        async with set_up("in every run", tmp_path / "scene", pki, ports, {}, 0) as scene:
            await scene.start(prefix=scenarios.ORDINARY)
            await scenarios.audit_full(scene)
            await scenarios.audit_read_only(scene)
            await scenarios.worker_killed(scene)
            line = await scene.finish()
    assert scene.wrong == [], line
