"""Transportstyrelsen, fordonsinnehav. A persona holds `fordon` elements, or the `felresultat` of a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml.builder import ElementMaker

from ssbtek_gateway.simulator.agency import Agency
from ssbtek_gateway.simulator.soap_interface import Asked, SoapInterface, spelled

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMESPACE = "http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1"
_PERSON_NAMESPACE = "http://schema.transportstyrelsen.se/ssbtek/person/1"
_FORDON_NAMESPACE = "http://schema.transportstyrelsen.se/ssbtek/fordon/1"
_TNS, _FORDON = f"{{{_NAMESPACE}}}", f"{{{_FORDON_NAMESPACE}}}fordon"
_E = ElementMaker(namespace=_NAMESPACE, nsmap={None: _NAMESPACE, "fordon": _FORDON_NAMESPACE})

_SPECIMEN = f"""
<HamtaUppgifter xmlns="{_NAMESPACE}" xmlns:p="{_PERSON_NAMESPACE}">
  <identifikation>
    <p:sekel>{{sekel}}</p:sekel>
    <p:personnummer>{{personnummer}}</p:personnummer>
  </identifikation>
</HamtaUppgifter>
"""


def _answer(_asked: Asked, held: _Element | None) -> _Element:
    found = [] if held is None else list(held)
    kinds = {element.tag for element in found}
    # The schema would take anything else for an addition to come.
    if kinds - {_FORDON} and kinds != {f"{_TNS}felresultat"}:
        raise ValueError("TNS holds fordon elements, or felresultat elements")
    if kinds - {_FORDON}:
        return _E.HamtaUppgifterResponse(_E.resultat("FEL"), *found)
    return _E.HamtaUppgifterResponse(_E.resultat("OK"), _E.fordonsinnehav(*found))


_SOAP = SoapInterface(
    path="/tns",
    schema="services/tns/hamtauppgifter.xsd",
    request=f"{_TNS}HamtaUppgifter",
    person=spelled("sekel", "personnummer"),
    period=None,
    specimen=_SPECIMEN,
    answer=_answer,
)
AGENCY = Agency("TNS", (_SOAP,), names_person=False)
