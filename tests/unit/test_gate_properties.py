"""Whatever is sent, an answer comes back, a fault of the caller's or a plain refusal, and nothing of it leaks."""

from __future__ import annotations

import asyncio
import ssl
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from fuzz.gate import one_input
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from structlog.testing import capture_logs
from unit.builders import CONTRACT, FakeAudit, FakeService, call, data, flow, identity, so_answer
from vectors import make
from wire import leaks

from ssbtek_gateway import xmlgate
from ssbtek_gateway.inbound.app import DocumentApp, QuestionApp
from ssbtek_gateway.inbound.soap import SoapEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unit.builders import Got

MESSAGES = [*make.VALID.values(), *(flaw.content for flaw in make.FLAWED.values())]
MARKUP = rb"""<~>~</~/>~"~'~&~;~&#0;~&lt;~&a;~<a>~</a>~<a/>~<!--~-->~<![CDATA[~]]>~<?a?>~<!DOCTYPE a>~ ~-~0
~<?xml version='1.1'?>~ xmlns='urn:a'~ xmlns:ssbt='urn:a'~ href='#a'~ soapenv:mustUnderstand='1'~<ssbt:~</ssbt:
~<soapenv:Body>~</soapenv:Body>"""
PIECES = st.sampled_from([*MARKUP.split(b"~"), b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe5", b"\xc0\xaf"])
TEXTS = st.sampled_from(
    ["", " ", "0", "-1", "true", "2026-02-30", "1" * 40, "å", "\u0661", "\u200b", "<&>", "../x", "e30="]
)
PLACES = st.integers(0, 4_000)


def cut(message: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The message with pieces put in where others are taken out."""
    for place, length, piece in changes:
        at = place % (len(message) + 1)
        message = message[:at] + piece + message[at + length :]
    return message


def grafted(changes: list[tuple[int, int, str]]) -> bytes:
    """A good question, still well-formed, with elements dropped, doubled, moved, emptied, renamed or filled."""
    root = etree.fromstring(make.TEMPLATE.encode())
    for place, action, text in changes:
        elements = list(root.iterdescendants())
        if not elements:
            break
        element = elements[place % len(elements)]
        parent: Any = element.getparent()
        match action:
            case 0:
                parent.remove(element)
            case 1:
                parent.append(deepcopy(element))
            case 2:
                parent.insert(0, element)
            case 3:
                element.tag = "a"
            case 4:
                element.set("inkludera", text)
            case _:
                element.text = text
    return etree.tostring(root)


ANY = (
    st.binary(max_size=300)
    | st.lists(PIECES, max_size=30).map(b"".join)
    | st.builds(
        cut,
        st.sampled_from(MESSAGES),
        st.lists(st.tuples(PLACES, st.integers(0, 60), PIECES | st.binary(max_size=4)), min_size=1, max_size=3),
    )
    | st.lists(st.tuples(PLACES, st.integers(0, 6), TEXTS), min_size=1, max_size=3).map(grafted)
)
TYPES = st.sampled_from([*["text/xml"] * 6, "text/xml; charset=utf-16", "text/xml; charset=iso-8859-1"]) | st.text(
    st.characters(max_codepoint=126, min_codepoint=32), max_size=20
)


AUDIT = FakeAudit()


@pytest.fixture(scope="module")
def ask(pki: Path) -> Callable[[bytes, str], Got]:
    """Send a message of some content type."""
    certificate = ssl.PEM_cert_to_DER_cert((pki / "client.pem").read_text())
    way = flow({"SO": FakeService(data(so_answer()), "SO")}, AUDIT)
    app = QuestionApp(DocumentApp({}), {"/ssbt/10": SoapEndpoint(CONTRACT, way)}, way, identity(pki), 262_144, 5)
    return lambda body, content_type: asyncio.run(
        call(app, body=body, headers={"content-type": content_type}, certificate=certificate)
    )


@settings(max_examples=200, deadline=None)
@given(body=ANY, content_type=TYPES)
def test_every_message_is_answered_or_refused_in_our_own_words(
    ask: Callable[[bytes, str], Got], body: bytes, content_type: str
) -> None:
    AUDIT.rows.clear()
    with capture_logs() as log:
        got = ask(body, content_type)
    assert leaks(str(log).encode()) == []
    if got.status == 200:
        assert [row["handelse"] for row in AUDIT.rows] == ["FRAGAD", "BESVARAD"]
        return
    assert leaks(got.body) == []
    (row,) = AUDIT.rows
    if got.status == 500:
        code, felkod, texts = got.fault()
        assert code in {"Client", "VersionMismatch", "MustUnderstand"}
        assert row["felkod"] == felkod != "INTERNT_FEL"
        assert f"händelse-id {row['incident']} " in texts
    else:
        assert got.status == 415
        assert row["felkod"] == "HTTP_415"


def test_the_fuzzer_finds_nothing_in_the_vectors() -> None:
    for message in MESSAGES:
        one_input(message)
        one_input(message + b"\0utf-16")


def test_the_fuzzer_sees_a_text_that_repeats_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def echo(message: bytes, _charset: str | None) -> None:
        raise xmlgate.XmlError(message.decode(), "reason")

    monkeypatch.setattr(xmlgate, "parse_caller", echo)
    with pytest.raises(AssertionError):
        one_input(make.PERSON.encode())
