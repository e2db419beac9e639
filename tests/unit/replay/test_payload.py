"""Documents within messages: opened, compared where they are, and left closed where they are none."""

from __future__ import annotations

from base64 import b64encode
from xml.sax.saxutils import escape

import pytest

from ssbtek_gateway import xmlgate
from ssbtek_gateway.replay.compare import compare
from ssbtek_gateway.replay.ignores import compiled

CSN = '<?xml version="1.0" encoding="ISO-8859-1"?><!-- c --><k:svar xmlns:k="urn:k"><k:namn>Åsa</k:namn></k:svar>'
LEFI = '{"person": {"nummer": "1", "arenden": [{"belopp": 10}, {"belopp": 20, "slut": null}]}}'


def in_base64(text: str, encoding: str = "utf-8") -> str:
    return f"<svar>{b64encode(text.encode(encoding)).decode()}</svar>"


def in_text(text: str) -> str:
    return f"<svar>{escape(text)}</svar>"


def in_cdata(text: str) -> str:
    return f"<svar><![CDATA[{text}]]></svar>"


def told(stored: str, answered: str, *ignores: str) -> list[tuple[str, str | None, str | None]]:
    found = compare(
        xmlgate.parse_own(stored.encode()), xmlgate.parse_own(answered.encode()), compiled(ignores, {"k": "urn:k"})
    )
    return [(difference.location, difference.stored, difference.answered) for difference in found]


@pytest.mark.parametrize("written", [in_text, in_cdata, lambda text: in_base64(text, "iso-8859-1")])
def test_a_difference_in_a_payload_of_xml_is_told_where_it_is(written: object) -> None:
    assert callable(written)
    assert told(written(CSN), written(CSN.replace("Åsa", "Eva"))) == [
        ("/svar/payload/svar/namn/text()", "Åsa", "Eva"),
    ]


@pytest.mark.parametrize("written", [in_text, in_cdata, in_base64])
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("20", "21", [("/svar/payload/person/arenden/item[2]/belopp/text()", "20", "21")]),
        (
            "20",
            '"20"',
            [("/svar/payload/person/arenden/item[2]/belopp/@type", "number", None)],
        ),
        ("null", "false", [
            ("/svar/payload/person/arenden/item[2]/slut/@type", "null", "boolean"),
            ("/svar/payload/person/arenden/item[2]/slut/text()", "null", "false"),
        ]),
        ('"nummer"', '"a b"', [
            ("/svar/payload/person/nummer", "nummer: 1", None),
            ("/svar/payload/person/member", None, "member: 1"),
        ]),
    ],
)  # fmt: skip
def test_a_difference_in_a_payload_of_json_is_told_where_it_is(
    written: object, old: str, new: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert callable(written)
    found = told(written(LEFI), written(LEFI.replace(old, new)))
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("stored", "answered"),
    [
        (in_base64(CSN, "iso-8859-1"), in_base64(CSN.replace("ISO-8859-1", "UTF-8"))),
        (in_base64("<a><b/></a>"), in_base64("<a>\n  <b></b>\n</a>")),
        (in_base64('{"a": 1, "b": [1.0]}'), in_base64('{"b":[1.00],\r\n"a":1}')),
        ("<svar>PGEvPg==</svar>", "<svar>PGEv\nPg==</svar>"),
        (in_text("<a/>"), in_cdata("<a></a>")),
    ],
    ids=["encoding", "white space", "order of members and form of numbers", "base64 in lines", "CDATA"],
)
def test_how_a_payload_is_written_does_not_matter(stored: str, answered: str) -> None:
    assert told(stored, answered) == []


@pytest.mark.parametrize(
    "content",
    [
        "Anna",  # base64 of something
        b64encode(b"123").decode(),
        b64encode(b"<a>").decode(),
        b64encode(b'{"a": 1, "a": 2}').decode(),
        b64encode(b'{"a": "\\u0000"}').decode(),
        b64encode(b"[" * 100_000).decode(),
        b64encode(b"[" * 70 + b"]" * 70).decode(),
        b64encode(b"<!DOCTYPE a><a/>").decode(),
        "&lt;a",
        "[1",
        "{ansökan}",
    ],
)  # fmt: skip
def test_what_is_no_document_is_a_text(content: str) -> None:
    stored, answered = f"<svar>{content}</svar>", "<svar>x</svar>"
    assert [place for place, _, _ in told(stored, answered)] == ["/svar/text()"]
    assert told(stored, stored) == []


def test_where_a_payload_is_kept_matters() -> None:
    assert told(in_base64("<a/>"), in_text("<a/>")) == [("/svar/payload/@in", "base64", "text")]
    assert told(in_base64("<a/>"), "<svar/>") == [("/svar/payload", "payload:", None)]


def test_comments_beside_a_payloads_root_matter() -> None:
    assert told(in_text("<!--c--><a/><?p?>"), in_text("<a/>")) == [
        ("/svar/payload/comment()", "<!--c-->", None),
        ("/svar/payload/processing-instruction()", "<?p?>", None),
    ]


def test_an_ignore_reaches_into_a_payload_and_the_whole_of_it() -> None:
    stored, answered = in_cdata(CSN), in_cdata(CSN.replace("Åsa", "Eva"))
    for expression in ("//k:namn/text()", "/svar/payload/k:svar/k:namn", "/svar/text()", "//payload"):
        assert told(stored, answered, expression) == [], expression
    assert told(stored, "<svar/>", "/svar/text()") == [("/svar/text()", "(ignored)", None)]
    two, other = (f"<a>{in_text(first)}{in_text('<b>2</b>')}</a>" for first in ("<b>1</b>", "<b>9</b>"))
    # The first is the first whether payloads are open or not: the second stays.
    assert told(two, other, "/a/svar[1]") == []
    assert told(two, two.replace("2", "3"), "/a/svar[1]") == [("/a/svar/payload/b/text()", "2", "3")]
