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
    "formansinformation": "en av LEFI:s koder för förmånsgrupper hos Försäkringskassan, till exempel FK:FP",
    "ansprak": "en av LEFI:s koder för förmånsgrupper hos Pensionsmyndigheten, till exempel PM:AP",
    "beslut": "en av LEFI:s koder för förmånsgrupper hos Pensionsmyndigheten, till exempel PM:AP",
    "preliminaraUtbetalningar": "en av LEFI:s koder för förmånsgrupper, till exempel FK:FP eller PM:AP",
    "utbetalningar": "en av LEFI:s koder för förmånsgrupper, till exempel FK:FP eller PM:AP",
    "ovrigInformation": "en av LEFI:s koder för övrig information, till exempel FK:SGI",
}
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (?P<names>[^()]*) \)\.$")
_STEP = re.compile(r"(?:[^/:]*:)?(?P<name>[^/:\[]+)(?:\[\d+\])?$")
# The contract's names are letters only.
_NAME = re.compile(r"[A-Za-z]{1,60}", re.ASCII)
# An attribute's error names it before the value.
_ATTRIBUTE = re.compile(r"Element '[^']*', attribute '(?P<name>[A-Za-z]+)'")


def rule(field: str) -> str:
    """The sentence for a field whose value breaks its rule."""
    return f"{field}: ska vara {_RULES[field]}." if field in _RULES else f"{field}: värdet är inte tillåtet."


def explain(error: _LogEntry) -> str:
    """A Swedish sentence or two for an error against our contract's schema. Holds no value that the sender wrote."""
    element = _element(error)
    match error.type_name:
        case "SCHEMAV_ELEMENT_CONTENT":
            expected = _EXPECTED.search(error.message)
            if expected is None:
                return f"{element}: elementet ska inte finnas här. Ta bort det."
            names = " eller ".join(_local(name) for name in expected["names"].split(", "))
            return f"{element}: elementen saknas eller står i fel ordning. Här ska {names} stå, i tjänstens namnrymd."
        case "SCHEMAV_CVC_COMPLEX_TYPE_2_1":
            return f"{element}: ska vara tomt. Ta bort det som står i det."
        case "SCHEMAV_CVC_COMPLEX_TYPE_4":
            return f"{element}: ett obligatoriskt attribut saknas. Ange inkludera."
        case "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1" | "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2" | "SCHEMAV_CVC_TYPE_3_1_1":
            return f"{element}: har ett attribut som kontraktet inte har. Ta bort det."
        case "SCHEMAV_CVC_ELT_1":
            return "Elementet i Body finns inte i kontraktet. Kontrollera namn och namnrymd."
        case _:
            attribute = _ATTRIBUTE.match(error.message)
            return rule(attribute["name"] if attribute and attribute["name"] in _RULES else element)


def _element(error: _LogEntry) -> str:
    step = _STEP.search(error.path or "")
    name = step["name"] if step else ""
    # A name that the sender made up is not repeated.
    return name if _NAME.fullmatch(name) else "ett element"


def _local(name: str) -> str:
    return name.strip().rpartition("}")[2]
