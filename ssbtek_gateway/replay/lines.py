"""Two messages as lines of text, for a reader who compares them: an element a line, with the same prefixes in both."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.replay.walk import is_element

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

_INDENT = "  "


def prefixes(*roots: _Element) -> dict[str, str]:
    """A prefix for each namespace that a name in the messages has: one that is declared for it, if it is not taken."""
    found: dict[str, str] = {}
    for root in roots:
        for element in root.iter(etree.Element):
            for name in map(str, (element.tag, *element.attrib)):
                namespace = etree.QName(name).namespace
                if namespace and namespace not in found:
                    declared = (prefix for prefix, uri in element.nsmap.items() if prefix and uri == namespace)
                    made = (f"n{number}" for number in count(1))
                    free = (prefix for names in (declared, made) for prefix in names if prefix not in found.values())
                    found[namespace] = next(free)
    return found


def lines(root: _Element, known: Mapping[str, str]) -> list[str]:
    """Indented, attributes sorted, texts as they are and not escaped; names with the `known` prefixes."""
    return list(_lines(root, known, ""))


def _lines(node: _Element, known: Mapping[str, str], indent: str) -> Iterator[str]:
    if not is_element(node):
        yield from _text(etree.tostring(node, encoding="unicode", with_tail=False), indent)
        return
    name, inside = _name(str(node.tag), known), indent + _INDENT
    attributes = sorted((_name(str(key), known), value) for key, value in node.attrib.items())
    start = " ".join([name, *(f'{key}="{value}"' for key, value in attributes)])
    if not len(node) and "\n" not in (node.text or ""):
        yield f"{indent}<{start}>{node.text}</{name}>" if node.text else f"{indent}<{start}/>"
        return
    yield f"{indent}<{start}>"
    yield from _text(node.text, inside)
    for child in node:
        yield from _lines(child, known, inside)
        yield from _text(child.tail, inside)
    yield f"{indent}</{name}>"


def _name(tag: str, known: Mapping[str, str]) -> str:
    name = etree.QName(tag)
    return f"{known[name.namespace]}:{name.localname}" if name.namespace else name.localname


def _text(text: str | None, indent: str) -> Iterator[str]:
    for line in text.split("\n") if text else ():
        yield f"{indent}{line}"
