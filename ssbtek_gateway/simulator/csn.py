"""Centrala studiestödsnämnden, Kommunfråga 4.0.

A persona holds `Person`, whose number the simulator fills in, or the `Resultat` of a question that CSN cannot answer.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from lxml.builder import ElementMaker

from ssbtek_gateway.simulator.agency import Agency
from ssbtek_gateway.simulator.dates import shift_months
from ssbtek_gateway.simulator.soap_interface import Asked, Dated, SoapInterface, spelled

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMESPACE = "http://schema.csn.se/v4.0/kommunfraga"
_SAMBRUK_NAMESPACE = "http://www.sambruk.se/SBNyttomeddelanden"
_SAMBRUK = f"{{{_SAMBRUK_NAMESPACE}}}"
_E = ElementMaker(
    namespace=_NAMESPACE,
    nsmap={
        None: _NAMESPACE,
        "typ": "http://schema.csn.se/v4.0/csntyper",
        "p": "http://schema.csn.se/v4.0/person",
        "sbn": _SAMBRUK_NAMESPACE,
    },
)
_PERSON = ElementMaker(namespace="http://schema.csn.se/v4.0/person")
_TYPER = ElementMaker(namespace="http://schema.csn.se/v4.0/csntyper")

_SPECIMEN = f"""
<SBNUppgEkBistandBegar xmlns="{_NAMESPACE}" xmlns:sbn="{_SAMBRUK_NAMESPACE}" SchemaVersion="4.0">
  <sbn:Kommun>202100-4748</sbn:Kommun>
  <sbn:AppNamn>prov</sbn:AppNamn>
  <sbn:AppVersion>prov</sbn:AppVersion>
  <sbn:HushallsId>prov</sbn:HushallsId>
  <sbn:FromDatum>{{compact}}</sbn:FromDatum>
  <sbn:TomDatum>{{compact}}</sbn:TomDatum>
  <sbn:HushallsMedlemsIdSekel>{{sekel}}</sbn:HushallsMedlemsIdSekel>
  <sbn:HushallsMedlemsId>{{personnummer}}</sbn:HushallsMedlemsId>
</SBNUppgEkBistandBegar>
"""


def _answer(asked: Asked, held: _Element | None) -> _Element:
    if asked.person.is_samordningsnummer:
        # Assumed: the answer's pattern for a personnummer cannot hold one, and CSN has no other code for that.
        return _svar(asked, "-1004", "Felaktigt personnummer")
    earliest, latest = shift_months(asked.today, -2), shift_months(asked.today, 1)
    if not earliest <= asked.period.from_datum <= asked.period.tom_datum <= latest:
        return _svar(asked, "-1006", "Felaktigt datumintervall")
    failed = held.find(f"{{{_NAMESPACE}}}Resultat") if held is not None else None
    if held is not None and failed is not None:
        if len(held) != 1:
            raise ValueError("Resultat stands alone")
        return _svar(asked, failed.findtext("{*}ResultatKod", ""), failed.findtext("{*}ResultatText", ""))
    persons = [_nobody()] if held is None else list(held)
    for person in persons:
        person.set("personnummer", asked.person.reveal()[2:])
        person.set("sekel", asked.person.reveal()[:2])
    return _svar(asked, "0", "OK", persons)


def _svar(asked: Asked, kod: str, text: str, persons: list[_Element] | None = None) -> _Element:
    fraga = _E.GemensamtFragaEkbistand(*deepcopy(asked.question), **asked.question.attrib)
    resultat = _E.Resultat(_E.ResultatKod(kod), _E.ResultatText(text))
    return _E.CSNSvar(_E.GemensamtSvarEkbistand(resultat), fraga, _E.Personer(*(persons or [])), schemaVersion="4.0")


def _nobody() -> _Element:
    return _E.Person(
        _PERSON.Studiestodstypforteckning(
            _TYPER.studiemedel(),
            _TYPER.studiehjalp(),
            _TYPER.hemutrustningslan(),
            _TYPER.studiestartsstod(),
            _TYPER.omstallningsstudiestod(),
        ),
        _PERSON.Studiemedel(),
        _PERSON.Studiehjalp(),
        _PERSON.HemutrustningsLan(),
        _PERSON.Studiestartsstod(),
        _PERSON.Omstallningsstudiestod(),
        Status="Ej träff",
    )


_SOAP = SoapInterface(
    path="/csn",
    schema="services/csn/kommunfraga.xsd",
    request=f"{{{_NAMESPACE}}}SBNUppgEkBistandBegar",
    person=spelled("HushallsMedlemsIdSekel", "HushallsMedlemsId"),
    period=("FromDatum", "TomDatum"),
    specimen=_SPECIMEN,
    answer=_answer,
    dated=(
        Dated("soktTid", "soktfrom", "sokttom"),
        Dated("BeviljadTid", "starttid", "sluttid"),
        Dated("Utbetalning", "utbetdatum", "utbetdatum"),
    ),
)
AGENCY = Agency("CSN", (_SOAP,))
