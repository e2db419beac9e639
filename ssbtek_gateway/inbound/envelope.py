"""The SOAP 1.1 envelope, checked before any SOAP library sees it (SOAP 1.1 section 4; WS-I Basic Profile 1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.faults import GatewayFault

if TYPE_CHECKING:
    from lxml.etree import _Element

NAMESPACE = "http://schemas.xmlsoap.org/soap/envelope/"
_ENVELOPE, _HEADER, _BODY = (f"{{{NAMESPACE}}}{name}" for name in ("Envelope", "Header", "Body"))
_MUST_UNDERSTAND, _ACTOR, _ENCODING_STYLE = (
    f"{{{NAMESPACE}}}{name}" for name in ("mustUnderstand", "actor", "encodingStyle")
)
_NEXT = "http://schemas.xmlsoap.org/soap/actor/next"


def operation(envelope: _Element, understood: frozenset[str] = frozenset()) -> _Element:
    """The one element of the Body, which decides the operation (SOAPAction does not).

    `understood` are the header blocks that the service does what it must with. Raises `GatewayFault`
    OGILTIGT_MEDDELANDE, with the SOAP fault code that the standard prescribes.
    """
    if envelope.tag != _ENVELOPE:
        if etree.QName(envelope).localname == "Envelope":
            raise _fault("Använd SOAP 1.1.", "not the SOAP 1.1 envelope namespace", soap="VersionMismatch")
        raise _fault("Meddelandet är inte ett SOAP-kuvert (Envelope).", "no Envelope")
    children = list(envelope)
    tags = [child.tag for child in children]
    beside = (envelope.text, *(child.tail for child in children))
    if tags not in ([_BODY], [_HEADER, _BODY]) or _has_text(*beside):
        raise _fault("Kuvertet ska ha högst en Header följd av exakt en Body.", "wrong children of Envelope")
    for block in children[0] if len(children) == 2 else ():  # noqa: PLR2004 - Header and Body
        _check_header_block(block, understood)
    body = children[-1]
    if len(body) != 1 or _has_text(body.text, body[0].tail):
        raise _fault("Body ska innehålla exakt ett element.", "not one element in Body")
    if any(_ENCODING_STYLE in element.attrib for element in (envelope, body, body[0])):
        raise _fault("Meddelandet ska vara document/literal, utan encodingStyle.", "encodingStyle")
    return body[0]


def _check_header_block(block: _Element, understood: frozenset[str]) -> None:
    for_us = block.get(_ACTOR, _NEXT).strip() in {_NEXT, ""}
    # Anything but a no is a yes: SOAP 1.1 has 0 and 1, XML Schema's booleans more, and a sender that says neither
    # cannot have meant that the block may be ignored.
    must = block.get(_MUST_UNDERSTAND, "0").strip() not in {"0", "false"}
    if for_us and must and block.tag not in understood:
        detalj = "Header innehåller ett block med mustUnderstand som tjänsten inte förstår. Ta bort det."
        raise _fault(detalj, "unknown header block with mustUnderstand", soap="MustUnderstand")


def _has_text(*texts: str | None) -> bool:
    return any((text or "").strip() for text in texts)


def _fault(detalj: str, reason: str, soap: str = "") -> GatewayFault:
    return GatewayFault("OGILTIGT_MEDDELANDE", detalj, reason=reason, soap=soap)
