"""Documents inside a message, opened: XML or JSON that stands in base64 or in a text (CDATA). No I/O.

`<svar>eyJhIjogWzFdfQ==</svar>` becomes, so that one walk, one canonical form and one XPath reach everything:

    <svar><payload in="base64"><a type="array"><item type="number">1</item></a></payload></svar>

JSON's strings have no type; its members are sorted, for their order means nothing; a name that no element can have
stands in `<member name="…">`. A number is the value, not how it was written.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from lxml import etree

from ssbtek_gateway import jsongate, xmlgate

if TYPE_CHECKING:
    from collections.abc import Collection

    from lxml.etree import _Element

PAYLOAD = "payload"
# The walk through a message goes as deep as the message, and a payload stands deep in one.
_TOO_DEEP = etree.XPath(f"boolean({'/*' * 65})")
_SPACE = " \t\r\n"


def open_in(root: _Element, closed: Collection[_Element] = ()) -> None:
    """Alter the message of `root`: each text of an element that is a document becomes that document.

    Not those of the elements in `closed`, and not documents within documents.
    """
    for element in list(root.iter(etree.Element)):
        if element.text and not len(element) and element not in closed:
            payload = _opened(element.text)
            if payload is not None:
                element.text = None
                element.append(payload)


def _opened(text: str) -> _Element | None:
    try:
        if text.lstrip(_SPACE).startswith(("<", "{", "[")):
            payload = _payload("text", text.encode(), text)
        else:
            payload = _payload("base64", b64decode("".join(text.split()), validate=True), None)
    # Not base64, not a document, not one that can be shown as XML: then it is a text and compared as one.
    except (ValueError, RecursionError, xmlgate.XmlError, jsongate.JsonError):
        return None
    return None if _TOO_DEEP(payload) else payload


def _payload(form: str, data: bytes, text: str | None) -> _Element:
    payload = etree.Element(PAYLOAD, {"in": form})
    if data.lstrip(_SPACE.encode())[:1] in {b"{", b"["}:
        _fill(payload, jsongate.parse(data, unique=True))
    else:
        document = xmlgate.parse_agency(data, None) if text is None else xmlgate.parse_agency_text(text)
        payload.extend([*reversed(list(document.itersiblings(preceding=True))), document, *document.itersiblings()])
    return payload


def _fill(element: _Element, value: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    if isinstance(value, str):
        element.text = value
    elif isinstance(value, dict):
        element.set("type", "object")
        for name in sorted(value):
            _fill(_member(element, name), value[name])
    elif isinstance(value, list):
        element.set("type", "array")
        for item in value:
            _fill(etree.SubElement(element, "item"), item)
    else:
        element.set("type", "null" if value is None else "boolean" if isinstance(value, bool) else "number")
        element.text = json.dumps(value)


def _member(element: _Element, name: str) -> _Element:
    if name.isidentifier():
        return etree.SubElement(element, name)
    return etree.SubElement(element, "member", name=name)
