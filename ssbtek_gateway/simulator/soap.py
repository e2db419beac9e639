"""SOAP 1.1 envelopes (https://www.w3.org/TR/2000/NOTE-SOAP-20000508/, sections 4 and 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.etree import _Element

NAMESPACE = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP = f"{{{NAMESPACE}}}"


class SoapError(Exception):
    """What becomes a SOAP fault: `code` is Client or Server, the text is Swedish and holds no values."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def body_child(root: _Element) -> _Element:
    """The one child of the envelope's body. Raises `SoapError`."""
    if root.tag != f"{_SOAP}Envelope":
        raise SoapError("Client", "Meddelandet är inte ett SOAP 1.1-kuvert.")
    bodies = root.findall(f"{_SOAP}Body")
    children = [child for body in bodies for child in body.iterchildren("*")]
    if len(bodies) != 1 or len(children) != 1:
        raise SoapError("Client", "SOAP-kuvertet ska ha en Body med ett enda element.")
    return children[0]


def envelope(content: _Element, namespace: str = NAMESPACE, prefixes: dict[str, str] | None = None) -> _Element:
    """`content` moved into an envelope that declares `prefixes` too."""
    root = etree.Element(f"{{{namespace}}}Envelope", nsmap={"soap": namespace, **(prefixes or {})})
    etree.SubElement(root, f"{{{namespace}}}Body").append(content)
    return root


def fault(code: str, text: str, detail: _Element | None = None) -> bytes:
    """An envelope with a fault; `code` is Client or Server (section 4.4.1). `detail` is moved into it."""
    element = etree.Element(f"{_SOAP}Fault", nsmap={"soap": NAMESPACE})
    etree.SubElement(element, "faultcode").text = f"soap:{code}"
    etree.SubElement(element, "faultstring").text = text
    if detail is not None:
        etree.SubElement(element, "detail").append(detail)
    return serialise(envelope(element))


def serialise(root: _Element) -> bytes:
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
