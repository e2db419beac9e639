"""The SOAP 1.1 envelope: what is one question, and which fault code the rest ends in."""

from __future__ import annotations

import pytest
from unit.builders import PERSON
from vectors.make import SOAP

from ssbtek_gateway import xmlgate
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound import envelope

NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
BLOCK = '<x:block xmlns:x="urn:x" {}>191212121212</x:block>'


def message(*, header: str = "", body: str = "<x/>", after: str = "", attributes: str = "") -> str:
    return f'<s:Envelope xmlns:s="{SOAP}" {attributes}>{header}<s:Body>{body}</s:Body>{after}</s:Envelope>'


def with_block(attributes: str) -> str:
    return message(header=f"<s:Header>{BLOCK.format(attributes)}</s:Header>")


def operation(text: str) -> str:
    return str(envelope.operation(xmlgate.parse_caller(text.encode(), None)).tag)


def fault(text: str) -> GatewayFault:
    with pytest.raises(GatewayFault) as caught:
        operation(text)
    assert caught.value.fel.felkod == "OGILTIGT_MEDDELANDE"
    assert PERSON not in caught.value.detalj + caught.value.reason
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        message(),
        message(header="<s:Header/>"),
        message(header="<s:Header> </s:Header>\n", body="\n <x/> \n"),
        message()
        .replace("<s:", "<")
        .replace("</s:", "</")
        .replace("xmlns:s", "xmlns")
        .replace("<x/>", '<x xmlns=""/>'),
        message(attributes='xmlns:t="urn:t" t:a="1"'),
    ],
)
def test_the_one_element_of_the_body_is_the_question(text: str) -> None:
    assert operation(text) == "x"


@pytest.mark.parametrize("root", ["<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'/>", "<Envelope/>"])
def test_another_soap_is_a_version_mismatch(root: str) -> None:
    found = fault(root)
    assert (found.soap, found.detalj) == ("VersionMismatch", "Använd SOAP 1.1.")


@pytest.mark.parametrize("root", ["<x/>", "<html/>", f"<s:Body xmlns:s='{SOAP}'/>", f"<s:envelope xmlns:s='{SOAP}'/>"])
def test_what_is_no_envelope(root: str) -> None:
    assert fault(root).soap == "Client"


@pytest.mark.parametrize(
    "text",
    [
        f'<s:Envelope xmlns:s="{SOAP}"/>',
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header/></s:Envelope>',
        message(after="<s:Header/>"),
        message(after="<s:Body/>"),
        message(after='<y xmlns="urn:x"/>'),
        message(header='<y xmlns="urn:x"/>'),
        message(header="<s:Header/><s:Header/>"),
        message(header="<s:Header/><s:Body/>"),
        message(header=PERSON),
        message(header=f"<s:Header/>{PERSON}"),
        message(after=PERSON),
        message().replace("s:Body", "Body"),
    ],
)
def test_the_envelope_has_at_most_one_header_and_then_one_body(text: str) -> None:
    assert fault(text).detalj == "Kuvertet ska ha högst en Header följd av exakt en Body."


@pytest.mark.parametrize("body", ["", " \n", PERSON, f"{PERSON}<x/>", f"<x/>{PERSON}", "<x/><x/>", "<x/><y/>"])
def test_the_body_has_one_element_and_nothing_else(body: str) -> None:
    assert fault(message(body=body)).detalj == "Body ska innehålla exakt ett element."


@pytest.mark.parametrize(
    "text",
    [
        message(attributes='s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'),
        message(body='<x s:encodingStyle=""/>'),
        message().replace("<s:Body>", '<s:Body s:encodingStyle="">'),
    ],
)
def test_encoding_style_is_refused(text: str) -> None:
    assert "encodingStyle" in fault(text).detalj


@pytest.mark.parametrize("actor", ["", f's:actor="{NEXT}"', 's:actor=""'])
@pytest.mark.parametrize("value", ["1", "true", " 1 ", "TRUE", "2", ""])
def test_a_block_that_must_be_understood_and_is_not(value: str, actor: str) -> None:
    assert fault(with_block(f's:mustUnderstand="{value}" {actor}')).soap == "MustUnderstand"


def test_every_block_is_looked_at() -> None:
    blocks = BLOCK.format("") + BLOCK.format('s:mustUnderstand="1"')
    assert fault(message(header=f"<s:Header>{blocks}</s:Header>")).soap == "MustUnderstand"


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        's:mustUnderstand="0"',
        's:mustUnderstand=" false "',
        's:mustUnderstand="1" s:actor="urn:somebody"',
        'mustUnderstand="1"',
        's:actor=""',
    ],
)
def test_other_blocks_are_ignored(attributes: str) -> None:
    assert operation(with_block(attributes)) == "x"


def test_addressing_is_ignored() -> None:
    addressing = '<a:ReplyTo xmlns:a="http://www.w3.org/2005/08/addressing"><a:Address>http://127.0.0.1:9/</a:Address></a:ReplyTo>'
    assert operation(message(header=f"<s:Header>{addressing}</s:Header>")) == "x"
