"""Migrationsverket, uppehålls- och arbetstillstånd. Below the question's and answer's own element is no namespace.

A persona holds `response`, without korrelationsid, correlationid and personnummer, which the simulator fills in; or
`SSBTEKSoapException`, which goes as a SOAP fault's detail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml.builder import E, ElementMaker

from ssbtek_gateway.simulator.agency import Agency
from ssbtek_gateway.simulator.soap_interface import Asked, SoapInterface, spelled

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMESPACE = "http://schema.migrationsverket.se/ssbtek/1/"
_MIV = f"{{{_NAMESPACE}}}"
_FAULT = f"{_MIV}SSBTEKSoapException"
_E = ElementMaker(namespace=_NAMESPACE, nsmap={"miv": _NAMESPACE})
# Assumed: what Migrationsverket answers with is the caller's own korrelationsid; this where there is none.
_CORRELATIONID = "simulator"

_SPECIMEN = f"""
<miv:findByPersonnummer xmlns:miv="{_NAMESPACE}">
  <query>
    <personnummer>{{person}}</personnummer>
    <ingivare><handlaggare>handläggare</handlaggare></ingivare>
  </query>
</miv:findByPersonnummer>
"""


def _answer(asked: Asked, held: _Element | None) -> _Element:
    # Assumed: about somebody unknown the answer has an empty svarCollection.
    found = [E.response(E.svarCollection())] if held is None else list(held)
    if len(found) != 1 or found[0].tag not in {"response", _FAULT}:
        raise ValueError("MIV holds one response without namespace, or one SSBTEKSoapException")
    if found[0].tag == _FAULT:
        return found[0]
    response = found[0]
    if any(response.find(name) is not None for name in ("korrelationsid", "correlationid", "personnummer")):
        raise ValueError("korrelationsid, correlationid and personnummer are filled in by the simulator")
    korrelationsid = asked.question.findtext("query/korrelationsid")
    if korrelationsid is not None:
        response.insert(0, E.korrelationsid(korrelationsid))
    response.insert(korrelationsid is not None, E.correlationid(korrelationsid or _CORRELATIONID))
    personnummer = E.personnummer(asked.person.reveal())
    collection = response.find("svarCollection")
    if collection is None:
        response.append(personnummer)
    else:
        collection.addprevious(personnummer)
    return _E.findByPersonnummerResponse(response)


_SOAP = SoapInterface(
    path="/miv",
    schema="services/miv/ssbtek.xsd",
    request=f"{_MIV}findByPersonnummer",
    person=spelled("personnummer"),
    period=None,
    specimen=_SPECIMEN,
    answer=_answer,
    fault=_FAULT,
)
AGENCY = Agency("MIV", (_SOAP,), repeats_korrelationsid=True)
