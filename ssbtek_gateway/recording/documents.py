"""A message as its values, each by its path: XML, JSON, and whatever of either stands in a value (text or base64)."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from lxml import etree

from ssbtek_gateway import jsongate, xmlgate
from ssbtek_gateway.json_xml import w3c

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    # Local names from the root to the value, and the value; returns what shall stand there.
    Change = Callable[[tuple[str, ...], str], str]

# A signature does not hold for what has been changed, and its certificate says who asked.
_SECURITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}Security"
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{8,}={0,2}\s*", re.ASCII)
# What these hold is always a document in base64.
_ENCODED = {"lefiJsonFraga", "lefiJsonSvar"}
# The end of the path of a name in a JSON object, which is a value too: it may be anybody's number.
KEY = "@name"


class UnreadableError(Exception):
    """A message, or a document inside it, that cannot be read, and so not be pseudonymised. The text is fixed."""


def rewritten(data: bytes, charset: str | None, change: Change) -> bytes:
    """The message with every value changed: XML in UTF-8, or JSON. Raises `UnreadableError`."""
    try:
        return _xml(xmlgate.parse_agency(data, charset), (), change)
    except xmlgate.XmlError:
        return _json(data, (), change)


def _xml(root: _Element, path: tuple[str, ...], change: Change) -> bytes:
    for element in list(root.iter(_SECURITY)):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    for sibling in [*root.itersiblings(preceding=True), *root.itersiblings()]:
        sibling.text = _value((*path, ""), sibling.text or "", change)
    _element(root, path, change)
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def _element(element: _Element, path: tuple[str, ...], change: Change) -> None:
    own = (*path, *_names(element))
    if element.text:
        element.text = _value(own, element.text, change)
    for name, value in element.attrib.items() if isinstance(element.tag, str) else ():
        attribute = KEY if name == "key" and _is_json(element) else etree.QName(name).localname
        element.set(name, _value((*own, attribute), str(value), change))
    for child in element:
        _element(child, own, change)
        if child.tail:
            child.tail = _value(own, child.tail, change)


def _names(element: _Element) -> tuple[str, ...]:
    """What an element adds to the path: as JSON in XML its key, if it has one."""
    if not isinstance(element.tag, str):
        return ("",)  # a comment or instruction is an element to lxml, with a function for a tag
    if _is_json(element):
        return (element.get("key", ""),) if "key" in element.attrib else ()
    return (etree.QName(element).localname,)


def _is_json(element: _Element) -> bool:
    return etree.QName(element).namespace == w3c.NAMESPACE


def _json(data: bytes, path: tuple[str, ...], change: Change) -> bytes:
    try:
        document = jsongate.parse(data, unique=False)
    except jsongate.JsonError:
        raise UnreadableError("neither XML nor JSON") from None
    return json.dumps(_node(document, path, change), ensure_ascii=False, separators=(",", ":")).encode()


def _node(node: Any, path: tuple[str, ...], change: Change) -> Any:  # noqa: ANN401 - JSON
    match node:
        case dict():
            return {change((*path, KEY), key): _node(value, (*path, key), change) for key, value in node.items()}
        case list():
            return [_node(value, path, change) for value in node]
        case str():
            return _value(path, node, change)
        case bool() | None:
            return node
    changed = _value(path, str(node), change)
    return node if changed == str(node) else int(changed) if changed.isdecimal() else changed


def _value(path: tuple[str, ...], text: str, change: Change) -> str:
    """What stands in one place: a document, a document in base64, or a value."""
    if not text.strip():
        return text
    inner = _document(text.strip(), path, change)
    if inner is not None:
        return inner.decode()
    if _BASE64.fullmatch(text):
        try:
            decoded = b64decode("".join(text.split()), validate=True)
        except ValueError:
            decoded = b""
        inner = _decoded(decoded, path, change)
        if inner is not None:
            return b64encode(inner).decode()
    if path[-1] in _ENCODED:
        raise UnreadableError("base64 that holds neither XML nor JSON")
    return change(path, text)


def _document(text: str, path: tuple[str, ...], change: Change) -> bytes | None:
    """A document that is a value, rewritten; None where the value is none."""
    try:
        if text[0] == "<":
            root = xmlgate.parse_agency_text(text)
            declared = text.startswith("<?xml")
            written = _xml(root, path, change)
            return written if declared else written.partition(b"?>")[2].lstrip()
        if text[0] in "{[":
            return _json(text.encode(), path, change)
    except (xmlgate.XmlError, UnreadableError):
        pass
    return None


def _decoded(data: bytes, path: tuple[str, ...], change: Change) -> bytes | None:
    """What stood in base64, rewritten; None where it is neither a document nor text, and so was perhaps no base64."""
    try:
        return rewritten(data, None, lambda inner, text: change((*path, *inner), text))
    except UnreadableError:
        pass
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return change(path, text).encode() if text.isprintable() and len(text) > 1 else None
