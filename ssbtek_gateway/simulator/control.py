"""Switching the simulator's faults and personas while it runs, and telling who was asked: a second ASGI app.

    GET    /faults          {"SO": "slow:3"}
    PUT    /faults/SO       the body is the fault: slow:3
    DELETE /faults/SO       SO answers well again
    DELETE /faults          all do
    GET    /personas        {"allt": "Har något hos varje myndighet.", …}
    PUT    /personas/ALIAS  the body is the persona's file, ALIAS.xml; one of that alias is replaced
    DELETE /personas/ALIAS  nobody knows them any more
    GET    /asked           {"AF": 12, "SO": 0, …}: requests since the start, however they were answered

What is being answered when a fault is switched goes on as it began.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ssbtek_gateway.simulator import AGENCIES, personas
from ssbtek_gateway.simulator.asgi import Reply, read_body
from ssbtek_gateway.simulator.faults import fault_of

if TYPE_CHECKING:
    from ssbtek_gateway.simulator.app import Simulator
    from ssbtek_gateway.simulator.asgi import Receive, Scope, Send

_TEXT = "text/plain; charset=utf-8"
_DONE = Reply(b"", 204, _TEXT)


@dataclass(frozen=True, slots=True)
class Control:
    """The app, for one `Simulator`."""

    simulator: Simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        text = (body or b"").decode(errors="replace").strip()
        await self._reply(scope["method"], scope["path"], text).send(send)

    def _reply(self, method: str, path: str, text: str) -> Reply:
        faults = self.simulator.faults
        service = path.removeprefix("/faults/")
        alias = path.removeprefix("/personas/") if path.startswith("/personas/") else ""
        match method, path:
            case "GET", "/faults":
                return _json({code: str(fault) for code, fault in faults.items()})
            case "GET", "/asked":
                return _json({code: self.simulator.asked[code] for code in AGENCIES})
            case "GET", "/personas":
                return _json({alias: persona.beskrivning for alias, persona in self.simulator.personas.items()})
            case "PUT", _ if alias:
                return self._take(alias, text)
            case "DELETE", _ if alias:
                self.simulator.personas.pop(alias, None)
                return _DONE
            case "DELETE", "/faults":
                faults.clear()
                return _DONE
            case "PUT", _ if service in AGENCIES:
                try:
                    faults[service] = fault_of(service, text)
                except ValueError as error:
                    return Reply(f"{error}\n".encode(), 400, _TEXT)
                return _DONE
            case "DELETE", _ if service in AGENCIES:
                faults.pop(service, None)
                return _DONE
        return Reply(f"write {_USE}, where KOD is one of {', '.join(AGENCIES)}\n".encode(), 404, _TEXT)

    def _take(self, alias: str, text: str) -> Reply:
        people = self.simulator.personas
        try:
            new = personas.read(Path(f"{alias}.xml"), text.encode())
            others = [persona for persona in people.values() if persona.alias != alias]
            known = personas.together([*others, new], self.simulator.today())
        except personas.PersonaError as error:
            return Reply(f"{error}\n".encode(), 400, _TEXT)
        people.update(known)
        return _DONE


_USE = (
    "GET /faults, PUT /faults/KOD, DELETE /faults/KOD, DELETE /faults, GET /personas, PUT /personas/ALIAS, "
    "DELETE /personas/ALIAS or GET /asked"
)


def _json(values: object) -> Reply:
    return Reply(f"{json.dumps(values)}\n".encode(), content_type="application/json")
