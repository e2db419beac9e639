"""The contract versions that this gateway can speak: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssbtek_gateway.contracts.ssbt10 import SSBT10
from ssbtek_gateway.contracts.ssbt11 import SSBT11
from ssbtek_gateway.contracts.ssbtek1 import SSBTEK1

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.contracts.contract import Contract

CONTRACTS: Mapping[str, Contract] = {
    "10": SSBT10,
    "11": SSBT11,
    "1": SSBTEK1,
}
