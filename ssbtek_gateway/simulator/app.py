"""The simulated agencies as an ASGI app: SOAP 1.1 at /af, /so, /csn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator import AGENCIES, soap
from ssbtek_gateway.simulator.asgi import Reply, media_type, read_body
from ssbtek_gateway.simulator.dates import today_in_sweden
from ssbtek_gateway.simulator.faults import Exchange, good

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.simulator.agency import Agency, Asked
    from ssbtek_gateway.simulator.asgi import Receive, Scope, Send
    from ssbtek_gateway.simulator.faults import Fault
    from ssbtek_gateway.simulator.personas import Persona

_BY_PATH = {f"/{code.lower()}": agency for code, agency in AGENCIES.items()}
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Simulator:
    """The ASGI app. `personas` is what `personas.load` gave, `faults` has at most one fault a base service, by code."""

    personas: Mapping[str, Persona]
    faults: Mapping[str, Fault] = field(default_factory=dict)
    today: Callable[[], date] = today_in_sweden

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refuse(scope)
        if refusal is not None:
            return await refusal.send(send)
        body = await read_body(receive)
        if body is None:
            return await Reply(b"", 413, _TEXT, (("connection", "close"),)).send(send)
        agency = _BY_PATH[scope["path"]]
        try:
            exchange = self._exchange(agency, body, media_type(scope)[1])
        except soap.SoapError as error:
            return await Reply(soap.fault(error.code, error.text), 500).send(send)
        fault = self.faults.get(agency.code)
        if fault is None:
            return await Reply(good(exchange)).send(send)
        return await fault.play(exchange, scope, receive, send)

    def _exchange(self, agency: Agency, body: bytes, charset: str | None) -> Exchange:
        """The question in `body` and what the agency has to say. Raises `SoapError`."""
        try:
            question = soap.body_child(xmlgate.parse_agency(body, charset))
        except xmlgate.XmlError as error:
            raise soap.SoapError("Client", error.regel) from None
        schema = agency.compiled_schema()
        if question.tag != agency.request or not schema.validate(question):
            raise soap.SoapError("Client", "Frågan följer inte bastjänstens schema.")
        try:
            asked = agency.read(question, self.today())
        except ValueError:
            raise soap.SoapError("Client", "Frågan innehåller ett datum som inte finns.") from None
        held = self._held(agency, asked)
        answer = agency.answer(asked, held)
        if not schema.validate(answer):
            # The personas were tried as they were loaded, so this is a mistake of ours.
            raise soap.SoapError("Server", "Simulatorn gjorde ett svar som inte följer schemat.")
        return Exchange(agency, asked.person, answer)

    def _held(self, agency: Agency, asked: Asked) -> _Element | None:
        """What the agency knows about the person in the asked period."""
        persona = next((persona for persona in self.personas.values() if persona.person == asked.person), None)
        held = persona.known_to(agency.code, asked.today) if persona is not None else None
        if held is not None:
            agency.cut(held, asked.period)
        return held


def _refuse(scope: Scope) -> Reply | None:
    """What HTTP itself refuses."""
    if scope["path"] not in _BY_PATH:
        return Reply(b"", 404, _TEXT)
    if scope["method"] != "POST":
        return Reply(b"", 405, _TEXT, (("allow", "POST"),))
    if media_type(scope)[0] != "text/xml":
        return Reply(b"SOAP 1.1 skickas som text/xml.", 415, _TEXT)
    return None
