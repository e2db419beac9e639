"""The component model of a set of XML schemas, as plain data to compare with `facts/*.yaml`.

Only what decides which XML is valid and which classes a client generator makes is kept: names, order, cardinality,
types, attributes and facets. Annotations, file names, prefixes and schemaLocations are left out. A construct that the
model does not know is an error, so that it cannot pass unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no public name for it

Model: TypeAlias = dict[str, object]

XS = "http://www.w3.org/2001/XMLSchema"
LISTED_FACETS = {"pattern", "enumeration"}
FACETS = LISTED_FACETS | {
    *("length", "minLength", "maxLength", "minInclusive", "maxInclusive", "minExclusive", "maxExclusive"),
    *("totalDigits", "fractionDigits", "whiteSpace"),
}
COMPONENTS = {"element": "elements", "complexType": "complex types", "simpleType": "simple types"}


def model(paths: Iterable[Path]) -> dict[str, Model]:
    """Return the components of the schemas in *paths*, inline ones in WSDLs included, by target namespace."""
    out: dict[str, Model] = {}
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    for path in paths:
        for schema in etree.parse(path, parser).getroot().iter(f"{{{XS}}}schema"):
            space: Model = {}
            for kind, heading in COMPONENTS.items():
                found = {_get(child, "name"): _component(child) for child in _children(schema) if _kind(child) == kind}
                if found:
                    space[heading] = found
            namespace = schema.get("targetNamespace", "")
            if space and namespace in out:
                raise ValueError(f"{namespace} is spread over several schemas")
            if space:
                out[namespace] = space | {"elementFormDefault": schema.get("elementFormDefault", "unqualified")}
    return out


def differences(want: object, have: object, where: str = "") -> Iterator[str]:
    """Yield one line for each place where *have* is not what *want* says."""
    if isinstance(want, dict) and isinstance(have, dict):
        for key in sorted(want.keys() | have.keys()):
            at = f"{where} / {key}" if where else str(key)
            if key not in have:
                yield f"missing: {at}"
            elif key not in want:
                yield f"extra: {at}"
            else:
                yield from differences(want[key], have[key], at)
    elif isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        for number, pair in enumerate(zip(want, have, strict=True), start=1):
            yield from differences(*pair, f"{where} [{number}]")
    elif want != have:
        yield f"differs: {where}: wanted {want}, have {have}"


def _kind(node: Element) -> str:
    return etree.QName(node).localname


def _children(node: Element) -> list[Element]:
    return [child for child in node.iterchildren("{*}*") if _kind(child) != "annotation"]


def _get(node: Element, name: str) -> str:
    value = node.get(name)
    if value is None:
        raise ValueError(f"{_kind(node)} without {name}")
    return value


def _qname(node: Element, text: str) -> str:
    prefix, _, local = text.rpartition(":")
    namespace = node.nsmap[prefix or None]
    return f"xs:{local}" if namespace == XS else f"{{{namespace}}}{local}"


def _occurs(node: Element) -> Model:
    low, high = node.get("minOccurs", "1"), node.get("maxOccurs", "1")
    return {} if low == high == "1" else {"occurs": f"{low}..{'*' if high == 'unbounded' else high}"}


def _given(node: Element, *names: str) -> Model:
    return {name: node.get(name) for name in names if node.get(name)}


def _component(node: Element) -> object:
    match _kind(node):
        case "element":
            return {"type": _type(node)} | ({"nillable": "true"} if node.get("nillable") == "true" else {})
        case "complexType":
            return _complex(node)
        case _:
            return _simple(node)


def _type(node: Element) -> object:
    if node.get("type"):
        return _qname(node, _get(node, "type"))
    (inline,) = _children(node)
    return _component(inline)


def _simple(node: Element) -> Model:
    (restriction,) = _children(node)
    out: Model = {"base": _qname(restriction, _get(restriction, "base"))}
    for facet in _children(restriction):
        name = _kind(facet)
        if name not in FACETS:
            raise ValueError(f"unknown facet {name}")
        values = [_get(same, "value") for same in _children(restriction) if _kind(same) == name]
        out[name] = values if name in LISTED_FACETS else values[-1]
    return out


def _complex(node: Element) -> Model:
    attributes = [_attribute(child) for child in _children(node) if _kind(child) == "attribute"]
    content = [_particle(child) for child in _children(node) if _kind(child) != "attribute"]
    out: Model = {}
    if content:
        (out["content"],) = content
    if attributes:
        out["attributes"] = sorted(attributes, key=str)
    return out


def _particle(node: Element) -> Model:
    match _kind(node):
        case "element":
            own = {"element": _get(node, "name"), "type": _type(node)}
            out = own | _given(node, "default", "fixed", "nillable", "form")
        case "any":
            out = {"any": f"{node.get('namespace', '##any')} {node.get('processContents', 'strict')}"}
        case "sequence" | "choice" | "all" as group:
            out = {group: [_particle(child) for child in _children(node)]}
        case unknown:
            raise ValueError(f"unknown particle {unknown}")
    return out | _occurs(node)


def _attribute(node: Element) -> Model:
    own = {"attribute": _get(node, "name"), "type": _type(node), "use": node.get("use", "optional")}
    return own | _given(node, "default", "fixed")
