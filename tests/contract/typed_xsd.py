"""Makes the XML Schemas beside our JSON Schemas: `python tests/contract/typed_xsd.py`.

The rules are those of ssbtek_gateway/json_xml/vocabulary.py, which reads and writes what the XML Schemas describe.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from contract.terms import TERMS

from ssbtek_gateway.json_xml import LEFI, SKV_DELAR, w3c
from ssbtek_gateway.json_xml.vocabulary import DATE, DATE_TIME, KNOWN_CODES, OKANT, TOMMA, pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssbtek_gateway.json_xml import Vocabulary
    from ssbtek_gateway.json_xml.vocabulary import Definition

XSD = Path(__file__).parents[2] / "xsd"
_WIDTH = 125

_RULES = (
    "En egenskap i JSON är ett element med samma namn, i schemats ordning; en lista är ett upprepat element. "
    f"Attributet {TOMMA} namnger de listor som lämnades tomma: det är ett besked, till skillnad från en lista som "
    f"saknas. Elementet {OKANT} bär det som schemat inte känner till, så att inget går förlorat. Filen skrivs av "
    "tests/contract/typed_xsd.py."
)
_ABOUT_LEFI = (
    "LEFI Online version 9 som XML. Det publicerade gränssnittet är JSON över REST; namn, antal, typer, mönster och "
    "koder följer det. Namnrymden är projektets egen: kontraktet från tiden när LEFI Online var SOAP är inte publikt."
)
_ABOUT_SKV = (
    "Skatteverkets delar i version 11 av det sammansatta kontraktet, som XML. Inget är publicerat: namnen är kända i "
    "andra hand och värdenas typer okända. Namnrymden är projektets egen."
)
# How LEFI is asked over SOAP: the two operations of the REST interface, and its error with the status that HTTP has.
_OPERATIONS = {
    "hamtaFormansinformation": ("HamtaFormansinformation", "Frågan om en person."),
    "hamtaFormansinformationResponse": ("LefiExternFormansinformationSvar", "Svaret om personen."),
    "hamtaTillgangligaInformationstyper": (
        "HamtaTillgangligaInformationstyper",
        "Frågan om vad aktören får fråga efter; ingen person anges.",
    ),
    "hamtaTillgangligaInformationstyperResponse": (
        "LefiExternTillgangligaInformationstyper",
        "Svaret om vad aktören får fråga efter.",
    ),
    "lefiFel": ("LefiFel", "Detaljen i det SOAP-fel som avvisar hela frågan."),
}
_AKTOR = ("aktorsId", "xs:string", "Aktörsid för kommunen eller en av dess nämnder.")
_FRAGA = ("fraga", "lefi:LefiExternFormansinformationFraga", "Frågan om en person och en period.")
_STATUS = ("status", "xs:int", "Den status som REST-gränssnittet svarar med: 400, 403 eller 500.")
_MESSAGES = {
    "HamtaFormansinformation": ("Aktören som frågar, och frågan.", (_AKTOR, _FRAGA)),
    "HamtaTillgangligaInformationstyper": ("Aktören som frågar.", (_AKTOR,)),
    "LefiFel": ("Varför hela frågan avvisades.", (_STATUS, ("fel", "lefi:LefiFelsvar", "Felet i klartext."))),
}

FILES = {
    "services/fk/lefi_online.xsd": (LEFI, _ABOUT_LEFI),
    "services/skv/delar.xsd": (SKV_DELAR, _ABOUT_SKV),
}


def made(path: str) -> str:
    """The text of the XML Schema at `path`, relative to xsd/."""
    vocabulary, about = FILES[path]
    prefix = vocabulary.prefix
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"',
            f'           xmlns:{prefix}="{vocabulary.namespace}"',
            f'           xmlns:fn="{w3c.NAMESPACE}"',
            f'           targetNamespace="{vocabulary.namespace}"',
            '           elementFormDefault="qualified">',
            *_documented("  ", f"{about} {_RULES}"),
            "",
            f'  <xs:import namespace="{w3c.NAMESPACE}" schemaLocation="../../json/xpath-functions.xsd"/>',
            "",
            *(_messages() if vocabulary is LEFI else ()),
            *_common(),
            *(line for name in vocabulary.definitions for line in _named(vocabulary, name)),
            "</xs:schema>",
            "",
        ]
    )


def _messages() -> Iterator[str]:
    for name, (kind, text) in _OPERATIONS.items():
        yield f'  <xs:element name="{name}" type="lefi:{kind}">'
        yield from _documented("    ", text)
        yield "  </xs:element>"
    for name, (text, children) in _MESSAGES.items():
        yield f'  <xs:complexType name="{name}">'
        yield from _documented("    ", text)
        yield "    <xs:sequence>"
        for child, kind, what in children:
            yield f'      <xs:element name="{child}" type="{kind}">'
            yield from _documented("        ", what)
            yield "      </xs:element>"
        yield "    </xs:sequence>"
        yield "  </xs:complexType>"


def _common() -> Iterator[str]:
    yield '  <xs:complexType name="Okant">'
    text = "Det som är nytt och inte har egna element, som W3C skriver JSON i XML; saknas när inget är nytt."
    yield from _documented("    ", text)
    yield "    <xs:choice>"
    yield from (
        f'      <xs:element ref="fn:{name}"/>' for name in ("map", "array", "string", "number", "boolean", "null")
    )
    yield "    </xs:choice>"
    yield "  </xs:complexType>"
    yield '  <xs:simpleType name="Tomma">'
    yield from _documented("    ", "Namn på de listor som lämnades och var tomma; saknas när ingen var det.")
    yield '    <xs:restriction base="xs:NMTOKENS"/>'
    yield "  </xs:simpleType>"
    for name, base, form, text in (
        ("Datum", "xs:date", DATE, "En dag, ÅÅÅÅ-MM-DD, utan tidszon."),
        ("Tidpunkt", "xs:dateTime", DATE_TIME, "En tidpunkt."),
    ):
        yield f'  <xs:simpleType name="{name}">'
        yield from _documented("    ", text)
        yield f'    <xs:restriction base="{base}">'
        yield f"      <xs:pattern value={quoteattr(_in_xsd(form))}/>"
        yield "    </xs:restriction>"
        yield "  </xs:simpleType>"


def _named(vocabulary: Vocabulary, name: str) -> Iterator[str]:
    definition = vocabulary.definitions[name]
    if "properties" not in definition:
        yield f'  <xs:simpleType name="{name}">'
        yield from _documented("    ", definition["description"])
        yield from _restriction("    ", definition)
        yield "  </xs:simpleType>"
        return
    yield f'  <xs:complexType name="{name}">'
    unexplained = f"{name}: underlag vars förkortning ingen källa skriver ut."
    yield from _documented("    ", definition.get("description", unexplained))
    yield "    <xs:sequence>"
    for member, child in definition["properties"].items():
        yield from _element(vocabulary, name, member, child)
    yield f'      <xs:element name="{OKANT}" type="{vocabulary.prefix}:Okant" minOccurs="0"/>'
    yield "    </xs:sequence>"
    yield f'    <xs:attribute name="{TOMMA}" type="{vocabulary.prefix}:Tomma"/>'
    yield "  </xs:complexType>"


def _element(vocabulary: Vocabulary, owner: str, name: str, definition: Definition) -> Iterator[str]:
    if "allOf" in definition:
        definition = definition["allOf"][0]
    required = name in vocabulary.definitions[owner].get("required", ())
    occurs = "" if required else ' minOccurs="0"'
    if "items" in definition:
        most = definition.get("maxItems", "unbounded")
        occurs += "" if most == 1 else f' maxOccurs="{most}"'
        definition = definition["items"]
    text = TERMS.get((owner, name))
    kind = _type(vocabulary, definition)
    if kind is None or text:
        yield f'      <xs:element name="{name}"{f" type={kind}" if kind else ""}{occurs}>'
        yield from _documented("        ", text)
        if kind is None:
            yield "        <xs:simpleType>"
            yield from _restriction("          ", definition)
            yield "        </xs:simpleType>"
        yield "      </xs:element>"
    else:
        yield f'      <xs:element name="{name}" type={kind}{occurs}/>'


def _type(vocabulary: Vocabulary, definition: Definition) -> str | None:
    """The name of a type in quotes, or None for one that has to be written out."""
    if "$ref" in definition:
        return f'"{vocabulary.prefix}:{definition["$ref"].rpartition("/")[2]}"'
    if "pattern" in definition:
        return None
    if definition.get("format") in {"date", "date-time"}:
        return f'"{vocabulary.prefix}:{"Datum" if definition["format"] == "date" else "Tidpunkt"}"'
    return f'"{_base(definition)}"'


def _base(definition: Definition) -> str:
    match definition["type"]:
        case "boolean":
            return "xs:boolean"
        case "integer":
            return "xs:long"
        case "number":
            return "xs:decimal"
        case _:
            return "xs:string"


def _restriction(indent: str, definition: Definition) -> Iterator[str]:
    yield f'{indent}<xs:restriction base="{_base(definition)}">'
    form = pattern(definition)
    if form is not None:
        yield f"{indent}  <xs:pattern value={quoteattr(_in_xsd(form))}/>"
    for code in definition.get(KNOWN_CODES, ()):
        yield f'{indent}  <xs:enumeration value="{code}"/>'
    yield f"{indent}</xs:restriction>"


def _in_xsd(form: str) -> str:
    # XML Schema has no unescaped hyphen last in a class that also negates, and libxml2 wants it escaped everywhere.
    return form.replace("[+-]", r"[+\-]")


def _documented(indent: str, text: str | None) -> Iterator[str]:
    if not text:
        return
    one = f'{indent}  <xs:documentation xml:lang="sv">{escape(text)}</xs:documentation>'
    yield f"{indent}<xs:annotation>"
    if len(one) <= _WIDTH:
        yield one
    else:
        yield f'{indent}  <xs:documentation xml:lang="sv">'
        yield from wrap(escape(text), _WIDTH, initial_indent=f"{indent}    ", subsequent_indent=f"{indent}    ")
        yield f"{indent}  </xs:documentation>"
    yield f"{indent}</xs:annotation>"


if __name__ == "__main__":
    for file in FILES:
        (XSD / file).write_text(made(file), encoding="utf-8")
