"""The base services: one line each. One without `connect` is known to the contract but cannot be connected yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssbtek_gateway.services import af, csn, so

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ssbtek_gateway.services.soap import SoapSpec


@dataclass(frozen=True, slots=True)
class Entry:
    """Who owns a base service, whom to ask about its content, and what it speaks."""

    agare: str
    support: str
    spec: Callable[[Any], SoapSpec] | None = None


REGISTRY: Mapping[str, Entry] = {
    "AF": Entry("Arbetsförmedlingen", "0771-416 416", af.spec),
    "CSN": Entry("Centrala studiestödsnämnden", "0771-276 000", csn.spec),
    "FK": Entry("Försäkringskassan och Pensionsmyndigheten", "0771-17 90 00 (FK), 0771-776 776 (PM)"),
    "SKV": Entry("Skatteverket", "0771-567 567"),
    "SO": Entry("Sveriges a-kassor", "den a-kassa det gäller, www.sverigesakassor.se", so.spec),
    "TNS": Entry("Transportstyrelsen", ""),
    "MIV": Entry("Migrationsverket", ""),
}
