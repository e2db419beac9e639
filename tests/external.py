"""Programs that pip cannot install: a test that needs one skips and names the Debian package, or fails in CI."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def need(program: str, package: str) -> str:
    """The path of `program`; without it the test is skipped, or fails where SSBTEK_REQUIRE_EXTERNAL=1."""
    return shutil.which(program) or missing(program, f"apt install {package}")


def missing(what: str, remedy: str) -> NoReturn:
    """Skip the test, or fail it where SSBTEK_REQUIRE_EXTERNAL=1, and say what would let it run."""
    text = f"{what} is missing: {remedy}"
    if os.environ.get("SSBTEK_REQUIRE_EXTERNAL") == "1":
        pytest.fail(text)
    pytest.skip(text)
