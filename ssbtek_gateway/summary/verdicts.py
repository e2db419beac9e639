"""What is to be known before any amount: whose identity is protected, and who could not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.summary.section import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.etree import _Element

    from ssbtek_gateway.summary.section import Section, Svarande

KAN_EJ_AVGORAS = "KAN EJ AVGÖRAS"
_UNDECIDED = "KAN_EJ_AVGORAS"
_WORDS = {"SVARAT": "SVARAT", "INGET_FUNNET": "INGET FUNNET", _UNDECIDED: KAN_EJ_AVGORAS}
_MYNDIGHETER = {"FK": "Försäkringskassan", "PM": "Pensionsmyndigheten"}
_MARKS = {"skyddad", "Sekretessmarkering", "sekretess"}
_NO = {"", "false", "0"}
# Where a mark is the asked person's own.
_OF_THE_PERSON = {"Svar", "Personer", "generellPersoninformation"}
_PAY = {"FK", "CSN", "SO"}
_PAYMENTS = {"utbetalningar", "preliminaraUtbetalningar"}
# What CSN's systems and Skatteverket's parts are called, where that is not the name of their element.
_PARTS = {
    "Studiehjalp": "studiehjälp",
    "HemutrustningsLan": "hemutrustningslån",
    "Studiemedel": "studiemedel",
    "Studiestartsstod": "studiestartsstöd",
    "Omstallningsstudiestod": "omställningsstudiestöd",
    "foretagsinformation": "företagsinformation",
}
# Where an agency says in its own words why it could not answer, if not in each a-kassa's or group's own element.
_REASONS = {
    "AF": ".//{*}StatusSokandeinformationKodText",
    "CSN": ".//{*}ResultatText",
    "TNS": "{*}felresultat/{*}feltext",
}


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """Those of whom the same is to be said, in words: `skal` and `kontakt` where it cannot be told what there is."""

    vem: str
    bedomning: str
    skal: str = ""
    kontakt: str = ""


def protected(sections: Iterable[Section]) -> list[str]:
    """Who in the answer has a protected identity, and who says so. Nobody is named."""
    found = {f"{_whose(element)} ({section.agare})": None for section in sections for element in _marked(section)}
    return list(found)


def verdicts(section: Section) -> list[Verdict]:
    """Everybody who answered in a section."""
    judged: dict[tuple[str, ...], list[str]] = {}
    for svarande in section.svarande:
        words = _WORDS.get(svarande.bedomning, svarande.bedomning)
        why = (_reason(section, svarande), section.support or section.agare) if words == KAN_EJ_AVGORAS else ()
        judged.setdefault((words, *why), []).append(named(section, svarande))
    return [Verdict(", ".join(dict.fromkeys(who)), *said_of) for said_of, who in judged.items()]


def named(section: Section, svarande: Svarande) -> str:
    """Who answered, as a person would say it."""
    if section.data is None:
        return section.agare
    organisation, _, group = svarande.organisation.partition(":")
    if section.kod == "FK" and organisation in _MYNDIGHETER:
        return f"{_MYNDIGHETER[organisation]} {svarande.organisation}" if group else _MYNDIGHETER[organisation]
    if svarande.organisation == section.kod:
        return section.agare
    part = svarande.organisation.removeprefix(f"{section.kod} ")
    return svarande.organisation if part == svarande.organisation else f"{section.kod} {_PARTS.get(part, part)}"


def payers(section: Section) -> Iterator[str]:
    """Who could not tell of all that they pay, by the name that their payments have."""
    for svarande in section.svarande:
        deviates = _deviation(svarande)
        if section.kod in _PAY and svarande.bedomning == _UNDECIDED and (not deviates or deviates in _PAYMENTS):
            yield from _of_rows(section, svarande)


def uncertain(section: Section) -> Iterator[str]:
    """Of whom no row is certain, by the name that their rows have. Systems of CSN answer apart from each other."""
    silent = [svarande for svarande in section.svarande if svarande.bedomning == _UNDECIDED]
    if section.kod != "CSN" or len(silent) == len(section.svarande):
        for svarande in silent:
            if not _deviation(svarande):
                yield from _of_rows(section, svarande)


def _deviation(svarande: Svarande) -> str:
    """The list of LEFI's answer in which alone something is missing."""
    return svarande.skal.partition("avvikelse i ")[2]


def _of_rows(section: Section, svarande: Svarande) -> Iterable[str]:
    """What rows are by: an organisation, both in FK's section where that is an error."""
    if section.kod == "CSN":
        return ["CSN"]
    if section.kod != "FK":
        return [named(section, svarande)]
    if section.data is None:
        return _MYNDIGHETER.values()
    return [_MYNDIGHETER.get(svarande.organisation.partition(":")[0], svarande.organisation)]


def _marked(section: Section) -> Iterator[_Element]:
    """Whatever says that somebody is protected: an element, an attribute of CSN's, or what is new in LEFI's JSON."""
    for element in section.each(".//*"):
        mark = element.get("key", etree.QName(element).localname)
        text = element.get("sekretess", said(element, ".") if mark in _MARKS else "")
        if text.strip().lower() not in _NO:
            yield element


def _whose(element: _Element) -> str:
    within = (one.get("key") or str(etree.QName(one).localname) for one in element.iterancestors())
    name = next(name for name in within if name not in {"okant", "map", "array"})
    return "personen" if name in _OF_THE_PERSON else f"någon annan i svaret ({name})"


def _reason(section: Section, svarande: Svarande) -> str:
    return ": ".join(filter(None, (svarande.skal, _in_words(section, svarande))))


def _in_words(section: Section, svarande: Svarande) -> str:
    """What whoever could not answer says of it."""
    if section.data is None:
        return section.error()
    if section.kod == "SKV":
        return section.error(svarande.organisation.removeprefix("SKV "))
    if section.kod == "SO":
        kassor = section.each(".//{*}Arbetsloshetsersattning")
        own = (one for one in kassor if said(one, "{*}SvarandeOrganisation") == svarande.organisation)
        return "; ".join(said(one, "{*}StatusSvarandeOrganisation") for one in own)
    if section.kod == "FK":
        texts = {
            said(one, f"{state}/{{*}}beskrivning"): None
            for path, state in (("{*}avvikelser/*", "{*}avvikelse"), ("{*}utlamnare", "{*}tillstand"))
            for one in section.each(path)
            if svarande.organisation in {said(kod, ".") for kod in one.iterfind("*/{*}kod")}
        }
        return "; ".join(filter(None, texts))
    path = _REASONS.get(section.kod)
    return "; ".join(said(one, ".") for one in section.each(path)) if path else ""
