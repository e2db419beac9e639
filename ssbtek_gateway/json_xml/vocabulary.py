"""A JSON Schema of ours as a vocabulary of XML: one to one, and what does not fit is kept beside it.

A property is an element of its name, in the schema's order; an array is a repeated element. Two things need more:

- an array that is there and empty is named in the attribute `tomma`, for "nothing" is not "not said";
- what the schema cannot express (a field or code that is new, a day that no calendar has, a character that XML lacks)
  stands in a last child `okant` of the nearest object, as the W3C writes JSON in XML (w3c.py).
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.sax.saxutils import escape

from lxml import etree

from ssbtek_gateway import resources
from ssbtek_gateway.json_xml import numbers, w3c

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

Definition: TypeAlias = "Mapping[str, Any]"

KNOWN_CODES = "x-kanda-koder"
TOMMA, OKANT = "tomma", "okant"
LONG = range(-(2**63), 2**63)
# xs:date and xs:dateTime in the form that RFC 3339 shares with them.
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
DATE_TIME = rf"{DATE}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]+)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])?"
_FORMATS = {
    "date": (re.compile(DATE), date.fromisoformat),
    "date-time": (re.compile(DATE_TIME), datetime.fromisoformat),
}
# Published patterns whose anchors bind less than they mean to.
_MEANT = {
    "^[0-9]{12}(/[0-9]{12})?|MYNDIGHETSUTBETALNING$": "[0-9]{12}(/[0-9]{12})?|MYNDIGHETSUTBETALNING",
    r"^(:?(\d{4})(-(:?0[1-9]|1[0-2])(-(:?0[1-9]|[12]\d|3[01]))?)?)|Datum saknas$": (
        "[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?|Datum saknas"
    ),
}


class _NotExpressibleError(Exception):
    """The schema has no place for a value."""


class Vocabulary:
    """The definitions of a JSON Schema (relative to xsd/) as types in `namespace`."""

    def __init__(self, schema: str, namespace: str, prefix: str) -> None:
        self._schema = schema
        self.namespace = namespace
        self.prefix = prefix

    @cached_property
    def definitions(self) -> Mapping[str, Definition]:
        """By name, in the schema's order."""
        found: dict[str, Definition] = json.loads(resources.xsd(self._schema).read_bytes())["$defs"]
        return found

    def resolved(self, definition: Definition) -> Definition:
        """What a reference leads to; of `allOf` the first, which the others only narrow."""
        while True:
            if "$ref" in definition:
                definition = self.definitions[definition["$ref"].rpartition("/")[2]]
            elif "allOf" in definition:
                definition = definition["allOf"][0]
            else:
                return definition

    def written(self, value: Any, name: str, tag: str) -> bytes:  # noqa: ANN401 - JSON
        """`value` as an element `tag` of the type `name`, in UTF-8. The caller declares `tag`'s prefix.

        A float is written with the digits of its shortest form; `Decimal` keeps those that were sent.
        """
        opening = f'{tag} xmlns:{self.prefix}="{self.namespace}"'
        try:
            element = self._object(value, self.definitions[name], opening, tag)
        except _NotExpressibleError:
            element = f"<{opening}>{self._unknown(value)}</{tag}>"
        return element.encode()

    def read(self, element: _Element, name: str) -> Any:  # noqa: ANN401 - JSON
        """The JSON value of a valid element of the type `name`; numbers other than integers as `Decimal`."""
        return self._read(element, self.definitions[name])

    def _object(self, value: Any, definition: Definition, opening: str, tag: str) -> str:  # noqa: ANN401
        if not isinstance(value, dict):
            raise _NotExpressibleError
        properties, required = definition["properties"], definition.get("required", ())
        parts, empty = [], []
        unknown = {name: child for name, child in value.items() if name not in properties}
        for name, child in properties.items():
            if name not in value:
                if name in required:
                    raise _NotExpressibleError
            elif value[name] == []:
                empty.append(name)
            else:
                try:
                    parts.append("".join(self._member(value[name], child, f"{self.prefix}:{name}")))
                except _NotExpressibleError:
                    if name in required:
                        raise
                    unknown[name] = value[name]
        parts.append(self._unknown(unknown) if unknown else "")
        attribute = f' {TOMMA}="{" ".join(empty)}"' if empty else ""
        return f"<{opening}{attribute}>{''.join(parts)}</{tag}>"

    def _member(self, value: Any, definition: Definition, tag: str) -> Iterator[str]:  # noqa: ANN401
        definition = self.resolved(definition)
        if "items" not in definition:
            yield self._element(value, definition, tag)
            return
        if not isinstance(value, list) or len(value) > definition.get("maxItems", len(value)):
            raise _NotExpressibleError
        item = self.resolved(definition["items"])
        for one in value:
            yield self._element(one, item, tag)

    def _element(self, value: Any, definition: Definition, tag: str) -> str:  # noqa: ANN401
        if "properties" in definition:
            return self._object(value, definition, tag, tag)
        return f"<{tag}>{escape(_lexical(value, definition), {chr(13): '&#13;'})}</{tag}>"

    def _unknown(self, value: Any) -> str:  # noqa: ANN401
        return f"<{self.prefix}:{OKANT}>{w3c.written(value)}</{self.prefix}:{OKANT}>"

    def _read(self, element: _Element, definition: Definition) -> Any:  # noqa: ANN401
        if "properties" not in definition:
            return _value("".join(map(str, element.itertext())), definition)
        found: dict[str, Any] = {name: [] for name in element.get(TOMMA, "").split()}
        for child in element.iterchildren(etree.Element):
            name = etree.QName(child).localname
            if name == OKANT:
                (unknown,) = (w3c.read(kept) for kept in child.iterchildren(etree.Element))
                if not isinstance(unknown, dict):
                    return unknown
                found |= unknown
                continue
            inner = self.resolved(definition["properties"][name])
            if "items" in inner:
                found.setdefault(name, []).append(self._read(child, self.resolved(inner["items"])))
            else:
                found[name] = self._read(child, inner)
        return found


