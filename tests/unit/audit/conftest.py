"""The databases that an audit can be kept in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ssbtek_gateway.audit.backend import Postgresql, Sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgresql import Postgresql as Server

    from ssbtek_gateway.audit.backend import Backend


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.external)])
def server(request: pytest.FixtureRequest) -> Server | None:
    # For the whole session: it is started before sockets are banned.
    return request.getfixturevalue("postgresql") if request.param == "postgresql" else None


@pytest.fixture
def backend(server: Server | None, tmp_path: Path) -> Iterator[Backend]:
    """A new one without tables, of each kind."""
    if server is None:
        yield Sqlite(tmp_path / "audit.sqlite")
    else:
        with server.database() as name:
            yield Postgresql(server.url(name))
