"""Any JSON as XML, as the W3C has it for `fn:json-to-xml` (XPath and XQuery Functions 3.1, section 17.5).

Numbers keep their digits. A text with a character that XML cannot hold is written with JSON's escapes, marked
`escaped`.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from lxml import etree

if TYPE_CHECKING:
    from lxml.etree import _Element

NAMESPACE = "http://www.w3.org/2005/xpath-functions"
# XML 1.0 section 2.2, `Char`.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_REFERENCES = {"\r": "&#13;"}
_IN_ATTRIBUTE = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;", '"': "&quot;"}


def written(value: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    """The element for `value` with the namespace declared; names in the order given."""
    return _written(value, f' xmlns="{NAMESPACE}"')


def read(element: _Element) -> Any:  # noqa: ANN401
    """The value that a valid element stands for; numbers other than integers as `Decimal`."""
    text = "".join(map(str, element.itertext()))
    match etree.QName(element).localname:
        case "map":
            return {_key(child): read(child) for child in element.iterchildren(etree.Element)}
        case "array":
            return [read(child) for child in element.iterchildren(etree.Element)]
        case "string":
            return _unescaped(text) if _is_true(element.get("escaped")) else text
        case "boolean":
            return _is_true(text.strip())
        case "number":
            return json.loads(text, parse_float=Decimal)
        case _:
            return None


def _written(value: Any, attributes: str) -> str:  # noqa: ANN401
    match value:
        case dict():
            children = "".join(_written(child, _attribute("key", "escaped-key", name)) for name, child in value.items())
            return f"<map{attributes}>{children}</map>"
        case list():
            return f"<array{attributes}>{''.join(_written(child, '') for child in value)}</array>"
        case str():
            text, mark = (_escaped(value), ' escaped="true"') if NOT_IN_XML.search(value) else (value, "")
            return f"<string{attributes}{mark}>{escape(text, _REFERENCES)}</string>"
        case bool():
            return f"<boolean{attributes}>{json.dumps(value)}</boolean>"
        case None:
            return f"<null{attributes}/>"
        case _:
            return f"<number{attributes}>{value}</number>"


def _attribute(name: str, mark: str, text: str) -> str:
    if NOT_IN_XML.search(text):
        return f' {name}="{escape(_escaped(text), _IN_ATTRIBUTE)}" {mark}="true"'
    return f' {name}="{escape(text, _IN_ATTRIBUTE)}"'


def _key(element: _Element) -> str:
    key = element.get("key", "")
    return _unescaped(key) if _is_true(element.get("escaped-key")) else key


def _escaped(text: str) -> str:
    return NOT_IN_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\\", "\\\\"))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: json.loads(f'"{found[0]}"'), text)


def _is_true(text: str | None) -> bool:
    return text in {"true", "1"}
