"""What is said in a line: about work, vehicles, permits and tax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.summary.decisions import Line
from ssbtek_gateway.summary.section import NS
from ssbtek_gateway.summary.words import joined, percent, period

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from ssbtek_gateway.summary.section import Section

_YES_NO = {"true": "ja", "1": "ja", "false": "nej", "0": "nej"}
# Whose tax it is: the person's number.
_WHO = {"identitet", "kontohavare"}
_REPORT = {
    "200": "inlämnad",
    "500": "personen finns inte i ALF",
    "501": "ingen i perioden",
    "502": "okänt, tekniskt fel",
}


def facts(section: Section) -> list[Line]:
    """A line for each vehicle, permit, tax decision and the like in a section."""
    told = {"AF": _of_af, "TNS": _of_tns, "MIV": _of_miv, "SKV": _of_skv}.get(section.kod)
    return [Line(section.agare, text) for text in told(section)] if told else []


def _of_af(section: Section) -> Iterator[str]:
    for one in section.each(".//{*}ArbetssokandeInfo"):
        said = section.text(one, "{*}Arbetssokande")
        registered = section.text(one, "{*}ArbetssokandeRegistrerad")
        extent = section.text(one, "{*}ArbetssokandeOmfattning")
        ended = section.text(one, "{*}ArbetssokandeAvaktualiserad")
        yield joined(
            f"arbetssökande: {_YES_NO.get(said, 'okänt')}",
            f"registrerad {registered}" if registered else "",
            percent(extent),
            f"avaktualiserad {ended}" if ended else "",
        )
        report = section.text(one, "{*}AktivetetsRapportDatum/{*}AktivitetsRapportMeddelande")
        on = section.text(one, "{*}AktivetetsRapportDatum/{*}SenasteAktivitetsRapportDatum")
        yield f"senaste aktivitetsrapport: {_REPORT.get(report, report)} {on}".rstrip()
    for svar in section.each("{*}Svar"):
        kassa = section.text(svar, "{*}Akassetillhorighet")
        if kassa:
            yield f"a-kassa: {kassa}"


def _of_tns(section: Section) -> Iterator[str]:
    names = ("fabrikat", "handelsbeteckning", "fordonsar", "fordonsslag")
    for one in section.each(".//{*}fordon"):
        what = " ".join(filter(None, (section.text(one, f"{{*}}{name}") for name in names)))
        yield f"fordon {section.text(one, '{*}regnr')}: {what}"


def _of_miv(section: Section) -> Iterator[str]:
    for response in section.each("response"):
        country, came = section.text(response, "hemland"), section.text(response, "inresedatum")
        if country or came:
            yield joined(f"hemland {country}" if country else "", f"inrest {came}" if came else "")
    for one in section.each("response/svarCollection/svar"):
        names = ("arendeTypNamn", "beslutsKodNamn", "beslutsTypNamn", "anledningNamn")
        applied, decided = section.text(one, "ansokningsdatum"), section.text(one, "beslutsdatum")
        first, last = section.text(one, "fromDatum"), section.text(one, "tomDatum")
        yield joined(
            *(section.text(one, name) for name in names),
            section.text(one, "giltighetstid"),
            period(first, last),
            f"ansökt {applied}" if applied else "",
            f"beslut {decided}" if decided else "inget beslut",
        )


def _of_skv(section: Section) -> Iterator[str]:
    for one in section.each(".//{*}Kapitaluppgift"):
        yield f"kapitaluppgifter: {_values(section, one)}"
    for part in section.each("*"):
        for data in part.iterchildren(f"{NS}data"):
            decided = data.findall("{*}beslutadeSkatteuppgifter")
            for one in decided or [data]:
                yield f"{etree.QName(part).localname}: {_values(section, one)}"


def _values(section: Section, element: _Element) -> str:
    """Every value below, by the name that Skatteverket has for it; what they are counted in is not public."""
    leaves = [
        one for one in element.iterdescendants(etree.Element) if not len(one) and etree.QName(one).localname not in _WHO
    ]
    return ", ".join(f"{etree.QName(one).localname} {section.text(one, '.')}" for one in leaves)
