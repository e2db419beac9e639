"""The bytes gate: what parses, what is refused, and that neither a refusal nor its cause repeats the message."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.xmlgate import XmlError, parse_agency, parse_caller, parse_own

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lxml.etree import _Element

    Parse = Callable[[bytes, str | None], _Element]

PERSON = "191212121212"
BOTH = pytest.mark.parametrize("parse", [parse_caller, parse_agency], ids=["caller", "agency"])


def xml(
    encoding: str = "utf-8", *, declared: str | None = None, prolog: str = "", text: str = "Åsa 191212121212"
) -> bytes:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    return f"{declaration}{prolog}<fråga>{text}</fråga>".encode(encoding)


def refused(parse: Parse, data: bytes, charset: str | None = None) -> XmlError:
    with pytest.raises(XmlError) as caught:
        parse(data, charset)
    error = caught.value
    # The cause would carry libxml2's text, which echoes the message, into a logged traceback.
    assert error.__suppress_context__ or error.__context__ is None
    for text in (str(error), repr(error), error.regel, error.reason):
        assert PERSON not in text
        assert "Åsa" not in text
    return error


@BOTH
@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (xml(), None),
        (xml(), "UTF-8"),
        (xml(declared="utf8"), "utf-8"),
        (xml("utf-8-sig"), None),
        (xml("utf-8-sig", declared="UTF-8"), "utf-8"),
        (xml("utf-16"), None),
        (xml("utf-16", declared="UTF-16"), "utf-16"),
        (b"\xff\xfe" + xml("utf-16-le", declared="UTF-16LE"), None),
        (xml("utf-16-le"), "utf-16le"),
        (xml("iso-8859-1", declared="ISO-8859-1"), None),
        (xml("iso-8859-1"), "latin1"),
        (xml(declared="utf-8", text="<![CDATA[Åsa ]]>&#49;91212121212"), None),
    ],
)
def test_supported_encodings_say_the_same(parse: Parse, data: bytes, charset: str | None) -> None:
    root = parse(data, charset)
    assert (root.tag, root.text) == ("fråga", "Åsa 191212121212")


@BOTH
@pytest.mark.parametrize(
    ("data", "charset", "reason"),
    [
        (xml("utf-32"), None, "unsupported encoding"),
        (xml("utf-32-be", declared="utf-32"), "utf-32", "unsupported encoding"),
        (b"\x00\x00\xfe\xff" + xml("utf-32-be"), "utf-8", "unsupported encoding"),
        (xml(), "utf-7", "unsupported encoding"),
        (b"+ADw-fr+AOU-ga+AD4-", "utf-7", "unsupported encoding"),
        (xml(declared="utf-7"), None, "unsupported encoding"),
        (xml("cp037", text=PERSON), "ebcdic-cp-us", "unsupported encoding"),
        (xml(declared="x-unknown-191212121212"), None, "unsupported encoding"),
        (xml(declared="utf-8"), "iso-8859-1", "contradicting encodings"),
        (xml("iso-8859-1", declared="iso-8859-1"), "utf-8", "contradicting encodings"),
        (xml("utf-8-sig"), "utf-16", "contradicting encodings"),
        (xml("utf-8-sig", declared="utf-16"), None, "contradicting encodings"),
        (xml("utf-16", declared="utf-8"), None, "contradicting encodings"),
        (xml("iso-8859-1"), None, "not well-formed XML"),
        (xml("utf-16-le"), None, "not well-formed XML"),
        (b"<r>\xc0\xaf 191212121212</r>", None, "not well-formed XML"),  # overlong
        (b"<r>\xed\xa0\xbd\xed\xb8\x80</r>", None, "not well-formed XML"),  # CESU-8
        (b"<r>191212121212\x00</r>", None, "not well-formed XML"),
        (b'<?xml version="1.1"?><r/>', None, "XML version is not 1.0"),
        ('<?xml version="1.1"?><r/>'.encode("utf-16"), None, "XML version is not 1.0"),
        (b"\xef\xbb\xbf<?xml version='1.1' encoding='utf-8'?><r/>", None, "XML version is not 1.0"),
    ],
)
def test_other_encodings_are_refused(parse: Parse, data: bytes, charset: str | None, reason: str) -> None:
    assert refused(parse, data, charset).reason == reason


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "191212121212",
        '{"personidentitet": "191212121212"}',
        "<html><body><br>191212121212</body></html>",
        "<r>191212121212",
        "<r/><r>191212121212</r>",
        "<r/>191212121212",
        "<r p='191212121212' p='2'/>",
        "<r xmlns:a='urn:x' xmlns:b='urn:x' a:p='191212121212' b:p='2'/>",
        "<r x:p='191212121212'/>",
        "<r>&okand191212121212;</r>",
        "<r>&#0;191212121212</r>",
        "<r>&#1;191212121212</r>",
        "<r>&#xD800;191212121212</r>",
        "<r p='<'>191212121212</r>",
        " <?xml version='1.0'?><r>191212121212</r>",
        "<r xml:id='a'><s xml:id='a'>191212121212</s></r>",
    ],
)
def test_what_is_not_well_formed_is_refused(parse: Parse, text: str) -> None:
    assert refused(parse, text.encode()).reason == "not well-formed XML"


@BOTH
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE fråga>",
        "<!DOCTYPE fråga []>",
        '<!DOCTYPE fråga SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE fråga [<!ENTITY a "b">]>',
        '<!DOCTYPE fråga [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE fråga [<!ENTITY % a SYSTEM "http://127.0.0.1:9/"> %a;]>',
    ],
)
def test_doctype_is_refused_in_every_encoding(parse: Parse, encoding: str, doctype: str) -> None:
    assert refused(parse, xml(encoding, prolog=doctype)).reason == "DOCTYPE"


def test_doctype_behind_an_encoding_that_only_http_names() -> None:
    assert refused(parse_caller, xml("utf-16-le", prolog="<!DOCTYPE fråga>"), "utf-16le").reason == "DOCTYPE"


@BOTH
def test_utf_16_in_either_byte_order_by_its_mark(parse: Parse) -> None:
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        for charset in (None, "utf-16"):
            assert parse(mark + '<?xml version="1.0" encoding="UTF-16"?><r>å</r>'.encode(codec), charset).text == "å"


@BOTH
def test_utf_16_without_a_mark_is_refused(parse: Parse) -> None:
    assert "byte order mark" in refused(parse, "<r/>".encode("utf-16-le"), "utf-16").reason


@BOTH
def test_what_an_encoding_of_the_header_hides_is_found(parse: Parse) -> None:
    for declaration, reason in (
        ('<?xml version="1.1"?>', "XML version is not 1.0"),
        ('<?xml version="1.0" encoding="UTF-8"?>', "contradicting encodings"),
    ):
        assert refused(parse, f"{declaration}<r/>".encode("utf-16-le"), "utf-16le").reason == reason


def test_our_own_files_have_no_doctype_either() -> None:
    assert refused(lambda data, _: parse_own(data), xml(prolog="<!DOCTYPE fråga>")).reason == "DOCTYPE"


LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "billion laughs": f'<!DOCTYPE r [<!ENTITY e0 "ha">{LAUGHS}]><r>&e9;</r>',
    "billion laughs in attribute": f'<!DOCTYPE r [<!ENTITY e0 "ha">{LAUGHS}]><r a="&e9;"/>',
    "quadratic": f'<!DOCTYPE r [<!ENTITY a "{"x" * 50_000}">]><r a="{"&a;" * 50_000}">{"&a;" * 50_000}</r>',
    "recursive": '<!DOCTYPE r [<!ENTITY a "&b;"><!ENTITY b "&a;">]><r a="&a;">&a;</r>',
    "deep": "<r>" * 5000 + "</r>" * 5000,
    "deep without end": "<r>" * 80_000,
    "long name": f"<{'r' * 250_000}>",
    "unbound prefixes": f"<r>{'<a:b/>' * 20_000}</r>",
    "duplicate attributes": "<r {}/>".format(" ".join(f"a{n % 9_999}=''" for n in range(10_000))),
}


@BOTH
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_end_quickly(parse: Parse, name: str) -> None:
    started = time.monotonic()
    refused(parse, HOSTILE[name].encode())
    # A bomb that went off would take minutes and gigabytes; the bound is far from what it takes to refuse it.
    assert time.monotonic() - started < 2


@BOTH
def test_many_attributes_and_namespaces_end_quickly(parse: Parse) -> None:
    started = time.monotonic()
    attributes = " ".join(f"xmlns:n{n}='urn:{n}' n{n}:a='{n}'" for n in range(5_000))
    with suppress(XmlError):
        assert len(parse(f"<r {attributes}/>".encode(), None).attrib) == 5_000
    assert time.monotonic() - started < 2


KEPT = [
    "<!-- c --><r>1912</r>",
    "<r>1912</r><!-- c -->",
    "<r>1912<!-- c -->1212</r>",
    "<r><s><!-- c --></s></r>",
    "<?p i?><r>1912</r>",
    "<r>1912</r><?p i?>",
    "<r>1912<?p i?>1212</r>",
    "<?xml version='1.0'?><?xml-stylesheet href='http://127.0.0.1:9/'?><r/>",
]


@pytest.mark.parametrize("text", KEPT)
def test_a_caller_may_not_send_comments_or_instructions(text: str) -> None:
    assert refused(parse_caller, text.encode()).reason == "comment or processing instruction"


@pytest.mark.parametrize("text", KEPT)
def test_an_agency_keeps_its_comments_and_instructions(text: str) -> None:
    root = parse_agency(text.encode(), None)
    kept = root.xpath("//comment() | //processing-instruction()")
    assert isinstance(kept, list)
    assert len(kept) == 1


MARKUP = rb"""<r>~</r>~<r~/>~>~<!--~-->~<?a ~?>~<![CDATA[~]]>~&amp;~&#0;~&a;~'~"~ ~191212121212~
<!DOCTYPE r~[<!ENTITY a 'b'>]~<?xml version='1.0'~ encoding='utf-16'~ xmlns:a='urn:a'~a:b~a="""
PIECES = st.sampled_from([*MARKUP.split(b"~"), b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00", b"\xe5"])
ANY_BYTES = st.binary(max_size=200) | st.lists(PIECES, max_size=25).map(b"".join)
CHARSETS = st.none() | st.sampled_from(["utf-8", "UTF-16", "latin1", "utf-7", ""]) | st.text(max_size=8)


@BOTH
@settings(max_examples=400, deadline=None)
@given(data=ANY_BYTES, charset=CHARSETS)
def test_any_bytes_either_parse_or_are_refused(parse: Parse, data: bytes, charset: str | None) -> None:
    with suppress(XmlError):
        assert not parse(data, charset).getroottree().docinfo.doctype


def test_a_schema_is_compiled_once() -> None:
    path = resources.xsd("services/so/ubps.xsd")
    assert xmlgate.schema(path) is xmlgate.schema(path)


def test_a_list_of_lists_is_judged_as_the_one_list_that_it_is(tmp_path: Path) -> None:
    # As CSN's schema says it: libxml2 by itself gives up on a right one of 400 after half a second.
    schema = tmp_path / "nested.xsd"
    schema.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="plan"><xs:complexType>'
        '<xs:sequence minOccurs="0" maxOccurs="50"><xs:element name="utbetalning" minOccurs="0" maxOccurs="50"/>'
        "</xs:sequence></xs:complexType></xs:element></xs:schema>"
    )
    judged = [parse_own(b"<plan>" + b"<utbetalning/>" * many + b"</plan>") for many in (0, 400, 2500, 2501)]
    assert [xmlgate.schema(schema).validate(plan) for plan in judged] == [True, True, True, False]
