"""The writer of the audit without its process, for tests that make many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssbtek_gateway.audit.record import COLUMNS
from ssbtek_gateway.audit.writer import Writer

if TYPE_CHECKING:
    from ssbtek_gateway.audit.backend import Backend
    from ssbtek_gateway.audit.chain import ChainKey
    from ssbtek_gateway.audit.record import Row


class Store:
    """As an `AuditStore`: each row is a group of its own."""

    def __init__(self, backend: Backend, key: ChainKey) -> None:
        self._writer = Writer(backend, key)
        self._writer.open()

    async def append(self, row: Row) -> None:
        self._writer.commit([[row[name] for name in COLUMNS]])

    async def close(self) -> None:
        self._writer.close()
