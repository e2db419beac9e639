"""What a comparison leaves out: XPaths, and what becomes of the nodes that they select. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lxml.etree import _Element

# What an ignored text becomes on both sides.
IGNORED = "(ignored)"


class IgnoreError(Exception):
    """An ignore cannot be used; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """One XPath 1.0 expression that selects elements, attributes, texts, comments or processing instructions.

    `source` tells a reader where it stands.
    """

    expression: str
    xpath: etree.XPath
    source: str = ""

    def select(self, root: _Element) -> list[object]:
        """The nodes that it selects in the message of `root`. Raises `IgnoreError` where it does not give nodes."""
        try:
            found = self.xpath(root)
        except etree.XPathError as error:
            raise IgnoreError(f"{self.expression}: {error}") from None
        if not isinstance(found, list) or any(isinstance(node, tuple) for node in found):
            raise IgnoreError(f"{self.expression}: does not select elements, attributes or texts")
        return found


@dataclass(frozen=True, slots=True)
class Selected:
    """What an ignore selects: an element, comment or instruction whole, or the `part` of it that is a string.

    `part` is "text", "tail" or "@" and the name of an attribute.
    """

    ignore: Ignore
    node: _Element
    part: str | None = None


def compiled(
    expressions: Iterable[str], namespaces: Mapping[str, str] | None = None, source: str = ""
) -> tuple[Ignore, ...]:
    """The expressions, ready for use with these prefixes.

    Raises `IgnoreError` for what can be seen without a message: bad syntax, an unknown prefix or function, no nodes.
    A mistake deep in a predicate shows when a message reaches it (`selected`).
    """
    return tuple(_compiled(expression, namespaces or {}, source) for expression in expressions)


def _compiled(expression: str, namespaces: Mapping[str, str], source: str) -> Ignore:
    try:
        ignore = Ignore(expression, etree.XPath(expression, namespaces=dict(namespaces)), source)
    except (etree.XPathError, ValueError) as error:
        raise IgnoreError(f"{expression}: {error}") from None
    ignore.select(etree.Element("nothing"))
    return ignore


def parse(text: str) -> tuple[Ignore, ...]:
    """The ignores of an `ignore.txt`: an XPath a line; `xmlns:PREFIX=URI` declares a prefix, `#` begins a comment line.

    Raises `IgnoreError`.
    """
    lines = [line.strip() for line in text.splitlines()]
    declared = [line.removeprefix("xmlns:") for line in lines if line.startswith("xmlns:")]
    expressions = [line for line in lines if line and not line.startswith(("#", "xmlns:"))]
    return compiled(expressions, namespaces(declared), "ignore.txt")


def namespaces(declarations: Iterable[str]) -> dict[str, str]:
    """Prefix and URI of each `PREFIX=URI`. Raises `IgnoreError` where one is something else."""
    known = {}
    for declaration in declarations:
        prefix, _, uri = declaration.partition("=")
        if not prefix or not uri:
            raise IgnoreError(f"{declaration}: is not PREFIX=URI")
        known[prefix] = uri
    return known


def selected(ignores: Iterable[Ignore], root: _Element) -> set[Selected]:
    """What the expressions select in the message of `root`.

    Raises `IgnoreError` where one cannot be evaluated or selects the whole message.
    """
    found = set()
    for ignore in ignores:
        for node in ignore.select(root):
            if node is root:
                raise IgnoreError(f"{ignore.expression}: selects the whole message")
            if isinstance(node, etree._Element):  # noqa: SLF001 - the only name of lxml's type
                found.add(Selected(ignore, node))
            elif isinstance(node, etree._ElementUnicodeResult) and (owner := node.getparent()) is not None:  # noqa: SLF001 - as above
                part = f"@{node.attrname}" if node.is_attribute else "tail" if node.is_tail else "text"
                found.add(Selected(ignore, owner, part))
    return found


def drop(found: Iterable[Selected]) -> None:
    """Alter the message: what is selected disappears, but a text is masked.

    A masked text loses its value but is still there, so that an answer without it differs.
    """
    # Strings first: a text can only be found through the node that it stands in or after.
    for each in sorted(found, key=lambda each: each.part is None):
        if each.part is None:
            _drop(each.node)
        elif each.part.startswith("@"):
            each.node.attrib.pop(each.part[1:], None)
        else:
            setattr(each.node, each.part, IGNORED)


def _drop(node: _Element) -> None:
    """Take `node` out and leave the text behind it, which is its parent's."""
    parent, previous = node.getparent(), node.getprevious()
    if node.tail and previous is not None:
        previous.tail = (previous.tail or "") + node.tail
    elif node.tail and parent is not None:
        parent.text = (parent.text or "") + node.tail
    node.tail = None
    # Moved, not removed: a comment outside the root element has no parent to be removed from.
    etree.Element("ignored").append(node)


# What changes in every answer of this gateway: the händelse-id, in the last text of a fault's detail, and in version 1
# when each section was clear and how long it took.
DEFAULT = compiled(
    [
        "/s:Envelope/s:Body/s:Fault/detail/*/*[local-name()='felmeddelande']/text()[contains(., 'händelse-id')]",
        "/s:Envelope/s:Body/*/t:svarsdata/*/t:oversikt/*[self::t:tidpunkt or self::t:millisekunder]/text()",
    ],
    {"s": "http://schemas.xmlsoap.org/soap/envelope/", "t": "urn:ssbtek-gateway:1"},
    "always",
)
