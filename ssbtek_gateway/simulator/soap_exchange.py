"""A SOAP answer, and the ways in which it may be wrong."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.simulator import soap
from ssbtek_gateway.simulator.agency import LONG, about_another
from ssbtek_gateway.simulator.asgi import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml.etree import XMLSchema, _Element

    from ssbtek_gateway.model import PersonId

_XSD = "http://www.w3.org/2001/XMLSchema"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


@dataclass(frozen=True, slots=True)
class SoapExchange:
    """A valid question's `person`, if any, and the valid `answer` to it, a SOAP fault's detail where it `is_fault`."""

    person: PersonId | None
    answer: _Element = field(repr=False)
    schema: XMLSchema = field(repr=False)
    is_fault: bool

    def good(self) -> Reply:
        if self.is_fault:
            return Reply(soap.fault("Server", "Bastjänsten kunde inte besvara frågan.", self.answer), 500)
        return Reply(soap.serialise(soap.envelope(self.answer)))

    def flawed(self, kind: str) -> Reply:
        return _FLAWED[kind](self)

    def endless(self) -> tuple[bytes, bytes]:
        body = b"<soap:Body>"
        return self.good().body.partition(body)[0] + body, b"<mer>" + b"x" * 65_536 + b"</mer>"


def _fault(_exchange: SoapExchange) -> Reply:
    return Reply(soap.fault("Server", "Internt fel hos myndigheten."), 500)


def _fault_with_number(exchange: SoapExchange) -> Reply:
    number = exchange.person.reveal() if exchange.person is not None else "-"
    return Reply(soap.fault("Server", f"ORA-01403: no data found ({number})"), 500)


def _long_fault(_exchange: SoapExchange) -> Reply:
    return Reply(soap.fault("Server", LONG), 500)


def _invalid(exchange: SoapExchange) -> Reply:
    # Without the first element that the schema demands; an added one could fall into the xs:any of AF and TNS.
    for element in list(exchange.answer.iter("*"))[1:]:
        parent = element.getparent()
        if parent is None:
            continue
        place = parent.index(element)
        parent.remove(element)
        if not exchange.schema.validate(exchange.answer):
            break
        parent.insert(place, element)
    else:  # LEFI's demands nothing, and has no xs:any
        etree.SubElement(exchange.answer, "ogiltigt")
    return exchange.good()


def _other_person(exchange: SoapExchange) -> Reply:
    good = exchange.good()
    body = about_another(good.body, exchange.person) if exchange.person is not None else good.body
    return Reply(body, good.status)


def _korrelationsid(exchange: SoapExchange) -> Reply:
    for element in exchange.answer.iter("korrelationsid"):
        element.text = "en annan frågas"
    return exchange.good()


def _soap_12(exchange: SoapExchange) -> Reply:
    root = soap.envelope(exchange.answer, _SOAP_12)
    return Reply(soap.serialise(root), content_type="application/soap+xml; charset=utf-8")


def _two_bodies(exchange: SoapExchange) -> Reply:
    root = soap.envelope(exchange.answer)
    root.append(deepcopy(root[0]))
    return Reply(soap.serialise(root))


def _doctype(exchange: SoapExchange) -> Reply:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return _with_entity(exchange, f'<!ENTITY e0 "ha">{entities}', "e9")


def _external_entity(exchange: SoapExchange) -> Reply:
    return _with_entity(exchange, '<!ENTITY e SYSTEM "file:///etc/passwd">', "e")


def _with_entity(exchange: SoapExchange, declared: str, name: str) -> Reply:
    declaration, _, rest = exchange.good().body.partition(b"\n")
    doctype = f"<!DOCTYPE soap:Envelope [{declared}]>".encode()
    return Reply(declaration + doctype + rest.replace(b"</soap:Body>", f"&{name};</soap:Body>".encode()))


def _comments(exchange: SoapExchange) -> Reply:
    """Valid, with all that is easily lost on the way: comments, an instruction, a prefix that only a value uses."""
    answer = exchange.answer
    root = soap.envelope(answer, prefixes={"xsd": _XSD})
    for leaf in [element for element in answer.iter("*") if not len(element)]:
        leaf.set(_XSI_TYPE, "xsd:string")
        if exchange.schema.validate(answer):
            # In the middle of a text, which stays one text to the schema.
            middle = etree.Comment(" mitt i texten ")
            text = leaf.text or ""
            leaf.text, middle.tail = text[:2], text[2:]
            leaf.append(middle)
            break
        del leaf.attrib[_XSI_TYPE]
    answer.insert(0, etree.Comment(" från myndigheten "))
    answer.append(etree.ProcessingInstruction("myndighet", "slut"))
    return Reply(soap.serialise(root))


_FLAWED: Mapping[str, Callable[[SoapExchange], Reply]] = {
    "fault": _fault,
    "fault200": lambda exchange: replace(_fault(exchange), status=200),
    "fault-pnr": _fault_with_number,
    "longfault": _long_fault,
    "invalid": _invalid,
    "other-person": _other_person,
    "korrelationsid": _korrelationsid,
    "soap12": _soap_12,
    "two-bodies": _two_bodies,
    "doctype": _doctype,
    "xxe": _external_entity,
    "comments": _comments,
}
