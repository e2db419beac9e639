"""LEFI version 9 as data: which code brings which keys, and what of an answer somebody asked for.

Försäkringskassan's information stands in the answer's `formansinformation`, by kind; Pensionsmyndigheten's on the top
level, by code. No list says which code brings which of Försäkringskassan's keys: ours is by their names, which leave
little doubt, and is assumed all the same.

Left out of it, for nothing would be more than a guess: the codes FK:BST, FK:EJO and FK:ET, for which there is no key by
that name; and the keys arbetsskadeegenlivrantearende, arbetsskadeefterlevandearende, efterlevandepensionsarende,
intjanandebehallning, intjanandeuppgift and levnadsintygsuppgift, for which there is no code (of the last four
Pensionsmyndigheten has its own: PM:EF, PM:PBH, PM:PU, PM:LINT). Those codes may be asked for and bring nothing; a
persona cannot hold those keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Code, its name in Swedish, and its keys in formansinformation. FK:STAV: studiemedelsavisering has the same letters as
# the steglös avräkning of sjuk- och aktivitetsersättning, but the latter's keys begin as FK:SA's.
_FK_FORMANER: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "FK:ABB": ("Barnbidrag", ("barnbidragsarende",)),
    "FK:AP": ("Allmän pension", ("allmanpensionsarende",)),
    "FK:AS": ("Aktivitetsstöd", ("aktivitetsstodsarende",)),
    "FK:BOB": ("Bostadsbidrag", ("bostadsbidragsarende",)),
    "FK:BST": ("BST", ()),
    "FK:BTI": ("Bostadstillägg", ("bostadstillaggsarende",)),
    "FK:DPE": ("Dagpenning till totalförsvarspliktiga", ("totalforsvarspliktsarende",)),
    "FK:EJO": ("EJO", ()),
    "FK:ET": ("ET", ()),
    "FK:FP": ("Föräldrapenning", ("foraldrapenningarende",)),
    "FK:FSJP": ("Förebyggande sjukpenning", ("forebyggandeSjukpenningsarende",)),
    "FK:GP": ("Graviditetspenning", ("graviditetspenningsarende",)),
    "FK:HE": ("Handikappersättning", ("handikappersattningsarende",)),
    "FK:MABB": ("Mottagare av barnbidrag", ("mottagareavbarnbidrag",)),
    "FK:MEK": ("Merkostnadsersättning", ("merkostnadsersattningsarende",)),
    "FK:NP": ("Närståendepenning", ("narstaendepenningarende",)),
    "FK:OMV": ("Omvårdnadsbidrag", ("omvardnadsbidragsarende",)),
    "FK:PJOB": ("Programjobdagar", ("programjobdagar",)),
    "FK:PROG": ("Programersättning", ("programersattningsarende",)),
    "FK:RBE": ("Rehabiliteringsersättning", ("rehabersattningsarende",)),
    "FK:SA": (
        "Sjuk- och aktivitetsersättning",
        (
            "sjukOchAktivitetsersattningsarende",
            "sjukOchAktivitetsersattningSteglosAvrakningHistorik",
            "sjukOchAktivitetsersattningSteglosAvrakningNulage",
        ),
    ),
    "FK:SBP": ("Smittbärarersättning", ("smittbararersattningsarende",)),
    "FK:SJP": ("Sjukpenning", ("sjukpenningarende",)),
    "FK:TFP": ("Tillfällig föräldrapenning", ("tillfalligForaldrapenningarende",)),
    "FK:US": ("Underhållsstöd", ("underhallsskuld", "underhallsstodskrav", "underhallsstodsmottag")),
    "FK:VB": ("Vårdbidrag", ("vardbidragsarende",)),
    "FK:YL": ("Yrkesskadelivränta", ("yrkesskadeegenlivrantearende", "yrkesskadeefterlevandearende")),
}
_FK_OVRIGT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "FK:GEPI": ("Generell personinformation", ("generellPersoninformation",)),
    "FK:PANV": ("Programanvisning", ("programanvisning",)),
    "FK:SGI": ("Sjukpenninggrundande inkomst", ("sjukpenninggrundandeInkomstuppgift",)),
    "FK:SKUP": ("Skatteuppgift", ("skatteuppgift",)),
    "FK:STAV": ("Studiemedelsavisering", ("studiemedelsavisering",)),
}
_PM_FORMANER: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "PM:AP": ("Allmän pension", ()),
    "PM:BTI": ("Bostadstillägg", ()),
    "PM:EF": ("Efterlevandeförmåner", ()),
}
_PM_OVRIGT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "PM:LINT": ("Levnadsintyg", ()),
    "PM:PBH": ("Pensionsbehållning", ()),
    "PM:PU": ("Pensionsunderlag", ()),
}

# What a question may name, by its property: code and name, and the keys that the code brings.
GROUPS: Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "formansinformation": _FK_FORMANER,
    "ansprak": _PM_FORMANER,
    "beslut": _PM_FORMANER,
    "preliminaraUtbetalningar": {**_FK_FORMANER, **_PM_FORMANER},
    "utbetalningar": {**_FK_FORMANER, **_PM_FORMANER},
    "ovrigInformation": {**_FK_OVRIGT, **_PM_OVRIGT},
}
# Försäkringskassan's payments: the question's property, and their key in formansinformation.
PAYMENTS = {"utbetalningar": "utbetalningsuppgift", "preliminaraUtbetalningar": "preliminarautbetalningar"}
# Every key that a question can bring.
KEYS = frozenset(PAYMENTS.values()).union(
    *(keys for groups in (_FK_FORMANER, _FK_OVRIGT) for _, keys in groups.values())
)
_UTLAMNARE = {"FK": "Försäkringskassan", "PM": "Pensionsmyndigheten"}


def available() -> dict[str, Any]:
    """An answer to what may be asked about: everything."""
    return {
        name: [{"kod": code, "beskrivning": text} for code, (text, _) in groups.items()]
        for name, groups in GROUPS.items()
    }


def select(held: Mapping[str, Any], asked: Mapping[str, set[str]], during: Callable[[str], bool]) -> dict[str, Any]:
    """As much of `held`, an answer about all there is, as the `asked` codes bring; payments only of days `during`."""
    utlamnare = held.get("utlamnare") or [_available(code) for code in _UTLAMNARE]
    answer: dict[str, Any] = {"utlamnare": utlamnare}
    deviations = held.get("avvikelser")
    if deviations is not None:
        # Real answers may have an empty array where the object should be.
        answer["avvikelser"] = deviations and dict(_deviations(deviations, asked))
    works = {one["utlamnare"]["kod"] for one in utlamnare if one["tillstand"]["kod"] == "OK"}
    if "FK" in works and any(code.startswith("FK:") for codes in asked.values() for code in codes):
        answer["formansinformation"] = dict(_fk(held.get("formansinformation", {}), asked, during))
    if "PM" in works:
        answer |= _pm(held, asked, during)
    return answer


def _available(code: str) -> dict[str, Any]:
    return {
        "utlamnare": {"kod": code, "namn": _UTLAMNARE[code]},
        "tillstand": {"kod": "OK", "beskrivning": "Tillgänglig"},
    }


def _deviations(held: Mapping[str, Any], asked: Mapping[str, set[str]]) -> Iterator[tuple[str, Any]]:
    for name, deviations in held.items():
        group = "ovrigInformationstyp" if name == "ovrigInformation" else "formansgrupp"
        found = [one for one in deviations if one[group]["kod"] in asked[name]]
        if found:
            yield name, found


def _fk(
    held: Mapping[str, Any], asked: Mapping[str, set[str]], during: Callable[[str], bool]
) -> Iterator[tuple[str, Any]]:
    for name in ("formansinformation", "ovrigInformation"):
        for code in asked[name]:
            _, keys = GROUPS[name][code]
            yield from ((key, held[key]) for key in keys if key in held)
    for name, key in PAYMENTS.items():
        # Assumed: a payment's formansfamilj is its group's code without the prefix.
        families = {code.removeprefix("FK:") for code in asked[name] if code.startswith("FK:")}
        if families and key in held:
            paid = held[key]
            yield key, [one for one in paid if one["formansfamilj"]["id"] in families and during(one["datum"])]


def _pm(
    held: Mapping[str, Any], asked: Mapping[str, set[str]], during: Callable[[str], bool]
) -> Iterator[tuple[str, Any]]:
    kinds = {"ansprak": "formansgrupp", "beslut": "formansgrupp", "ovrigInformation": "informationstyp"}
    for name, codes in asked.items():
        if not any(code.startswith("PM:") for code in codes):
            continue
        found = held.get(name, [])
        if name in kinds:
            yield name, [one for one in found if one[kinds[name]]["kod"] in codes]
        else:
            paid = (one for one in found if during(one["utbetalningsdatum"]))
            yield name, [cut for cut in (_rows(one, codes) for one in paid) if cut["utbetalningsrader"]]


def _rows(payment: Mapping[str, Any], codes: set[str]) -> dict[str, Any]:
    """The payment with the rows that were asked for. Assumed: its totals stay those of the whole payment."""
    rows = [row for row in payment["utbetalningsrader"] if row["formansgrupp"]["kod"] in codes]
    return {**payment, "utbetalningsrader": rows}
