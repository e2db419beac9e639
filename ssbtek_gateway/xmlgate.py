"""The only place where XML is parsed, and the bounds on what is read.

Two profiles: callers' bytes (no DTD, comments or processing instructions: SOAP 1.1 section 3, and an XSD check that
sees the same text as we do) and agencies' bytes (no DTD; comments and processing instructions kept, for the payload is
handed on unaltered). Neither fetches anything, expands an entity or repairs broken XML.

A text of libxml2 may echo the message, so none leaves this module: callers get `XmlError`, whose `regel` is fixed
Swedish text and whose `reason` is fixed English text for the operator's log.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    from pathlib import Path

    from lxml.etree import _Element

# What SOAP stacks send: UTF-8, and UTF-16 or ISO 8859-1 from older ones (WS-I Basic Profile 1.1, R1012, asks for the
# first two). UTF-7, UTF-32 and EBCDIC could hide a DOCTYPE from a reader that guesses otherwise than we do.
_FAMILIES = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16",
    "utf-16be": "utf-16",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
}
_UTF32_MARKS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_DECLARATION = re.compile(r"""\s*<\?xml\s+version\s*=\s*["']([^"']*)["'](?:\s+encoding\s*=\s*["']([^"']*)["'])?""")
_DECLARATION_BYTES = 400
# In ASCII: the whole declaration, if there is one, and the root element.
_PLAIN_BEGINNING = re.compile(rb"(<\?xml [^<>?]{0,380}\?>|)\s*<[A-Za-z_][^\x00]")
_TEXT_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]*\?>")
# What a caller's message may hold, far above any question (about 35 elements; a signature adds as many). A tag begins
# with "<" and an attribute has a "=", so that counting these bounds the tree before there is one.
_BOUNDS = {b"<": 4_000, b"=": 2_000, b"xmlns": 200}
_XS = "{http://www.w3.org/2001/XMLSchema}"
_TOO_DEEP = etree.XPath(f"boolean({'/*' * 65})")
# libxml2's own limits stay on without huge_tree: depth 256, text 10 MB, entity amplification.
_PARSER = etree.XMLParser(
    encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
)


class XmlError(Exception):
    """Bytes that are not XML as we accept it. `regel` is Swedish for callers, `reason` English for operators.

    `line` is where the parser stumbled, if it did.
    """

    def __init__(self, regel: str, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.regel = regel
        self.reason = reason
        self.line = line


def parse_caller(data: bytes, charset: str | None) -> _Element:
    """The root of a caller's message; `charset` is the HTTP header's, if any. Raises `XmlError`."""
    text = _utf8(data, charset)
    if any(text.count(mark) > bound for mark, bound in _BOUNDS.items()):
        raise _beyond()
    root = _parse(text)
    if _TOO_DEEP(root):
        raise _beyond()
    if root.getprevious() is not None or root.getnext() is not None or _has_comment_or_instruction(root):
        raise XmlError(
            "Meddelandet innehåller en kommentar eller processinstruktion. Ta bort den.",
            "comment or processing instruction",
        )
    return root


def parse_agency(data: bytes, charset: str | None) -> _Element:
    """The root of an agency's message, comments and processing instructions kept. Raises `XmlError`."""
    return _parse(_utf8(data, charset))


def parse_agency_text(text: str) -> _Element:
    """The root of an XML document that an agency sent inside a string, whatever encoding it says. Raises `XmlError`."""
    return _parse(_utf8(_TEXT_DECLARATION.sub("", text).encode(), "utf-8"))


def parse_own(data: bytes) -> _Element:
    """The root of a file that ships with us or that the operator wrote. Raises `XmlError`."""
    return _parse(_utf8(data, None))


def written(element: _Element, tag: str) -> bytes:
    """`element` under another name, with its content and every namespace in its scope, in UTF-8 without declaration.

    lxml finds a free prefix for the new name and keeps every declaration (checked in tests/vectors).
    """
    element.tag = tag
    return etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)


@cache
def schema(path: Path) -> etree.XMLSchema:
    """The compiled schema at `path`. Its imports are relative paths among our own files.

    A list of lists without ends between them (CSN: fifty times fifty payments) is compiled as the one list that it is:
    libxml2 tries every way to divide it, spends half a second on a wrong one and refuses a right one that is long.
    """
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_Flattened())
    return etree.XMLSchema(etree.fromstring(_flattened(str(path)), parser, base_url=str(path)))


