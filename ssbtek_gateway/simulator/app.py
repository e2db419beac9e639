"""The simulated agencies as an ASGI app: SOAP 1.1 at /af, /so, /csn, …, also /fk; REST below /fk and /skv/v11."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ssbtek_gateway.simulator import AGENCIES, stored
from ssbtek_gateway.simulator.agency import Refusal, Request, World
from ssbtek_gateway.simulator.asgi import Reply, media_type, read_body
from ssbtek_gateway.simulator.dates import today_in_sweden
from ssbtek_gateway.simulator.soap import SoapError, fault
from ssbtek_gateway.simulator.wssecurity import Signed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.model import PersonId
    from ssbtek_gateway.simulator.agency import Agency, Exchange, Interface
    from ssbtek_gateway.simulator.asgi import Receive, Scope, Send
    from ssbtek_gateway.simulator.faults import Fault
    from ssbtek_gateway.simulator.personas import Persona
    from ssbtek_gateway.simulator.stored import Stored
    from ssbtek_gateway.simulator.wssecurity import Signing

# Whom Försäkringskassan lets ask, by aktörsid.
AKTORER = ("TEST-01", "TEST-02")

_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Simulator:
    """The ASGI app. `personas` is what `personas.load` gave, `faults` has at most one fault a base service, by code.

    A fault that a persona carries is played where `faults` has none for that base service. `asked` counts the requests
    to each base service. `stored` has answers that come before the personas' (`stored.py`); with any of them every
    aktör may ask. `personas`, `faults` and `stored` may change at any time;
    `refresh` is called before each question, and may change them.
    """

    personas: dict[str, Persona]
    faults: dict[str, Fault] = field(default_factory=dict)
    today: Callable[[], date] = today_in_sweden
    aktorer: tuple[str, ...] = AKTORER
    signing: Signing | None = None
    asked: Counter[str] = field(default_factory=Counter)
    stored: dict[str, Sequence[Stored]] = field(default_factory=dict)
    refresh: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.refresh()
        found = _find(scope["path"])
        if found is None:
            return await Reply(b"", 404, _TEXT).send(send)
        agency, interface = found
        refusal = _refuse(interface, scope)
        if refusal is not None:
            return await refusal.send(send)
        # Decided as the request comes, so that a fault may be switched as soon as it is counted.
        fault, before = self.faults.get(agency.code), self.asked[agency.code]
        self.asked[agency.code] += 1
        body = await read_body(receive)
        if body is None:
            return await Reply(b"", 413, _TEXT, (("connection", "close"),)).send(send)
        request = Request(scope["method"], scope["path"], body, media_type(scope)[1])
        try:
            exchange = self._exchange(agency, interface, request)
        except Refusal as refused:
            return await refused.reply.send(send)
        fault = fault or self._fault_of(agency, exchange)
        played = fault.at(before) if fault is not None else None
        if played is None:
            return await exchange.good().send(send)
        return await played.play(exchange, scope, receive, send)

    def _exchange(self, agency: Agency, interface: Interface, request: Request) -> Exchange:
        exchange = interface.exchange(request, self._world(agency))
        reply = stored.find(self.stored, request.path, request.body, exchange.person)
        if reply is not None:
            repeated = stored.repeating(reply, request.body) if agency.repeats_korrelationsid else reply
            exchange = stored.Answered(exchange, repeated)
        if self.signing is None or interface.media()[0] != "text/xml":
            return exchange
        try:
            self.signing.check(request.body)
        except SoapError as error:
            raise Refusal(Reply(fault(error.code, error.text), 500)) from None
        return Signed(exchange, self.signing)

    def _world(self, agency: Agency) -> World:
        today = self.today()

        def held(person: PersonId) -> _Element | None:
            persona = self._persona(person)
            return persona.known_to(agency.code, today) if persona is not None else None

        return World(today, _Anybody() if self.stored else self.aktorer, held)

    def _fault_of(self, agency: Agency, exchange: Exchange) -> Fault | None:
        persona = self._persona(exchange.person)
        return persona.faults.get(agency.code) if persona is not None else None

    def _persona(self, person: PersonId | None) -> Persona | None:
        return next((persona for persona in self.personas.values() if persona.person == person), None)


class _Anybody(tuple[str, ...]):
    """Every aktör: whom the recorded agency let ask is not known."""

    __slots__ = ()

    def __contains__(self, _aktor: object) -> bool:
        return True


def _find(path: str) -> tuple[Agency, Interface] | None:
    for agency in AGENCIES.values():
        for interface in agency.interfaces:
            if interface.methods(path):
                return agency, interface
    return None


def _refuse(interface: Interface, scope: Scope) -> Reply | None:
    """What HTTP itself refuses."""
    methods = interface.methods(scope["path"])
    if scope["method"] not in methods:
        return Reply(b"", 405, _TEXT, (("allow", ", ".join(methods)),))
    media, advice = interface.media()
    if scope["method"] == "POST" and media_type(scope)[0] != media:
        return Reply(advice.encode(), 415, _TEXT)
    return None
