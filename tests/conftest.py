"""Fixtures for the whole suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ssbtek_gateway import devpki

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def anyio_backend() -> str:
    """Tests marked anyio run on asyncio, which the gateway is written for."""
    return "asyncio"


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates and keys of development, made for this run."""
    folder = tmp_path_factory.mktemp("pki")
    devpki.write(folder)
    return folder
