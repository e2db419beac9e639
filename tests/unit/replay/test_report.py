"""What a reader is shown of results: lines, the HTML page and JUnit XML, whatever stands in the messages."""

from __future__ import annotations

import pytest
from lxml import html

from ssbtek_gateway import xmlgate
from ssbtek_gateway.replay import junit, report
from ssbtek_gateway.replay.compare import Reply, Result, judge
from ssbtek_gateway.replay.expected import Expected, Fault
from ssbtek_gateway.replay.fixtures import Fixture
from ssbtek_gateway.replay.ignores import compiled
from ssbtek_gateway.replay.lines import lines, prefixes

MARKUP = "<script>alert('1')</script>"


def judged(name: str, stored: str, answered: str, *ignores: str) -> Result:
    fixture = Fixture(name, b"", xmlgate.parse_own(stored.encode()), compiled(ignores, None, "NAME.toml"))
    return judge(fixture, Reply(200, answered.encode()), ())


def page(*results: Result) -> html.HtmlElement:
    return html.document_fromstring(report.page(results, MARKUP, f"https://{MARKUP}", "now"))


def rows(document: html.HtmlElement) -> list[tuple[str, ...]]:
    return [tuple(cell.text_content() for cell in row) for row in document.find_class("row")]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('<p:a xmlns:p="urn:a" z="1" p:b="2"><p:b/></p:a>', ['<p:a p:b="2" z="1">', "  <p:b/>", "</p:a>"]),
        ('<a xmlns="urn:a"><b xmlns="">1 &lt; 2</b></a>', ["<n1:a>", "  <b>1 < 2</b>", "</n1:a>"]),
        ('<p:a xmlns:p="urn:a"><p:b xmlns:p="urn:b"/></p:a>', ["<p:a>", "  <n1:b/>", "</p:a>"]),
        ("<a>x<b/>y<!--c\nd--></a>", ["<a>", "  x", "  <b/>", "  y", "  <!--c", "  d-->", "</a>"]),
        ("<a>1\n2</a>", ["<a>", "  1", "  2", "</a>"]),
    ],
)
def test_a_message_as_lines(message: str, expected: list[str]) -> None:
    root = xmlgate.parse_own(message.encode())
    assert lines(root, prefixes(root)) == expected


def test_two_messages_have_the_same_prefixes() -> None:
    document = page(judged("one", '<p:a xmlns:p="urn:a"/>', '<p:a xmlns:p="urn:b"><q:b xmlns:q="urn:a"/></p:a>'))
    assert rows(document) == [("<p:a/>", "<n1:a>"), ("", "  <p:b/>"), ("", "</n1:a>")]
    assert [item.text for item in document.findall(".//ul[@class='namespaces']/li")] == ["p = urn:a", "n1 = urn:b"]


def test_nothing_that_came_is_markup() -> None:
    text = f'<a x="{MARKUP.replace("<", "&lt;")}"><![CDATA[{MARKUP}]]></a>'
    document = page(
        judged(MARKUP, text, text.replace("1", "2"), "//nowhere", "//a[. = '<script>']"), Result("e", (), MARKUP)
    )
    assert document.xpath("//script | //@onerror | //*[@src]") == []
    assert [one.text for one in document.findall(".//h1")] == [f"Replay of {MARKUP}"]
    assert f'<a x="{MARKUP}">' in rows(document)[0][0]
    suite = xmlgate.parse_own(junit.document([judged(MARKUP, text, text.replace("1", "2"))], MARKUP))[0]
    assert (suite.get("name"), suite[0].get("name")) == (MARKUP, "script>")


def test_long_runs_of_equal_lines_are_folded_and_the_changed_part_is_marked() -> None:
    many = "".join(f"<r>{number}</r>" for number in range(20))
    document = page(judged("one", f"<a>{many}<b>stored</b>{many}</a>", f"<a>{many}<b>sorted</b><c/>{many}</a>"))
    assert [fold.findtext("summary") for fold in document.find_class("fold")] == ["18 equal lines", "18 equal lines"]
    assert [tuple(mark.text for mark in row.iter("mark")) for row in document.find_class("changed")] == [
        ("tor", "ort"),
        ("  <c/>",),
    ]
    assert len(rows(document)) == 44


def test_what_is_left_out_is_told_by_its_rule() -> None:
    document = page(judged("one", "<a><b/><b/></a>", "<a><b/></a>", "//b", "//c"), judged("two", "<a/>", "<a/>"))
    assert [item.text for item in document.findall(".//ul[@class='ignored']/li")] == [
        "//b (NAME.toml): 2 stored, 1 answered"
    ]
    assert [row.xpath("string(td[5])") for row in document.xpath("//table[@class='results']/tbody/tr")] == ["2", "0"]
    # Open where there is something to look at: here there is not.
    assert document.xpath("//body/details/@open") == []


def test_answers_beyond_reason_are_not_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_MOST_LINES", 3)
    document = page(judged("one", "<a>1</a>", "<a>2\n3</a>"))
    assert "too long to be shown" in document.text_content()
    assert rows(document) == []


def test_a_build_server_sees_a_failure_for_a_difference_and_an_error_for_no_answer() -> None:
    expected = Fixture("10/fault", b"", None, (), Expected(fault=Fault(felkod="EJ_BEHORIG")))
    results = [
        judged("10/kommun/ok", "<a><b/></a>", "<a/>", "//b"),
        judged("10/differs", "<a>1</a>", "<a>2\x85</a>"),
        judge(expected, Reply(200, b"<a/>"), ()),
        Result("lost", error="no answer: nothing listens there", seconds=0.25),
    ]
    suite = xmlgate.parse_own(junit.document(results, "fixtures"))[0]
    assert dict(suite.attrib) == {"name": "fixtures", "tests": "4", "failures": "2", "errors": "1", "time": "0.250"}
    assert [(case.get("classname"), case.get("name")) for case in suite] == [
        ("fixtures.10.kommun", "ok"),
        ("fixtures.10", "differs"),
        ("fixtures.10", "fault"),
        ("fixtures", "lost"),
    ]
    ok, differs, fault, lost = suite
    assert ok.findtext("system-out") == "left out of the comparison:\n//b (NAME.toml): 1 stored, 0 answered"
    assert differs.findtext("failure") == "/a/text()\n  stored   '1'\n  answered '2\\x85'"
    assert differs[0].get("message") == "/a/text()"
    assert fault[0].get("message") == "HTTP status"
    assert (lost[0].tag, lost[0].get("message")) == ("error", "no answer: nothing listens there")
