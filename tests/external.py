"""Programs that pip cannot install: a test that needs one skips and names the Debian package, or fails in CI."""

from __future__ import annotations

import os
import shutil

import pytest


def need(program: str, package: str) -> str:
    """The path of `program`; without it the test is skipped, or fails where SSBTEK_REQUIRE_EXTERNAL=1."""
    path = shutil.which(program)
    if path is None:
        text = f"{program} is missing: apt install {package}"
        if os.environ.get("SSBTEK_REQUIRE_EXTERNAL") == "1":
            pytest.fail(text)
        pytest.skip(text)
    return path
