"""What an ignore takes out, what it leaves, and what cannot be one."""

from __future__ import annotations

import pytest

from ssbtek_gateway import xmlgate
from ssbtek_gateway.replay.compare import compare
from ssbtek_gateway.replay.ignores import IgnoreError, compiled, drop, namespaces, parse, selected
from ssbtek_gateway.replay.walk import canonical


def left(text: str, *expressions: str, **prefixes: str) -> str:
    root = xmlgate.parse_own(text.encode())
    drop(selected(compiled(expressions, prefixes), root))
    return canonical(root.getroottree()).replace("n0:", "").replace(' xmlns:n0=""', "")


@pytest.mark.parametrize(
    ("text", "expressions", "expected"),
    [
        ("<a><b>1</b>2</a>", ["//b"], "<a>2</a>"),
        ("<a>0<b>1</b>2</a>", ["//b"], "<a>02</a>"),
        ("<a><c></c>0<b>1</b>2</a>", ["//b"], "<a><c></c>02</a>"),
        ("<a><b></b><b></b></a>", ["/a/b[1]", "/a/b[2]"], "<a></a>"),
        ("<a><b><c></c></b></a>", ["//b", "//c", "//c"], "<a></a>"),
        ('<a x="1" y="2"></a>', ["/a/@x"], '<a y="2"></a>'),
        ("<a><b>1</b></a>", ["//b/text()"], "<a><b>(ignored)</b></a>"),
        ("<a>1<b></b>2</a>", ["/a/text()[2]"], "<a>1<b></b>(ignored)</a>"),
        ("<a>1<!--c-->2</a>", ["//comment()"], "<a>12</a>"),
        ("<a>1<!--c-->2</a>", ["//comment()", "/a/text()[2]"], "<a>1(ignored)</a>"),
        ("<!--c--><a></a><!--d-->", ["//comment()"], "<a></a>"),
        ("<a><?p c?></a>", ["//processing-instruction()"], "<a></a>"),
        ("<a></a>", ["//nowhere", "//@*", "//text()"], "<a></a>"),
    ],
)
def test_what_an_ignore_leaves(text: str, expressions: list[str], expected: str) -> None:
    assert left(text, *expressions) == expected


def test_an_attribute_with_a_namespace() -> None:
    assert left('<a xmlns:p="urn:p" p:x="1" x="2"></a>', "//@q:x", q="urn:p") == '<a x="2"></a>'


def test_an_ignored_element_or_attribute_may_be_on_one_side_only_and_a_text_may_not() -> None:
    whole, without, empty = (xmlgate.parse_own(text) for text in (b'<a x="1"><b>1</b></a>', b"<a/>", b"<a><b/></a>"))
    assert compare(whole, without, compiled(["//b", "//@x"])) == ()
    assert [found.location for found in compare(whole, empty, compiled(["//b/text()", "//@x"]))] == ["/a/b/text()"]


def test_indentation_is_no_text_to_ignore() -> None:
    indented, plain = (xmlgate.parse_own(text) for text in (b"<a>\n <b>1</b>\n</a>", b"<a><b>2</b></a>"))
    assert compare(indented, plain, compiled(["//text()"])) == ()
    assert compare(indented, xmlgate.parse_own(b"<a></a>"), compiled(["//b"])) == ()


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("//a[", "Invalid expression"),
        ("", "Invalid expression"),
        ("//p:a", "prefix"),
        ("$x", "variable"),
        ("magic()", "function"),
        ("count(//a)", "does not select"),
        ("string(//a)", "does not select"),
        ("true()", "does not select"),
        ("namespace::*", "does not select"),
        ("\x00", "NULL"),
    ],
)
def test_what_cannot_be_an_ignore(expression: str, says: str) -> None:
    with pytest.raises(IgnoreError, match=says) as raised:
        compiled([expression])
    assert str(raised.value).startswith(expression)


@pytest.mark.parametrize("expression", ["//b[p:c]", "/a", "//a | //b"])
def test_a_mistake_that_shows_in_a_message_only(expression: str) -> None:
    ignores = compiled([expression])
    with pytest.raises(IgnoreError, match=r"prefix|whole message"):
        selected(ignores, xmlgate.parse_own(b"<a><b/></a>"))


def test_an_ignore_file() -> None:
    text = "# why\n\nxmlns:p=urn:p\n  //p:a  \n//b\n"
    assert [ignore.expression for ignore in parse(text)] == ["//p:a", "//b"]
    assert parse("") == ()


@pytest.mark.parametrize("text", ["xmlns:p\n//a", "//p:a", "//a["])
def test_an_ignore_file_with_a_mistake(text: str) -> None:
    with pytest.raises(IgnoreError):
        parse(text)


def test_prefixes() -> None:
    assert namespaces(["a=urn:a", "b=http://x/?y=z"]) == {"a": "urn:a", "b": "http://x/?y=z"}


@pytest.mark.parametrize("declaration", ["a", "=urn:a", "a=", ""])
def test_what_cannot_be_a_prefix(declaration: str) -> None:
    with pytest.raises(IgnoreError, match="PREFIX=URI"):
        namespaces([declaration])
