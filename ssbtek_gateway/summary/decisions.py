"""Decisions, suspensions and applications of all agencies, each in one shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.summary.section import said, terms
from ssbtek_gateway.summary.words import day, joined, money, percent, period, week

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from ssbtek_gateway.summary.section import Section

_YES, _NO = {"true", "1"}, {"false", "0"}


@dataclass(frozen=True, slots=True, repr=False)
class Decision:
    """One decision, or a case without one; `period` as the agency writes days."""

    period: str
    vem: str
    slag: str
    belopp: str
    omfattning: str
    anmarkning: str


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """One line: who says it, and what."""

    vem: str
    text: str


def decisions(section: Section) -> list[Decision]:
    """Every decision in a section; Migrationsverket's and Skatteverket's are told of in `facts`."""
    match section.kod:
        case "AF":
            return list(_of_af(section))
        case "CSN":
            return list(_of_csn(section))
        case "FK":
            return [*_of_fk(section), *_of_pm(section)]
        case _:
            return []


def suspensions(section: Section) -> list[Line]:
    """When somebody is suspended from an a-kassa."""
    return [
        Line(
            section.text(kassa, "{*}SvarandeOrganisation"),
            f"avstängd {period(section.text(one, '{*}AvstangdFrom'), section.text(one, '{*}AvstangdTom'))}",
        )
        for kassa in section.each(".//{*}Arbetsloshetsersattning")
        for one in kassa.iterfind("{*}Avstangningar")
    ]


def applications(section: Section) -> list[Line]:
    """What has been applied for."""
    match section.kod:
        case "SO":
            return list(_applied_so(section))
        case "CSN":
            return list(_applied_csn(section))
        case "FK":
            return list(_applied_pm(section))
        case _:
            return []


def _of_af(section: Section) -> Iterator[Decision]:
    for one in section.each(".//{*}EkonomiskaBeslut/{*}Beslut"):
        extent = section.text(one, "{*}Omfattning")
        when = period(section.text(one, "{*}BeslutFrom"), section.text(one, "{*}BeslutTom"))
        yield Decision(when, section.agare, section.text(one, "{*}ErsattningTyp"), "", percent(extent), "")


def _of_csn(section: Section) -> Iterator[Decision]:
    for case in section.each(".//{*}Arende"):
        form = section.first(case, "{*}klartext", "{*}stodform")
        status = section.text(case, "{*}status").lower()
        granted = case.findall("{*}BeviljadeTider/{*}BeviljadTid")
        for one in granted:
            when = period(week(section.text(one, "{*}starttid")), week(section.text(one, "{*}sluttid")))
            parts = [
                f"{section.first(part, '{*}klartext', '{*}beloppstyp')} {money(section.text(part, '{*}totbelopp'))}"
                for part in one.iterfind("{*}Beloppen/{*}Belopp")
            ]
            belopp = joined(money(section.text(one, "{*}totbelopp")), *parts)
            yield Decision(when, "CSN", form, belopp, percent(section.text(one, "{*}takt")), status)
        if not granted:
            yield Decision("", "CSN", form, "", "", f"ärende utan beviljad tid: {status}")


def _of_fk(section: Section) -> Iterator[Decision]:
    for case in section.each("{*}formansinformation/*"):
        name = str(etree.QName(case).localname)
        kind = terms().get(name, name)
        found = case.findall("{*}beslut")
        refused = "avslaget" if section.text(case, "{*}avslaget") in _YES else ""
        ended = "ärendet är inte aktivt" if section.text(case, "{*}aktivt") in _NO else ""
        for one in found:
            yield _of_lefi(section, one, kind, joined(refused, ended))
        # A case without a decision has an end of its own, or is under way.
        if not found and (refused or case.find("{*}aktivt") is not None):
            started = section.text(case, "{*}startades")
            ending = joined(refused or "ärende utan beslut", f"startat {started}" if started else "", ended)
            yield Decision("", "Försäkringskassan", kind, "", "", ending)


def _of_lefi(section: Section, one: _Element, kind: str, of_case: str) -> Decision:
    benefit = section.coded(one, "forman") or kind
    part = section.coded(one, "delforman")
    sums = {
        "brutto": section.money(one, "beslutatBruttobelopp"),
        "samordnat": section.money(one, "samordnatBruttobelopp"),
    }
    often = section.coded(one, "periodicitet").lower()
    part_of, whole = (section.text(one, f"{{*}}omfattning/{{*}}{name}") for name in ("taljare", "namnare"))
    # In one benefit `dagar` is a list of days, not how many.
    days = section.text(one, "{*}dagar") if said(one, "{*}dagar").isdigit() else ""
    decided = section.text(one, "{*}fattades")
    final = section.text(one, "{*}definitivt") not in _NO
    return Decision(
        period(section.text(one, "{*}period/{*}fran"), section.text(one, "{*}period/{*}till")),
        "Försäkringskassan",
        f"{benefit} ({part})" if part and part != benefit else benefit,
        joined(*(f"{name} {text}" for name, text in sums.items() if text), often),
        joined(f"{part_of or '?'}/{whole or '?'}" if part_of or whole else "", f"{days} dagar" if days else ""),
        joined(f"beslut {decided}" if decided else "", "" if final else "inte definitivt", of_case),
    )


def _of_pm(section: Section) -> Iterator[Decision]:
    for one in section.each("{*}beslut"):
        group = section.coded(one, "formansgrupp")
        decided = section.text(one, "{*}beslutsdatum")
        outcome = joined(
            section.coded(one, "beslutsutfall").lower(),
            section.coded(one, "beslutsstatus").lower(),
            f"beslut {decided}" if decided else "",
        )
        granted = one.findall("{*}beslutadErsattning")
        for part in granted:
            kind = section.coded(part, "ersattningstyp")
            amount = part.find("{*}beslutatBelopp")
            often = "" if amount is None else section.coded(amount, "beloppsfrekvens").lower()
            belopp = money(section.text(part, "{*}beslutatBelopp/{*}belopp"))
            yield Decision(
                period(section.text(part, "{*}period/{*}from"), section.text(part, "{*}period/{*}tom")),
                "Pensionsmyndigheten",
                kind if kind == group else ": ".join(filter(None, (group, kind))),
                f"{belopp} per {often}" if belopp and often else belopp,
                percent(section.text(part, "{*}omfattning")),
                outcome,
            )
        if not granted:
            yield Decision("", "Pensionsmyndigheten", group, "", "", outcome)


def _applied_so(section: Section) -> Iterator[Line]:
    for kassa in section.each(".//{*}Arbetsloshetsersattning"):
        for one in kassa.iterfind("{*}AnsoktOmErsattning"):
            handed_in = section.text(one, "{*}AnsokanOmUtbetalningInlamnad") in _YES
            decided = section.text(one, "{*}BeslutOmRattTillErsattning")
            asked = "ansökan om utbetalning är inlämnad" if handed_in else "ingen ansökan om utbetalning är inlämnad"
            right = f"beslut om rätt till ersättning {decided}" if decided else "inget beslut om rätt till ersättning"
            yield Line(section.text(kassa, "{*}SvarandeOrganisation"), f"{asked}; {right}")


def _applied_csn(section: Section) -> Iterator[Line]:
    for case in section.each(".//{*}Arende"):
        form = section.first(case, "{*}klartext", "{*}stodform")
        for one in case.iterfind("{*}soktaTider/{*}soktTid"):
            when = period(day(section.text(one, "{*}soktfrom")), day(section.text(one, "{*}sokttom")))
            yield Line("CSN", " ".join(filter(None, (form, when, percent(section.text(one, "{*}soktomfattning"))))))


def _applied_pm(section: Section) -> Iterator[Line]:
    for one in section.each("{*}ansprak"):
        group = section.coded(one, "formansgrupp")
        when = period(section.text(one, "{*}yrkadPeriod/{*}from"), section.text(one, "{*}yrkadPeriod/{*}tom"))
        came = section.text(one, "{*}ankomstdatum")
        yield Line("Pensionsmyndigheten", joined(f"{group} {when}", f"inkom {came}" if came else ""))
