"""Skatteverket: Beskattningsuppgifter over SOAP, as up to version 10, and per part over REST, as from version 11.

Over SOAP both question and answer are XML documents in strings, of which no schema is public. A persona holds the
`Personuppgift` of the answer, whose number the simulator fills in, or the `Exception` that goes as a SOAP fault's
detail; and beside it, in `v11`, what `skv11.py` answers with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree
from lxml.builder import E, ElementMaker

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator import skv11
from ssbtek_gateway.simulator.agency import Agency
from ssbtek_gateway.simulator.soap_interface import Asked, SoapInterface

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMESPACE = "http://beskattningws.ws.service.bs.zg.rsv.se/"
_SKV = f"{{{_NAMESPACE}}}"
_FAULT = f"{_SKV}Exception"
_ZG = "http://xmls.skatteverket.se/se/skatteverket/zg"
_INNER_NAMESPACE = f"{_ZG}/instans/standardiseradInformation/1.0"
_FOLKO_NAMESPACE = f"{_ZG}/komponent/infoForFolkbokforing/1.0"
_BESKO_NAMESPACE = f"{_ZG}/komponent/infoForBeskattning/1.0"
_INNER, _FOLKO, _BESKO = f"{{{_INNER_NAMESPACE}}}", f"{{{_FOLKO_NAMESPACE}}}", f"{{{_BESKO_NAMESPACE}}}"
_E = ElementMaker(namespace=_NAMESPACE, nsmap={"skv": _NAMESPACE})
_I = ElementMaker(
    namespace=_INNER_NAMESPACE,
    nsmap={None: _INNER_NAMESPACE, "besko": _BESKO_NAMESPACE, "folko": _FOLKO_NAMESPACE},
)
# In place of a schema: what of the inner answer has been seen. The names of skattekonto's elements are not public.
_SEEN = {
    f"{_INNER}Personuppgift": [
        f"{_FOLKO}Fornamn",
        f"{_FOLKO}Efternamn",
        f"{_INNER}StatusPersonuppgiftKod",
        f"{_INNER}Kapitaluppgift",
    ],
    f"{_INNER}Kapitaluppgift": [
        f"{_BESKO}Taxeringsar",
        f"{_BESKO}SummaIntakterPaKapital",
        f"{_BESKO}OverskottPaKapital",
    ],
}

_SPECIMEN = f"""
<skv:BeskattningsuppgifterRequest xmlns:skv="{_NAMESPACE}">
  <forfragan>&lt;Forfragan>&lt;Identitetsbeteckning>{{person}}&lt;/Identitetsbeteckning>&lt;/Forfragan></forfragan>
</skv:BeskattningsuppgifterRequest>
"""


def _person(question: _Element) -> str:
    """The number in the inner question, whose element names are not public: assumed `Identitetsbeteckning…`."""
    try:
        inner = xmlgate.parse_agency(question.findtext("forfragan", "").encode(), "utf-8")
    except xmlgate.XmlError:
        return ""
    names = (
        element for element in inner.iter("*") if etree.QName(element).localname.startswith("Identitetsbeteckning")
    )
    found = next(names, None)
    return (found.text or "").strip() if found is not None else ""


def _answer(asked: Asked, held: _Element | None) -> _Element:
    found = [child for child in held if not str(child.tag).endswith("}v11")] if held is not None else []
    if len(found) > 1:
        raise ValueError("SKV holds one Personuppgift or one Exception, and one v11")
    if found and found[0].tag == _FAULT:
        return found[0]
    # Assumed: about somebody unknown the list is empty.
    lista = _I.PersonuppgiftLista()
    for personuppgift in found:
        _check(personuppgift, f"{_INNER}Personuppgift")
        number = etree.Element(f"{_FOLKO}IdentitetsbeteckningFysiskPerson")
        number.text = asked.person.reveal()
        personuppgift.insert(0, number)
        lista.append(personuppgift)
    inner = _I("SvarBeskattningsuppgifterEnligtSFS2008-975", lista)
    etree.cleanup_namespaces(inner, keep_ns_prefixes=["besko", "folko"])
    svar = '<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(inner, encoding="unicode")
    return _E.BeskattningsuppgifterResponse(E.svar(svar))


def _check(element: _Element, name: str) -> None:
    """Raises `ValueError` for an element that has not been seen in an answer, or not in this order."""
    if element.tag != name:
        raise ValueError("SKV holds Personuppgift or Exception")
    order = _SEEN.get(name, [])
    places = [order.index(str(child.tag)) if child.tag in order else -1 for child in element]
    if -1 in places or places != sorted(set(places)):
        raise ValueError(
            f"{etree.QName(name).localname} holds what has not been seen in an answer, or in another order"
        )
    for child in element:
        _check(child, str(child.tag))


_SOAP = SoapInterface(
    path="/skv",
    schema="services/skv/beskattningsuppgifter.xsd",
    request=f"{_SKV}BeskattningsuppgifterRequest",
    person=_person,
    period=None,
    specimen=_SPECIMEN,
    answer=_answer,
    fault=_FAULT,
)
AGENCY = Agency("SKV", (_SOAP, skv11.INTERFACE))
