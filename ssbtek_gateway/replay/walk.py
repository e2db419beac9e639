"""Where two messages differ: a walk through both at once. No I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeGuard

from lxml import etree
from lxml.etree import _Comment, _Element, _ProcessingInstruction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the answer is not the stored one; None where one of the two has nothing there.

    `location` is XPath-like: local names, with a position where siblings share the name. A text or attribute is told by
    its value, an element by `{namespace}name` and the text in it.
    """

    location: str
    stored: str | None
    answered: str | None


@dataclass(frozen=True, slots=True)
class _Item:
    """What stands in an element: a text, a child element, a comment or a processing instruction.

    Only two of a `kind` can be the same thing with another content. `step` is its part of a location.
    """

    node: str | _Element
    kind: str
    step: str

    @property
    def whole(self) -> str:
        return canonical(self.node) if is_element(self.node) else self.shown

    @property
    def shown(self) -> str:
        if isinstance(self.node, str):
            return self.node
        if is_element(self.node):
            return " ".join([f"{self.kind}:", *"".join(self.node.itertext(etree.Element)).split()])
        return etree.tostring(self.node, encoding="unicode", with_tail=False)


def canonical(message: _Element | etree._ElementTree) -> str:
    """Canonical XML 2.0 with comments and with prefixes rewritten, so that names count by namespace and local name.

    Of a tree with what stands beside its root; of an element without the text behind it.
    """
    # Given a tree, lxml walks it; only a string would be parsed here.
    return str(etree.canonicalize(message, with_comments=True, rewrite_prefixes=True))


def differences(stored: _Element, answered: _Element) -> Iterator[Difference]:
    """Each difference between two messages, given by their roots, in document order."""
    yield from _between("", _beside(stored), _beside(answered))


def _between(path: str, stored: Sequence[_Item], answered: Sequence[_Item]) -> Iterator[Difference]:
    for one, other in _pairs(stored, answered, lambda item: (item.kind, item.whole), lambda item: item.kind):
        if one is not None and other is not None and is_element(one.node) and is_element(other.node):
            yield from _elements(f"{path}/{one.step}", one.node, other.node)
        else:
            step = next(item.step for item in (one, other) if item is not None)
            yield Difference(f"{path}/{step}", one.shown if one else None, other.shown if other else None)


def _elements(path: str, stored: _Element, answered: _Element) -> Iterator[Difference]:
    for name in sorted({*map(str, stored.attrib), *map(str, answered.attrib)}):
        if stored.get(name) != answered.get(name):
            yield Difference(f"{path}/@{etree.QName(name).localname}", stored.get(name), answered.get(name))
    yield from _between(path, _content(stored), _content(answered))


def _pairs(
    stored: Sequence[_Item], answered: Sequence[_Item], *keys: Callable[[_Item], object]
) -> Iterator[tuple[_Item | None, _Item | None]]:
    """What to compare with what: aligned by the first key, the gaps by the next, and what is left with nothing.

    What is equal under the first of two keys is equal, and is left out.
    """
    if not keys:
        yield from ((one, None) for one in stored)
        yield from ((None, other) for other in answered)
        return
    key, *looser = keys
    aligned = SequenceMatcher(None, [key(item) for item in stored], [key(item) for item in answered], autojunk=False)
    for what, start, end, other_start, other_end in aligned.get_opcodes():
        ones, others = stored[start:end], answered[other_start:other_end]
        if what != "equal":
            yield from _pairs(ones, others, *looser)
        elif not looser:
            yield from zip(ones, others, strict=True)


def _beside(root: _Element) -> list[_Item]:
    """The document's content: the root, and what stands before and after it."""
    return _items([*reversed(list(root.itersiblings(preceding=True))), root, *root.itersiblings()])


def _content(element: _Element) -> list[_Item]:
    nodes: list[str | _Element | None] = [element.text]
    for child in element:
        nodes += [child, child.tail]
    return _items(nodes)


def _items(nodes: Iterable[str | _Element | None]) -> list[_Item]:
    present = [node for node in nodes if node is not None and node != ""]
    names = [_name(node) for node in present]
    total, seen = Counter(names), Counter[str]()
    items = []
    for node, name in zip(present, names, strict=True):
        seen[name] += 1
        kind = str(node.tag) if is_element(node) else name
        items.append(_Item(node, kind, f"{name}[{seen[name]}]" if total[name] > 1 else name))
    return items


def is_element(node: str | _Element) -> TypeGuard[_Element]:
    """Whether it is an element proper: comments and instructions are elements to lxml, with a function for a tag."""
    return isinstance(node, _Element) and isinstance(node.tag, str)


def _name(node: str | _Element) -> str:
    if isinstance(node, str):
        return "text()"
    if isinstance(node, _Comment):
        return "comment()"
    if isinstance(node, _ProcessingInstruction):
        return "processing-instruction()"
    return etree.QName(node).localname
