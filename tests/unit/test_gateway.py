"""What `check` finds in a configuration whose keys are all well-formed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from harness import configuration

from ssbtek_gateway import config, gateway, materials

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('[versioner."9"]', r"^versioner: there is no version 9, only 10, 11, 1$"),
        ('[rates]\nredis = "redis://x"\npassword = "none"', r"^rates: authority or password: .*/none: No such file"),
        ('[rates]\nredis = "rediss://x"\nauthority = "gateway.toml"', r"^rates: authority or password: "),
    ],
)
def test_a_mistake_names_its_table(pki: Path, tmp_path: Path, table: str, problem: str) -> None:
    gateway.check(config.load(configuration(pki, tmp_path, 1)))
    with pytest.raises(materials.SetupError, match=problem):
        gateway.check(config.load(configuration(pki, tmp_path, 1, table)))
