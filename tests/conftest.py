"""Fixtures for the whole suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import postgresql as postgresql_server
import pytest

from ssbtek_gateway import devpki

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def postgresql(pki: Path) -> Iterator[postgresql_server.Postgresql]:
    """A server of our own."""
    with postgresql_server.running(pki / "server.pem", pki / "server.key") as server:
        yield server
