"""Which values are somebody's, by the name that they stand under, and what stands for each kind instead.

Names are local ones, in lower case. What no published schema names is not known to be harmless: its texts are replaced
too. Amounts, codes, days and the texts of our own contract stay.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.recording.documents import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NAME, HANDLER, ADDRESS, POSTCODE, TOWN = "namn", "handläggare", "adress", "postnummer", "postort"
PHONE, MAIL, ACCOUNT, VEHICLE, CASE = "telefon", "e-post", "konto", "registreringsnummer", "ärende"
BIRTHDAY, UNKNOWN, PERSON = "födelsedag", "okänt fält", "personnummer"

_NAMES: Mapping[str, str] = {
    name: kind
    for kind, names in {
        NAME: "fornamn efternamn mellannamn tilltalsnamn namn utbetalningsmottagare",
        HANDLER: "handlaggare handlaggareid kontonamnforhandlaggare kontonamnhandlaggare",
        ADDRESS: "adress gatuadress utdelningadress utdelningsadress co coadress careof fastighetsbeteckning",
        POSTCODE: "postnummer postnr",
        TOWN: "postort ort",
        PHONE: "telefon telefonnummer mobil mobilnummer",
        MAIL: "epost epostadress email mail",
        ACCOUNT: "utbetalningskonto kontonummer konto clearingnummer bankgiro plusgiro iban",
        VEHICLE: "regnr registreringsnummer chassinummer",
        CASE: "arendeidentitet referensnummer arendeid hushallsid anropsid korrelationsid correlationid ansprakid"
        " beslutsid relarende",
        BIRTHDAY: "foddes fodelsedatum",
    }.items()
    for name in names.split()
}
# Under these a name is an organisation's or a country's.
_NOT_OF_A_PERSON = {"utlamnare", "land", "ingivare", "personuppgiftsbitrade"}
# What has been seen where no schema is public (domain facts, section 4), and SOAP's own.
_SEEN = (
    "faultcode faultstring meddelandekod meddelandetext svarbeskattningsuppgifterenligtsfs2008-975 "
    "statuspersonuppgiftkod statuskapitaluppgiftkod statusskattekontouppgiftkod status title type "
    "godkandfskatt bokforingsdag senastuppdaterad beskattningsperiod datumfaststalld mustunderstand actor "
    "encodingstyle schemalocation nonamespaceschemalocation nil lang identitet kontohavare "
    "foretagid identitetsbeteckning"
)
# A day, a time, a number, a truth: nothing that names anybody, whatever it is called.
_PLAIN = re.compile(
    r"\s*(?:[+-]?\d{1,7}(?:[.,]\d{1,4})?|\d{4}-\d\d(?:-\d\d(?:T[\d:.]+)?(?:Z|[+-]\d\d:\d\d)?)?|true|false)\s*"
)
_XSD = "{http://www.w3.org/2001/XMLSchema}"


def kind(path: tuple[str, ...]) -> str | None:
    """Whose value stands at `path`; None where it is nobody's."""
    *_, parent, own = ("", *(name.lower() for name in path))
    if own == "namn" and parent in _NOT_OF_A_PERSON:
        return None
    return _NAMES.get(own)


def is_unknown(path: tuple[str, ...], text: str) -> bool:
    """Whether nobody has said what stands at `path`, and it could be about somebody. A comment is such a place."""
    return path[-1].lower() not in _known() and path[-1] != KEY and not _PLAIN.fullmatch(text)


@cache
def _known() -> frozenset[str]:
    """Every name that our schemas have, in lower case."""
    found = {*_SEEN.split(), *_NAMES}
    for path in resources.xsd("").rglob("*.xsd"):
        root = xmlgate.parse_own(path.read_bytes())
        found |= {str(node.get("name")) for node in root.iter(f"{_XSD}element", f"{_XSD}attribute")}
    found |= set(_properties(json.loads(resources.xsd("services/fk/lefi-9.schema.json").read_bytes())))
    return frozenset(name.lower() for name in found)


def _properties(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties" and isinstance(value, dict):
                yield from value
            yield from _properties(value)
    elif isinstance(node, list):
        for value in node:
            yield from _properties(value)


def _shape(text: str, number: int) -> str:
    """The value's shape, with the number in its digits, after zeros; letters become one that no plate has."""
    places = sum(character.isdigit() for character in text)
    digits = iter(f"{number:0{places or 1}}"[-places:] if places else "")
    return "".join(
        next(digits) if character.isdigit() else "Q" if character.isalpha() else character for character in text
    )


STANDS_FOR: Mapping[str, Callable[[str, int], str]] = {
    NAME: lambda _, number: f"Namn{number}",
    HANDLER: lambda _, number: f"handlaggare{number}",
    ADDRESS: lambda _, number: f"Provgatan {number}",
    POSTCODE: _shape,
    TOWN: lambda _, number: f"PROVORT{number}",
    PHONE: _shape,
    MAIL: lambda _, number: f"prov{number}@example.invalid",
    ACCOUNT: _shape,
    VEHICLE: _shape,
    CASE: lambda _, number: f"arende-{number}",
    UNKNOWN: lambda _, number: f"okänt-{number}",
}
# What one of the above made: it stands for itself, so that what is recorded of recorded answers stays the same.
_OURS = re.compile(
    r"Namn\d+|handlaggare\d+|Provgatan \d+|PROVORT\d+|prov\d+@example\.invalid|arende-\d+|okänt-\d+|QQ.*|\D*000.*"
)


def is_ours(text: str) -> bool:
    """Whether the value is one that stands for another already."""
    return _OURS.fullmatch(text) is not None
