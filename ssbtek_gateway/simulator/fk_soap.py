"""LEFI Online over SOAP at /fk, in the project's own contract (wsdl/services/lefi_online.wsdl).

What a persona holds is the same as over REST; see `fk.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.simulator import lefi, lefi_xml, soap
from ssbtek_gateway.simulator.agency import Flaw, Refusal, Request, World
from ssbtek_gateway.simulator.asgi import Reply
from ssbtek_gateway.simulator.held_json import read_held
from ssbtek_gateway.simulator.lefi_json import FRAGA, SVAR, TYPER, LefiError, admit, answered
from ssbtek_gateway.simulator.soap_exchange import SoapExchange
from ssbtek_gateway.simulator.soap_interface import read_question

if TYPE_CHECKING:
    from datetime import date

    from lxml.etree import XMLSchema, _Element

    from ssbtek_gateway.model import PersonId

_PATH = "/fk"
_ASK, _LIST = "hamtaFormansinformation", "hamtaTillgangligaInformationstyper"


class _Soap:
    """The interface; it has no settings."""

    def methods(self, path: str) -> tuple[str, ...]:
        return ("POST",) if path == _PATH else ()

    def media(self) -> tuple[str, str]:
        return "text/xml", "SOAP 1.1 skickas som text/xml."

    def exchange(self, request: Request, world: World) -> SoapExchange:
        try:
            question = read_question(request, _schema(), [f"{{{lefi_xml.NAMESPACE}}}{name}" for name in (_ASK, _LIST)])
            return _exchange(question, world)
        except soap.SoapError as error:
            raise Refusal(Reply(soap.fault(error.code, error.text), 500)) from None
        except LefiError as error:
            raise Refusal(Reply(soap.fault("Client", error.text, _detail(error)), 500)) from None

    def check(self, person: PersonId, held: _Element | None, today: date) -> None:
        del person, today
        schema, line = _schema(), held.sourceline if held is not None else None
        try:
            answer = lefi_xml.written(read_held(held), SVAR, f"{_ASK}Response")
        except ValueError:
            raise Flaw(line, "has a character that XML cannot hold") from None
        if not schema.validate(answer):
            # The element's name and no more of libxml2's text, which quotes the value.
            name = schema.error_log[0].message.partition("}")[2].partition("'")[0]
            raise Flaw(line, f"{name} has a value that XML cannot say as what the schema calls it")


def _exchange(question: _Element, world: World) -> SoapExchange:
    """The answer to a valid question. Raises `LefiError`."""
    admit(question.findtext("{*}aktorsId", ""), world)
    fraga = question.find("{*}fraga")
    if fraga is None:
        answer = lefi_xml.written(lefi.available(), TYPER, f"{_LIST}Response")
        return SoapExchange(None, answer, _schema(), is_fault=False)
    person, document = answered(lefi_xml.read(fraga, FRAGA), world)
    answer = lefi_xml.written(document, SVAR, f"{_ASK}Response")
    return SoapExchange(person, answer, _schema(), is_fault=False)


def _detail(error: LefiError) -> _Element:
    detail = lefi_xml.element("lefiFel")
    status = lefi_xml.element("status")
    status.text = str(error.status)
    detail.append(status)
    detail.append(lefi_xml.written({"meddelande": error.text}, "LefiFelsvar", "fel"))
    return detail


def _schema() -> XMLSchema:
    return xmlgate.schema(resources.xsd("services/fk/lefi_online.xsd"))


INTERFACE = _Soap()
