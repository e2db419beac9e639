"""The base services: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssbtek_gateway.services import af, csn, fk, miv, skv, so, tns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ssbtek_gateway.services.service import BaseService


@dataclass(frozen=True, slots=True)
class Entry:
    """Who owns a base service, whom to ask about its content, and how to connect it (from its part of the config)."""

    agare: str
    support: str
    connect: Callable[[Any], BaseService]


REGISTRY: Mapping[str, Entry] = {
    "AF": Entry("Arbetsförmedlingen", "0771-416 416", af.connect),
    "CSN": Entry("Centrala studiestödsnämnden", "0771-276 000", csn.connect),
    "FK": Entry("Försäkringskassan och Pensionsmyndigheten", "0771-17 90 00 (FK), 0771-776 776 (PM)", fk.connect),
    "SKV": Entry("Skatteverket", "0771-567 567", skv.connect),
    "SO": Entry("Sveriges a-kassor", "den a-kassa det gäller, www.sverigesakassor.se", so.connect),
    "TNS": Entry("Transportstyrelsen", "", tns.connect),
    "MIV": Entry("Migrationsverket", "", miv.connect),
}
