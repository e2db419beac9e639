"""Försäkringskassan, with information from Pensionsmyndigheten: LEFI Online version 9, over REST or SOAP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssbtek_gateway.services import fk_soap
from ssbtek_gateway.services.fk_rest import FkRest
from ssbtek_gateway.services.soap import SoapService

if TYPE_CHECKING:
    from ssbtek_gateway.config import Fk
    from ssbtek_gateway.services.service import BaseService


def connect(settings: Fk) -> BaseService:
    """Call on the running event loop."""
    if settings.transport == "soap":
        return SoapService(fk_soap.spec(settings), settings)
    return FkRest(settings)
