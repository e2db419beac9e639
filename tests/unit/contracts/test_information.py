"""Every piece of information of tests/information.py in the typed contract: it stands there, and is described there."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from information import BULLETS, SKV10, Bullet
from unit.typed_answers import NS, section

from ssbtek_gateway import resources, xmlgate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

XS = "{http://www.w3.org/2001/XMLSchema}"
EVERY = pytest.mark.parametrize(
    "bullet", BULLETS, ids=lambda bullet: f"{bullet.section}-{bullet.service}-{bullet.information}"
)


def found(bullet: Bullet) -> list[_Element]:
    """The elements at its path in the answer about its persona."""
    answered = section(bullet.persona, bullet.service.partition(" ")[0], dokument=bullet.service == SKV10)
    (data,) = answered.iterchildren(f"{NS}data")
    return data.findall(bullet.typed)


@EVERY
def test_the_information_stands_in_the_typed_answer(bullet: Bullet) -> None:
    assert any("".join(map(str, element.itertext())) or element.attrib for element in found(bullet))


@EVERY
def test_the_information_is_described_by_its_swedish_word(bullet: Bullet) -> None:
    said = described(found(bullet)[0])
    assert [term for term in bullet.terms if term.lower() not in said] == []


def test_only_what_stands_below_data_describes() -> None:
    # The section, and data itself, name everything that a-kassorna have.
    kassa = section("allt", "SO").find(".//{*}SvarandeOrganisation")
    assert kassa is not None
    assert "a-kassa" in described(kassa)
    assert "avstängningar" not in described(kassa)


def described(element: _Element) -> str:
    """What the schemas say of an element of an answer, of those it stands in below `data`, and of their types.

    In lower case. Of what an xs:any lets in they say nothing.
    """
    way = [element, *element.iterancestors()]
    tags = [one.tag for one in way[: [one.tag for one in way].index(f"{NS}svarsdata")]][::-1]
    definition = definitions()[f"{NS}SammansattBastjanstSvarData"]
    said: list[str] = []
    for depth, tag in enumerate(tags):
        declared = next((one for one in inside(definition) if name_of(one) == tag), None)
        if declared is None:
            break
        kind = declared
        if "ref" in declared.attrib:
            kind = definitions()[name_of(declared)]
        # One of XML Schema's own types says nothing.
        definition = definitions().get(qualified(kind, kind.attrib["type"]), kind) if "type" in kind.attrib else kind
        if depth > 1:
            said += (text for one in {declared, kind, definition} for text in documentation(one))
        if definition.tag == f"{XS}element":
            definition = next(definition.iterchildren(f"{XS}complexType"), definition)
    return " ".join(said).lower()


@cache
def definitions() -> dict[str, _Element]:
    """Every global element and type that has a name, in what is published."""
    roots = [xmlgate.parse_own(schema) for schema in resources.published_schemas().values()]
    named = [(root.get("targetNamespace"), one) for root in roots for one in root if "name" in one.attrib]
    return {f"{{{namespace}}}{one.attrib['name']}": one for namespace, one in named}


def inside(definition: _Element) -> Iterator[_Element]:
    """The elements that a complex type has, not those in them."""
    return (one for one in definition.iter(f"{XS}element") if next(one.iterancestors(f"{XS}complexType")) is definition)


def name_of(declared: _Element) -> str:
    root = declared.getroottree().getroot()
    if "ref" in declared.attrib:
        return qualified(declared, declared.attrib["ref"])
    local = root.get("elementFormDefault") == "qualified"
    return f"{{{root.get('targetNamespace')}}}{declared.get('name')}" if local else str(declared.get("name"))


def qualified(where: _Element, name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{where.nsmap[prefix]}}}{local}"


def documentation(declared: _Element) -> list[str]:
    return [" ".join(str(text.text).split()) for text in declared.iterfind(f"{XS}annotation/{XS}documentation")]
