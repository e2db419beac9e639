"""What a schema error means to the one who sent the question: field, rule and what would pass, in Swedish.

libxml2's own text echoes the value, so only its type, its path of element names and the list of names that our schema
expected are used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _LogEntry

# What a field must look like, for the fields whose type says more than "some text" (contract, simple types).
_RULES = {
    "organisationsnummer": "tolv siffror: 16 följt av organisationsnumrets tio, utan bindestreck",
    "personidentitet": "tolv siffror (ÅÅÅÅMMDDNNNN), utan bindestreck",
    "fromDatum": "ett datum på formen ÅÅÅÅ-MM-DD",
    "tomDatum": "ett datum på formen ÅÅÅÅ-MM-DD",
    "frageTidpunkt": "en tidpunkt på formen ÅÅÅÅ-MM-DDThh:mm:ss",
    "fraganSkallInkluderasISvaret": "true eller false",
    "inkludera": "true eller false",
    "ordningsnummer": "ett heltal",
    "namn": "minst ett tecken",
    "handlaggare": "minst ett tecken",
    "arendeidentitet": "minst ett tecken",
    "lefiJsonFraga": "JSON i UTF-8, kodad i base64",
    "ar": "ett heltal",
    "foretagsinformation": "true eller false",
    "individuppgifter": "true eller false",
    "skattekonto": "true eller false",
    "skatteuppgifter": "true eller false",
    "beskattningsbilagor": "true eller false",
}
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (?P<names>[^()]*) \)\.$")
_STEP = re.compile(r"(?:[^/:]*:)?(?P<name>[^/:\[]+)(?:\[\d+\])?$")
_NAME = re.compile(r"[\w.-]{1,60}", re.ASCII)


def rule(field: str) -> str:
    """The sentence for a field whose value breaks its rule."""
    return f"{field}: ska vara {_RULES[field]}." if field in _RULES else f"{field}: värdet är inte tillåtet."


def explain(error: _LogEntry) -> str:
    """A Swedish sentence or two for an error against our contract's schema. Holds no value that the sender wrote."""
    field = _field(error)
    match error.type_name:
        case "SCHEMAV_ELEMENT_CONTENT":
            expected = _EXPECTED.search(error.message)
            if expected is None:
                return f"{field}: elementet ska inte finnas här. Ta bort det."
            names = " eller ".join(_local(name) for name in expected["names"].split(", "))
            return f"{field}: elementen saknas eller står i fel ordning. Här ska {names} stå, i tjänstens namnrymd."
        case "SCHEMAV_CVC_COMPLEX_TYPE_4":
            return f"{field}: ett obligatoriskt attribut saknas. Ange inkludera."
        case "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1" | "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2":
            return f"{field}: elementet har ett attribut som kontraktet inte har. Ta bort det."
        case "SCHEMAV_CVC_ELT_1":
            return "Elementet i Body finns inte i kontraktet. Kontrollera namn och namnrymd."
        case _:
            return rule(field)


def _field(error: _LogEntry) -> str:
    # An attribute's error carries its name in the text, before the value; the path is the element's.
    attribute = re.search(r", attribute '([A-Za-z]+)'", error.message)
    if attribute:
        return attribute[1] if attribute[1] in _RULES else "attribut"
    step = _STEP.search(error.path or "")
    name = step["name"] if step else ""
    # A name that the sender chose is not repeated unless it is a plain one.
    return name if _NAME.fullmatch(name) else "elementet"


def _local(name: str) -> str:
    return name.strip().rpartition("}")[2]
