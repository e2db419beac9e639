"""Arbetsförmedlingen, base service AFLI. A persona holds the children of `Svar` from `Fornamn` on."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from lxml.builder import ElementMaker

from ssbtek_gateway.simulator.agency import Agency
from ssbtek_gateway.simulator.soap_interface import Asked, Dated, SoapInterface, spelled

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMESPACE = "http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2"
_AF = f"{{{_NAMESPACE}}}"
_E = ElementMaker(namespace=_NAMESPACE, nsmap={None: _NAMESPACE})

# What the question may choose: the attribute of Inkludera, and the child of Svar.
_PARTS = {"ArbetssokandeInfo": "ArbetssokandeInfo", "AkasseInfo": "Akassetillhorighet", "BeslutInfo": "BeslutInfo"}

_SPECIMEN = f"""
<FragaMeddelande xmlns="{_NAMESPACE}">
  <Fraga>
    <OrganisationsnummerForIngivare>162021004748</OrganisationsnummerForIngivare>
    <NamnPaIngivare>Testkommunen</NamnPaIngivare>
    <KontonamnForHandlaggare>handläggare</KontonamnForHandlaggare>
    <Referensnummer>ärende</Referensnummer>
    <From>{{day}}</From>
    <Tom>{{day}}</Tom>
    <SyfteMedFraga>prov</SyfteMedFraga>
    <LagParagraf>prov</LagParagraf>
    <IdentitetsbeteckningFysiskPerson>{{person}}</IdentitetsbeteckningFysiskPerson>
  </Fraga>
</FragaMeddelande>
"""


def _answer(asked: Asked, held: _Element | None) -> _Element:
    fraga = _fraga(asked.question)
    svar = _E.Svar(
        _E.Schemaversion("2"),
        _E.Referensnummer(fraga.findtext(f"{_AF}Referensnummer", "")),
        _E.LagParagraf(fraga.findtext(f"{_AF}LagParagraf", "")),
        _E.IdentitetsbeteckningFysiskPerson(asked.person.reveal()),
    )
    if _is_true(fraga.findtext(f"{_AF}Test")):
        svar.extend(_status("Test utan personuppgifter"))
    elif held is None:
        # The code list is not public. Assumed: 0 (handled normally), for nothing is wrong, and a text.
        svar.extend(_status("Personen är inte inskriven hos Arbetsförmedlingen"))
    else:
        svar.extend(list(held))
        for name in _unwanted(asked.question):
            for part in svar.findall(f"{_AF}{name}"):
                svar.remove(part)
    return _E.SvarMeddelande(deepcopy(fraga), svar)


def _status(text: str) -> tuple[_Element, _Element]:
    return _E.StatusSokandeinformationKod("0"), _E.StatusSokandeinformationKodText(text)


def _unwanted(question: _Element) -> list[str]:
    choice = question.find(f"{_AF}Inkludera")
    if choice is None:
        return []
    # Assumed: whoever chooses says all that is wanted, so a choice left out is a no.
    return [part for attribute, part in _PARTS.items() if not _is_true(choice.get(attribute))]


def _is_true(boolean: str | None) -> bool:
    return boolean is not None and boolean.strip() in {"true", "1"}


def _fraga(question: _Element) -> _Element:
    return next(question.iterchildren(f"{_AF}Fraga"))


_SOAP = SoapInterface(
    path="/af",
    schema="services/af/ersattningsstod.xsd",
    request=f"{_AF}FragaMeddelande",
    person=spelled("IdentitetsbeteckningFysiskPerson"),
    period=("From", "Tom"),
    specimen=_SPECIMEN,
    answer=_answer,
    dated=(Dated("Beslut", "BeslutFrom", "BeslutTom"),),
)
AGENCY = Agency("AF", (_SOAP,))