class _Flattened(etree.Resolver):
    """Gives libxml2 our schema files as `_flattened` writes them."""

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:  # noqa: ANN401, ARG002 - lxml's
        url = system_url or ""
        return self.resolve_string(_flattened(url), context, base_url=url)


def _flattened(path: str) -> bytes:
    """The schema at `path` with a repeated sequence of one element that may be absent as that element repeated."""
    root = etree.parse(path, _PARSER).getroot()
    for group in root.iter(f"{_XS}sequence"):
        if group.get("maxOccurs", "1") != "1" and len(group) == 1:
            (element,) = group
            if element.tag == f"{_XS}element" and element.get("minOccurs") == "0":
                times = [particle.get("maxOccurs", "1") for particle in (group, element)]
                many = "unbounded" if "unbounded" in times else str(int(times[0]) * int(times[1]))
                element.set("maxOccurs", many)
                del group.attrib["maxOccurs"]
                group.attrib.pop("minOccurs", None)
    return etree.tostring(root)


def _has_comment_or_instruction(root: _Element) -> bool:
    return next(root.iter(etree.Comment, etree.PI), None) is not None


def _parse(data: bytes) -> _Element:
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        # Not chained: the text of the cause may hold a piece of the message.
        raise (
            _beyond() if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT else _not_well_formed(error.lineno)
        ) from None
    if root.getroottree().docinfo.doctype:
        raise XmlError("Meddelandet innehåller en DTD (DOCTYPE). Ta bort den.", "DOCTYPE")
    return root


def _utf8(data: bytes, charset: str | None) -> bytes:
    """`data` in UTF-8, read by the one encoding that mark, HTTP header and declaration agree on (RFC 7303, section 3).

    One encoding for the parser means that it never guesses. Raises `XmlError`.
    """
    begins = _PLAIN_BEGINNING.match(data)
    codec = _usual_encoding(begins[1], charset) if begins else _encoding(data[:_DECLARATION_BYTES], charset)
    if codec == "utf-8":
        return data  # the parser checks it
    try:
        return data.decode(codec).encode()
    except UnicodeDecodeError:
        raise _not_well_formed() from None


def _encoding(head: bytes, charset: str | None) -> str:
    """Python's codec for a message that begins with `head`. Raises `XmlError`."""
    if head.startswith(_UTF32_MARKS):
        raise _unsupported()
    mark = next((codec for mark, codec in _MARKS.items() if head.startswith(mark)), None)
    named = charset.lower() if charset else None
    declared = _declared(head.decode(mark or _codec(named) or "latin-1", "ignore"))
    claims = {_family(name) for name in (mark, named, declared) if name}
    if len(claims) > 1:
        raise XmlError(
            "HTTP-huvudet Content-Type och XML-deklarationen anger olika teckenkodning. Använd UTF-8 i båda.",
            "contradicting encodings",
        )
    codec = mark or _codec(named) or _codec(declared) or "utf-8"
    if codec == "utf-16" and mark is None:
        raise XmlError("UTF-16 ska ha en byte order mark. Använd UTF-8.", "UTF-16 without byte order mark")
    return codec


# Of what may hold more than a declaration nothing is kept.
_usual_encoding = lru_cache(maxsize=64)(_encoding)


def _family(name: str) -> str:
    family = _FAMILIES.get(name.removesuffix("-sig"))
    if family is None:
        raise _unsupported()
    return family


def _codec(name: str | None) -> str | None:
    """Python's codec for a charset that we accept; UTF-16 may name its byte order."""
    if name is None:
        return None
    family = _family(name)
    return name if family == "utf-16" else family


def _not_well_formed(line: int | None = None) -> XmlError:
    return XmlError("Meddelandet är inte välformad XML.", "not well-formed XML", line)


def _beyond() -> XmlError:
    return XmlError(
        "Meddelandet har för många, för långa eller för djupt nästlade element.", "beyond the bounds on XML"
    )


def _unsupported() -> XmlError:
    return XmlError("Teckenkodningen stöds inte. Använd UTF-8.", "unsupported encoding")


def _declared(head: str) -> str | None:
    """The encoding that the XML declaration names, if any. Raises `XmlError` for XML 1.1."""
    found = _DECLARATION.match(head)
    if found is None:
        return None
    if found[1] != "1.0":
        raise XmlError("XML-versionen stöds inte. Använd XML 1.0.", "XML version is not 1.0")
    return found[2].lower() if found[2] else None