def pattern(definition: Definition) -> str | None:
    """What a text must match as a whole, where the schema says so."""
    if "pattern" not in definition:
        return None
    published: str = definition["pattern"]
    return _MEANT.get(published, published.removeprefix("^").removesuffix("$"))


def _lexical(value: Any, definition: Definition) -> str:  # noqa: ANN401
    """A scalar as its type in XML writes it. Raises `_NotExpressibleError`."""
    if value not in definition.get(KNOWN_CODES, (value,)):
        raise _NotExpressibleError
    match definition["type"], value:
        case "boolean" | [*_], bool():
            return json.dumps(value)
        case "string" | [*_], str() if _fits(value, definition):
            return value
        case "integer" | "number" | [*_] as kind, int() | float() | Decimal() if not isinstance(value, bool):
            text = numbers.decimal(value)
            if text is not None and kind != "integer":
                return text
            if text is not None and Decimal(text) % 1 == 0 and int(Decimal(text)) in LONG:
                return str(int(Decimal(text)))
    raise _NotExpressibleError


def _fits(text: str, definition: Definition) -> bool:
    if w3c.NOT_IN_XML.search(text):
        return False
    meant = pattern(definition)
    if meant is not None:
        return re.fullmatch(meant, text) is not None
    if "format" in definition:
        form, calendar = _FORMATS[definition["format"]]
        try:
            return form.fullmatch(text) is not None and bool(calendar(text))
        except ValueError:
            return False
    return True


def _value(text: str, definition: Definition) -> Any:  # noqa: ANN401
    match definition["type"]:
        case "boolean":
            return text.strip() in {"true", "1"}
        case "integer":
            return int(text)
        case "number":
            return Decimal(text.strip())
        case _:
            return text
