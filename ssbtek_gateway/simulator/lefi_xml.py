"""LEFI as XML, after its own JSON Schema: written apart from what the gateway reads and writes with.

A property is an element of its name in the schema's order, an array a repeated element, and an array that is there and
empty is named in the attribute `tomma`. What the schema does not know has no place here: personas hold none of it, and
a question that does is refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lxml import etree

from ssbtek_gateway.simulator.lefi_json import document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

NAMESPACE = "urn:ssbtek-gateway:lefi-online:9"


def element(tag: str) -> _Element:
    return etree.Element(f"{{{NAMESPACE}}}{tag}", nsmap={None: NAMESPACE})


def written(value: Mapping[str, Any], name: str, tag: str) -> _Element:
    """`value`, which follows the definition `name`, as an element `tag`."""
    top = element(tag)
    _fill(top, value, {"$ref": name})
    return top


def read(asked: _Element, name: str) -> dict[str, Any]:
    """The question in a valid element; what is new to the schema stands under `okant`. All its values are texts."""
    found: dict[str, Any] = {empty: [] for empty in asked.get("tomma", "").split()}
    properties = _resolved({"$ref": name})["properties"]
    for child in asked.iterchildren("*"):
        key = etree.QName(child).localname
        definition = _resolved(properties.get(key, {"type": "string"}))
        if "items" in definition:
            found.setdefault(key, []).append(_text(child))
        elif "properties" in definition:
            found[key] = {etree.QName(one).localname: _text(one) for one in child.iterchildren("*")}
        else:
            found[key] = _text(child)
    return found


def _text(leaf: _Element) -> str:
    return str(leaf.xpath("string()"))


def _fill(parent: _Element, value: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    properties = _resolved(definition)["properties"]
    empty = [key for key in properties if value.get(key) == []]
    if empty:
        parent.set("tomma", " ".join(empty))
    for key, kind in properties.items():
        held = value.get(key, [])
        inner = _resolved(kind)
        for one in held if isinstance(held, list) else [held]:
            child = etree.SubElement(parent, f"{{{NAMESPACE}}}{key}")
            if isinstance(one, dict):
                _fill(child, one, inner.get("items", inner))
            else:
                child.text = one if isinstance(one, str) else json.dumps(one)


def _resolved(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition itself, where it names another or narrows one."""
    for one in definition.get("allOf", ()):
        return _resolved(one)
    if "$ref" in definition:
        return _resolved(document()["$defs"][definition["$ref"].rpartition("/")[2]])
    return definition
