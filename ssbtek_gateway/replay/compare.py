"""Is an answer the stored one? Compared as canonical XML: payloads opened, what is ignored taken out. No I/O."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway import xmlgate
from ssbtek_gateway.replay import ignores as ignoring
from ssbtek_gateway.replay import payload
from ssbtek_gateway.replay.walk import Difference, canonical, differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element

    from ssbtek_gateway.replay.expected import Fault as ExpectedFault
    from ssbtek_gateway.replay.fixtures import Fixture
    from ssbtek_gateway.replay.ignores import Ignore

_FAULT = "{http://schemas.xmlsoap.org/soap/envelope/}Body/{http://schemas.xmlsoap.org/soap/envelope/}Fault"
_FAULT_PLACE = "/Envelope/Body/Fault"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_OK, _SERVER_ERROR = 200, 500


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: HTTP status, body, and the charset of Content-Type if it says one."""

    status: int
    body: bytes = field(repr=False)
    charset: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """An ignore that selected something, where it stands, and in how many places it did so in either message."""

    expression: str
    source: str
    stored: int
    answered: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one fixture: its differences, and in `error` why there was nothing to compare.

    `ignored` is what the comparison left out. `sides` are the stored answer and the one that came, as they were
    compared; `reply` is what came. Each is None where there is none.
    """

    name: str
    differences: tuple[Difference, ...] = ()
    error: str | None = None
    ignored: tuple[Ignored, ...] = ()
    sides: tuple[_Element | None, _Element | None] = field(default=(None, None), repr=False)
    reply: Reply | None = field(default=None, repr=False)
    seconds: float = 0

    @property
    def equal(self) -> bool:
        return not self.differences and self.error is None


def judge(fixture: Fixture, reply: Reply, ignores: Sequence[Ignore]) -> Result:
    """The reply against what the fixture expects, with these ignores and the fixture's own.

    Unless NAME.toml says otherwise the status must be 500 where the stored response is a SOAP fault or a fault is
    expected, and 200 otherwise (SOAP 1.1 section 6.2). Raises `IgnoreError`.
    """
    found = list(_unlike("HTTP status", str(_status(fixture)), str(reply.status)))
    try:
        answered = xmlgate.parse_agency(reply.body, reply.charset)
    except xmlgate.XmlError as error:
        return Result(fixture.name, tuple(found), f"the answer cannot be compared: {error.reason}", reply=reply)
    if fixture.expected.fault is not None:
        found += _unlike_fault(fixture.expected.fault, answered.find(_FAULT))
    used = (*ignores, *fixture.ignores)
    one, other = None, _prepared(answered, used)
    if fixture.response is not None:
        one = _prepared(fixture.response, used)
        found += _between(one, other)
    elif fixture.expected.fault is None:
        found.append(Difference("stored answer", None, "an answer"))
    return Result(
        fixture.name,
        tuple(found),
        None,
        tuple(_ignored(used, one, other)),
        (one.root if one else None, other.root),
        reply,
    )


def _status(fixture: Fixture) -> int:
    said = fixture.expected
    stored_fault = fixture.response is not None and fixture.response.find(_FAULT) is not None
    return said.status or (_SERVER_ERROR if said.fault or stored_fault else _OK)


def _unlike_fault(expected: ExpectedFault, fault: _Element | None) -> Iterator[Difference]:
    if fault is None:
        yield Difference(_FAULT_PLACE, "a SOAP fault", None)
        return
    code = (fault.findtext("faultcode") or "").rpartition(":")[2].strip()
    felkod = fault.findtext("detail/*/{*}felkod")
    if expected.code is not None:
        yield from _unlike(f"{_FAULT_PLACE}/faultcode/text()", expected.code, code)
    if expected.felkod is not None:
        yield from _unlike(f"{_FAULT_PLACE}/detail/*/felkod/text()", expected.felkod, felkod)


def _unlike(location: str, expected: str, answered: str | None) -> Iterator[Difference]:
    if expected != answered:
        yield Difference(location, expected, answered)


def compare(stored: _Element, answered: _Element, ignores: Sequence[Ignore]) -> tuple[Difference, ...]:
    """The differences between two messages, given by their roots and left as they are; empty where they are equal.

    Equal: the same canonical XML, whatever the prefixes and the white space between elements, in payloads too. Raises
    `IgnoreError`.
    """
    return _between(_prepared(stored, ignores), _prepared(answered, ignores))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A message without what must not matter, and how often each ignore selected something in it."""

    root: _Element
    ignored: Counter[Ignore]


def _between(stored: _Prepared, answered: _Prepared) -> tuple[Difference, ...]:
    whole, other_whole = canonical(stored.root.getroottree()), canonical(answered.root.getroottree())
    if whole == other_whole:
        return ()
    # The walk explains, the canonical form decides: what the walk should miss is still a difference.
    return tuple(differences(stored.root, answered.root)) or (Difference("/", whole, other_whole),)


def _ignored(ignores: Sequence[Ignore], stored: _Prepared | None, answered: _Prepared) -> Iterator[Ignored]:
    for ignore in dict.fromkeys(ignores):
        counts = stored.ignored[ignore] if stored else 0, answered.ignored[ignore]
        if any(counts):
            yield Ignored(ignore.expression, ignore.source, *counts)


def _prepared(root: _Element, ignores: Sequence[Ignore]) -> _Prepared:
    copy = deepcopy(root.getroottree()).getroot()
    # In this order, so that an ignored text is never the white space of one writer's indentation.
    _strip(copy)
    # An XPath sees the message as it came, and again with its payloads open.
    found = ignoring.selected(ignores, copy)
    payload.open_in(copy, {each.node for each in found if each.part == "text"})
    _strip(copy)
    found |= ignoring.selected(ignores, copy)
    ignoring.drop(found)
    for element in copy.iter(etree.Element):
        _resolve_names(element)
    return _Prepared(copy, Counter(each.ignore for each in found))


def _strip(root: _Element) -> None:
    """White space alone between elements is layout; in an element without child elements it is the value."""
    for element in root.iter(etree.Element):
        if next(element.iterchildren(etree.Element), None) is None:
            continue
        if _is_space(element.text):
            element.text = None
        for child in element:
            if _is_space(child.tail):
                child.tail = None


def _is_space(text: str | None) -> bool:
    # XML's white space, which is less than Python's.
    return text is not None and not text.strip(" \t\r\n")


def _resolve_names(element: _Element) -> None:
    """Write the two values that are names, xsi:type and a fault's code, with a namespace instead of a prefix."""
    if _TYPE in element.attrib:
        element.set(_TYPE, _resolved(element.get(_TYPE, ""), element))
    if element.tag == "faultcode" and element.text:
        element.text = _resolved(element.text, element)


def _resolved(value: str, element: _Element) -> str:
    prefix, colon, local = value.strip().rpartition(":")
    uri = element.nsmap.get(prefix if colon else None)
    return f"{{{uri}}}{local}" if uri else value
