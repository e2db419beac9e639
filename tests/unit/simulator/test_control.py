from __future__ import annotations

import asyncio
import json
from datetime import date

from unit.simulator import driver
from unit.simulator.driver import EVERY, Got, question

from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.control import Control
from ssbtek_gateway.simulator.personas import load

TODAY = date(2026, 3, 31)
PERSONAS = load(today=TODAY)
PERSON = "191212121212"


def control(app: Simulator, method: str, path: str, body: str = "") -> Got:
    return asyncio.run(driver.exchange(Control(app), path, body.encode(), method=method))


def statuses(app: Simulator) -> dict[str, int]:
    return {service: driver.ask(app, service, PERSON, TODAY, TODAY).status for service in EVERY}


def test_faults_are_switched_listed_and_taken_away() -> None:
    app = Simulator(PERSONAS, today=lambda: TODAY)
    assert control(app, "PUT", "/faults/SO", "http503").status == 204
    assert control(app, "PUT", "/faults/FK", "slow:3\n").status == 204
    assert control(app, "GET", "/faults").json() == {"SO": "http503", "FK": "slow:3"}
    control(app, "PUT", "/faults/FK", "http429")
    assert statuses(app) == {**dict.fromkeys(EVERY, 200), "SO": 503, "FK": 429}
    assert control(app, "DELETE", "/faults/SO").status == 204
    assert control(app, "DELETE", "/faults/SO").status == 204
    assert statuses(app) == {**dict.fromkeys(EVERY, 200), "FK": 429}
    assert control(app, "DELETE", "/faults").status == 204
    assert control(app, "GET", "/faults").json() == {}
    assert statuses(app) == dict.fromkeys(EVERY, 200)


def test_what_cannot_be_done_is_explained_and_changes_nothing() -> None:
    app = Simulator(PERSONAS)
    for method, path, body, status, rule in (
        ("PUT", "/faults/SO", "explode", 400, b"KIND is one of"),
        ("PUT", "/faults/TNS", "other-person", 400, b"does not say whom"),
        ("PUT", "/faults/XY", "hang", 404, b"KOD is one of AF, SO"),
        ("PUT", "/faults", "hang", 404, b"PUT /faults/KOD"),
        ("POST", "/asked", "", 404, b"GET /asked"),
        ("GET", "/", "", 404, b"GET /faults"),
    ):
        got = control(app, method, path, body)
        assert (got.status, rule in got.body) == (status, True), got
    assert app.faults == {}


def test_every_request_that_an_agency_takes_in_is_counted() -> None:
    app = Simulator(PERSONAS, today=lambda: TODAY)
    assert control(app, "GET", "/asked").json() == dict.fromkeys(EVERY, 0)
    driver.ask(app, "SO", PERSON, TODAY, TODAY)
    control(app, "PUT", "/faults/SO", "reset")
    driver.ask(app, "SO", PERSON, TODAY, TODAY)
    driver.post(app, "/af", b"no question")
    assert json.loads(control(app, "GET", "/asked").body) == dict.fromkeys(EVERY, 0) | {"SO": 2, "AF": 1}


def test_what_is_being_answered_when_a_fault_is_switched_goes_on_as_it_began() -> None:
    started = asyncio.Event()

    def today() -> date:
        # The agency looks at the calendar when it has taken the question in.
        started.set()
        return TODAY

    app = Simulator(PERSONAS, today=today)

    async def main() -> Got:
        asked = asyncio.create_task(driver.exchange(app, "/so", question("SO", PERSON, TODAY, TODAY)))
        await driver.exchange(Control(app), "/faults/SO", b"slow:0.1", method="PUT")
        await started.wait()
        await driver.exchange(Control(app), "/faults/SO", b"http503", method="PUT")
        return await asked

    assert asyncio.run(main()).status == 200


ANNA = """<?xml version="1.0" encoding="UTF-8"?>
<persona xmlns="urn:ssbtek-gateway:persona" alias="anna" personidentitet="198501139995">
  <beskrivning>Har en bil.</beskrivning>
  <TNS xmlns:f="http://schema.transportstyrelsen.se/ssbtek/fordon/1"><f:fordon><f:regnr>ABC12A</f:regnr>
    <f:fabrikat>VOLVO</f:fabrikat><f:fordonsar>2009</f:fordonsar><f:fordonsslag>Personbil</f:fordonsslag>
    <f:handelsbeteckning/></f:fordon></TNS>
</persona>
"""


def test_people_are_made_known_changed_and_forgotten_while_it_runs() -> None:
    app = Simulator(load(today=TODAY), today=lambda: TODAY)

    def cars() -> int:
        return driver.ask(app, "TNS", "198501139995", TODAY, TODAY).body.count(b"regnr>") // 2

    assert cars() == 0
    assert control(app, "PUT", "/personas/anna", ANNA).status == 204
    assert cars() == 1
    assert control(app, "GET", "/personas").json()["anna"] == "Har en bil."
    got = control(app, "PUT", "/personas/anna", ANNA.replace("<f:fabrikat>VOLVO</f:fabrikat>", ""))
    assert got.status == 400
    assert got.body.startswith(b"anna.xml:")
    assert b"fordonsar" in got.body
    for wrong, rule in ((("anna", "sara"), b"alias is the file's name"), (("198501139995", PERSON), b"same person")):
        assert rule in control(app, "PUT", "/personas/anna", ANNA.replace(*wrong)).body
    assert cars() == 1
    assert control(app, "DELETE", "/personas/anna").status == 204
    assert cars() == 0
