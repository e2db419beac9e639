"""When two messages are the same answer, and how a difference is told."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from ssbtek_gateway import xmlgate
from ssbtek_gateway.replay import compare as comparing
from ssbtek_gateway.replay.compare import Reply, compare, judge
from ssbtek_gateway.replay.expected import Expected, Fault
from ssbtek_gateway.replay.fixtures import Fixture
from ssbtek_gateway.replay.ignores import DEFAULT, compiled
from ssbtek_gateway.replay.walk import Difference, canonical

if TYPE_CHECKING:
    from lxml.etree import _Element

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
XSD = "http://www.w3.org/2001/XMLSchema"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ANSWER = f'<s:Envelope xmlns:s="{SOAP}"><s:Body><a/></s:Body></s:Envelope>'.encode()
FAULT = (
    '<s:Envelope xmlns:s="{soap}"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring>'
    '<detail><f:F xmlns:f="urn:f"><f:felkod>EJ_BEHORIG</f:felkod>'
    "<f:felmeddelande>Ange händelse-id {incident} vid kontakt med supporten.</f:felmeddelande>"
    "</f:F></detail></s:Fault></s:Body></s:Envelope>"
)


def root(text: str) -> _Element:
    return xmlgate.parse_own(text.encode())


def told(stored: str, answered: str, *ignores: str) -> list[tuple[str, str | None, str | None]]:
    found = compare(root(stored), root(answered), compiled(ignores))
    return [(difference.location, difference.stored, difference.answered) for difference in found]


def fault(incident: str = "0123456789abcdef") -> bytes:
    return FAULT.format(soap=SOAP, incident=incident).encode()


@pytest.mark.parametrize(
    ("stored", "answered"),
    [
        ('<p:a xmlns:p="urn:a"><p:b/></p:a>', '<a xmlns="urn:a"><b></b></a>'),
        ('<a xmlns:p="urn:p" p:x="1"/>', '<a xmlns:q="urn:p" q:x="1"/>'),
        ('<a><b xmlns="urn:b"><c xmlns=""/></b></a>', '<a><p:b xmlns:p="urn:b"><c/></p:b></a>'),
        ('<a x="1" y="2"/>', "<a y='2'  x='1'/>"),
        ("<a>\n  <b>1</b>\n  <c/>\n</a>", "<a><b>1</b><c/></a>"),
        ("<a><!-- c -->\n<b/></a>", "<a>\n<!-- c --><b/></a>"),
        ("<a>&#229;<![CDATA[<]]></a>", "<a>å&lt;</a>"),
        ("<a/>", '<?xml version="1.0" encoding="UTF-8"?>\n<a/>\n'),
        ('<a xmlns:unused="urn:u"/>', "<a/>"),
        (
            f'<a {XSI} xmlns:p="{XSD}" xsi:type="p:string"/>',
            f'<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="" xmlns:q="{XSD}" i:type="q:string"/>',
        ),
        (
            f'<s:Fault xmlns:s="{SOAP}"><faultcode>s:Client</faultcode></s:Fault>',
            f'<E:Fault xmlns:E="{SOAP}"><faultcode>E:Client</faultcode></E:Fault>',
        ),
    ],
    ids=[
        "prefix",
        "prefix of an attribute",
        "default namespace undone",
        "order of attributes",
        "white space between elements",
        "white space round a comment between elements",
        "character reference and CDATA",
        "declaration",
        "unused namespace",
        "prefix in xsi:type",
        "prefix in faultcode",
    ],
)
def test_what_does_not_matter(stored: str, answered: str) -> None:
    assert told(stored, answered) == []
    assert told(answered, stored) == []


@pytest.mark.parametrize(
    ("stored", "answered", "expected"),
    [
        ("<a><b>1</b></a>", "<a><b>2</b></a>", [("/a/b/text()", "1", "2")]),
        ("<a><b>1</b></a>", "<a><b> 1</b></a>", [("/a/b/text()", "1", " 1")]),
        ("<a><b> </b></a>", "<a><b/></a>", [("/a/b/text()", " ", None)]),
        ("<a>\u00a0<c/></a>", "<a><c/></a>", [("/a/text()", "\u00a0", None)]),
        ("<a><b/><b>1</b></a>", "<a><b/><b>2</b></a>", [("/a/b[2]/text()", "1", "2")]),
        ('<a x="1"/>', '<a x="2"/>', [("/a/@x", "1", "2")]),
        ('<a x="1"/>', "<a/>", [("/a/@x", "1", None)]),
        ('<a x="1"/>', '<a xmlns:p="urn:p" p:x="1"/>', [("/a/@x", "1", None), ("/a/@x", None, "1")]),
        ("<a><b/><c/></a>", "<a><c/></a>", [("/a/b", "b:", None)]),
        ("<a><c/></a>", "<a><c/><b/></a>", [("/a/b", None, "b:")]),
        ("<a><b>1</b><b>2</b><b>3</b></a>", "<a><b>2</b><b>3</b></a>", [("/a/b[1]", "b: 1", None)]),
        ("<a><b>1</b><b>2</b></a>", "<a><b>1</b><b>9</b><b>2</b></a>", [("/a/b[2]", None, "b: 9")]),
        ("<a>x<b/>y</a>", "<a>x<b/>z</a>", [("/a/text()[2]", "y", "z")]),
        (
            "<a>x<!--c-->y</a>",
            "<a>xy</a>",
            [("/a/text()[1]", "x", "xy"), ("/a/comment()", "<!--c-->", None), ("/a/text()[2]", "y", None)],
        ),
        ("<a><!--c--></a>", "<a/>", [("/a/comment()", "<!--c-->", None)]),
        ("<a><!--c--></a>", "<a><!--d--></a>", [("/a/comment()", "<!--c-->", "<!--d-->")]),
        ("<a><?p c?></a>", "<a><?p d?></a>", [("/a/processing-instruction()", "<?p c?>", "<?p d?>")]),
        ("<!--c--><a/>", "<a/>", [("/comment()", "<!--c-->", None)]),
        ("<a/><!--c-->", "<a/>", [("/comment()", "<!--c-->", None)]),
        (f'<a {XSI} xsi:nil="true"/>', "<a/>", [("/a/@nil", "true", None)]),
    ],
)
def test_what_matters_is_told_with_its_place(
    stored: str, answered: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert told(stored, answered) == expected


def test_a_renamed_namespace_is_another_element() -> None:
    assert told('<a><b xmlns="urn:1">x <!--c--><c>y</c></b></a>', '<a><b xmlns="urn:2"/></a>') == [
        ("/a/b", "{urn:1}b: x y", None),
        ("/a/b", None, "{urn:2}b:"),
    ]


def test_a_prefix_that_only_a_value_uses_must_mean_the_same() -> None:
    stored = f'<a {XSI} xmlns:p="{XSD}" xsi:type="p:string"/>'
    assert told(stored, stored.replace(f'"{XSD}"', '"urn:other"')) == [
        ("/a/@type", f"{{{XSD}}}string", "{urn:other}string")
    ]
    assert told(stored, stored.replace(f' xmlns:p="{XSD}"', "")) == [("/a/@type", f"{{{XSD}}}string", "p:string")]


def test_a_deep_message_is_walked() -> None:
    stored, answered = (f"{'<a>' * 250}{value}{'</a>' * 250}" for value in "12")
    assert told(stored, answered) == [(f"{'/a' * 250}/text()", "1", "2")]


def test_what_the_walk_misses_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "differences", lambda _one, _other: iter(()))
    assert [place for place, _, _ in told("<a>1</a>", "<a>2</a>")] == ["/"]


def test_the_messages_are_left_as_they_are() -> None:
    stored = root("<!--c--><a>\n <b>1</b>tail</a>")
    before = canonical(stored.getroottree())
    compare(stored, root("<c/>"), compiled(["//b", "//text()"]))
    assert canonical(stored.getroottree()) == before


names = st.sampled_from(["a", "b", "{urn:x}a"])
texts = st.sampled_from(["", "1", "2", " 1"])


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> _Element:
    element = etree.Element(draw(names))
    for name, value in draw(st.dictionaries(names, texts, max_size=2)).items():
        element.set(name, value)
    element.text = draw(texts)
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        child = etree.Comment("c") if draw(st.integers(0, 4)) == 0 else draw(trees(depth=depth - 1))
        child.tail = draw(texts)
        element.append(child)
    return element


@given(trees(), trees())
def test_the_walk_and_the_canonical_form_agree(stored: _Element, answered: _Element) -> None:
    found = compare(stored, answered, ())
    assert (found == ()) == (canonical(stored.getroottree()) == canonical(answered.getroottree()))
    assert all(difference.location != "/" for difference in found)
    assert compare(stored, deepcopy(stored), ()) == ()


def judged(stored: bytes, status: int, body: bytes, charset: str | None = None) -> comparing.Result:
    return judge(Fixture("one", b"", xmlgate.parse_own(stored)), Reply(status, body, charset), DEFAULT)


def test_a_stored_answer_comes_with_200_and_a_stored_fault_with_500() -> None:
    assert judged(ANSWER, 200, ANSWER).equal
    assert judged(fault(), 500, fault()).equal
    assert judged(ANSWER, 500, ANSWER).differences == (Difference("HTTP status", "200", "500"),)
    assert judged(fault(), 200, fault()).differences == (Difference("HTTP status", "500", "200"),)


def test_a_faults_incident_is_ignored_but_must_be_there() -> None:
    assert judged(fault("0" * 16), 500, fault("f" * 16)).equal
    (difference,) = judged(fault(), 500, fault().replace("händelse-id".encode(), b"nummer")).differences
    assert difference.stored == "(ignored)"
    assert judged(fault(), 500, fault().replace(b"EJ_BEHORIG", b"OGILTIG_FRAGA")).differences


@pytest.mark.parametrize(
    ("body", "reason"), [(b"", "well-formed"), (b"Bad Gateway", "well-formed"), (b"<!DOCTYPE a><a/>", "DOCTYPE")]
)
def test_an_answer_that_is_not_xml_is_an_error_beside_its_status(body: bytes, reason: str) -> None:
    result = judged(ANSWER, 502, body)
    assert not result.equal
    assert result.error is not None
    assert reason in result.error
    assert result.differences == (Difference("HTTP status", "200", "502"),)


def test_the_answer_is_read_in_the_charset_of_its_header() -> None:
    stored = b"<a>\xc3\xa5</a>"
    assert judged(stored, 200, "<a>å</a>".encode("iso-8859-1"), "iso-8859-1").equal
    assert judged(stored, 200, "<a>å</a>".encode("iso-8859-1"), "utf-8").error is not None


def test_a_fixtures_own_ignores_count() -> None:
    fixture = Fixture("one", b"", root("<a>1</a>"), compiled(["/a/text()"]))
    assert judge(fixture, Reply(200, b"<a>2</a>"), ()).equal


def expecting(said: Expected, status: int, body: bytes, response: bytes | None = None) -> tuple[Difference, ...]:
    stored = None if response is None else xmlgate.parse_own(response)
    return judge(Fixture("one", b"", stored, (), said), Reply(status, body), DEFAULT).differences


def test_an_expected_fault_needs_no_stored_answer() -> None:
    said = Expected(fault=Fault(code="Client", felkod="EJ_BEHORIG"))
    assert expecting(said, 500, fault()) == ()
    assert expecting(Expected(fault=Fault()), 500, fault()) == ()
    assert expecting(said, 200, ANSWER) == (
        Difference("HTTP status", "500", "200"),
        Difference("/Envelope/Body/Fault", "a SOAP fault", None),
    )
    other = fault().replace(b"s:Client", b"s:Server").replace(b"EJ_BEHORIG", b"OGILTIG_FRAGA")
    assert expecting(said, 500, other) == (
        Difference("/Envelope/Body/Fault/faultcode/text()", "Client", "Server"),
        Difference("/Envelope/Body/Fault/detail/*/felkod/text()", "EJ_BEHORIG", "OGILTIG_FRAGA"),
    )
    assert expecting(said, 500, fault(), response=ANSWER)


def test_an_expected_status_comes_before_what_the_stored_answer_says() -> None:
    assert expecting(Expected(status=400), 400, fault(), response=fault()) == ()
    assert expecting(Expected(status=400), 500, fault(), response=fault()) == (Difference("HTTP status", "400", "500"),)


def test_an_answer_to_a_new_question_is_new() -> None:
    assert expecting(Expected(), 200, ANSWER) == (Difference("stored answer", None, "an answer"),)
