"""What the supervisor is started with."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# A module of ours in a new interpreter, without the current folder among the places that modules come from.
PYTHON = (sys.executable, "-P", "-m")


@dataclass(frozen=True, slots=True)
class Plan:
    """What it needs to know of the configuration in the file `config`.

    `addresses` are (host, port) of each door, in the order in which a worker takes their sockets. A worker without a
    heartbeat for `hung_seconds`, or still there `stop_seconds` after it was told to stop, is killed.
    """

    config: str
    workers: int
    hung_seconds: float
    stop_seconds: float
    addresses: Sequence[tuple[str, int]]
    management: tuple[str, int] | None

    def command(self) -> list[str]:
        """What to execute; `of` reads its last argument."""
        return [*PYTHON, "ssbtek_gateway.supervisor", json.dumps(asdict(self))]

    @classmethod
    def of(cls, argument: str) -> Plan:
        return cls(**json.loads(argument))
