"""What every base service owes, whichever it is: driven against the simulator without sockets, for every persona."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from unit.builders import question
from unit.simulator.driver import EVERY_GROUP, PARTS, exchange
from vectors import make

from ssbtek_gateway import config
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.model import Failure, FkFraga, Party, Period, PersonId, SkvFraga
from ssbtek_gateway.services import REGISTRY, fk_rest, skv, soap
from ssbtek_gateway.services.csn import months
from ssbtek_gateway.services.service import today
from ssbtek_gateway.services.transport import Reply
from ssbtek_gateway.simulator import personas
from ssbtek_gateway.simulator.app import Simulator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.model import Outcome, Question
    from ssbtek_gateway.services.service import BaseService

pytestmark = pytest.mark.anyio
WITH_TEST_OF_ITS_OWN = {"AF", "FK"}
SETTINGS: dict[str, dict[str, Any]] = {
    "AF": {"test": {"personidentitet": make.PERSON, "organisationsnummer": make.KOMMUN, "namn": "T"}},
    "FK": {"test_aktorsid": "TEST-01"},
    "SKV": {"delar_url": "https://agency.example/skv/v11"},
    "FK SOAP": {"test_aktorsid": "TEST-01", "transport": "soap"},
}


@cache
def known() -> dict[str, personas.Persona]:
    return personas.load()


class SimulatedTransport:
    """`Transport` straight into the simulator; `sent` is every byte that a service wanted to send."""

    sent: list[str]

    def __init__(self, _settings: config.Bastjanst) -> None:
        self._simulator = Simulator(known(), {})

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        self.sent.append(url + body.decode())
        return await self._exchange("POST", url, body, headers["Content-Type"].partition(";")[0])

    async def get(self, url: str) -> Reply:
        return await self._exchange("GET", url, b"", "")

    async def ping(self, _url: str) -> None:
        return None

    async def close(self) -> None:
        return None

    async def _exchange(self, method: str, url: str, body: bytes, media: str) -> Reply:
        got = await exchange(self._simulator, urlsplit(url).path, body, method=method, media=media)
        return Reply(got.status, "utf-8", got.body)


@pytest.fixture(params=[*REGISTRY, "FK SOAP"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, BaseService]:
    kod = request.param.partition(" ")[0]
    SimulatedTransport.sent = []
    for module in (soap, fk_rest, skv):
        monkeypatch.setattr(module, "Transport", SimulatedTransport)
    model = config.Bastjanster.model_validate(
        {
            kod: {
                "url": f"https://agency.example/{kod.lower()}",
                "authority": "ca.pem",
                **SETTINGS.get(request.param, {}),
            }
        }
    )
    return kod, REGISTRY[kod].connect(getattr(model, kod))


def asked(person: PersonId, version: str) -> Question:
    """A question about `person` to every service over the last month, in a version."""
    period = Period(months(today(), -1), today())
    lefi = {
        "personnummer": person.reveal(),
        "period": {"from": period.from_datum.isoformat(), "tom": period.tom_datum.isoformat()},
        **EVERY_GROUP,
    }
    return replace(
        question(),
        version=version,
        person=person,
        bitraden=(),
        perioder=dict.fromkeys(REGISTRY, period),
        fk=FkFraga("v9", "TEST-01", json.dumps(lefi).encode(), lefi),
        skv=SkvFraga((period.tom_datum.year - 1,), PARTS) if version == "11" else None,
        skv_dokument=CONTRACTS[version].skv_dokument,
    )


def verdicts(outcome: Outcome) -> set[str]:
    """The verdicts in an answer, or the failure's source: both tell that it was judged."""
    if isinstance(outcome, Failure):
        return {outcome.kalla}
    assert outcome.bedomningar
    return {bedomning.verdict for bedomning in outcome.bedomningar}


async def ask(service: BaseService, alias: str, version: str) -> Outcome:
    return await service.ask(asked(known()[alias].person, version))


@pytest.mark.parametrize("version", CONTRACTS)
async def test_nothing_found_is_told_from_an_answer_and_from_a_fault(
    service: tuple[str, BaseService], version: str
) -> None:
    kod, connected = service
    assert "SVARAT" in verdicts(await ask(connected, "allt", version))
    nothing = verdicts(await ask(connected, "inget", version))
    # Where every part of SKV's answer is 404, nothing tells an empty answer from a fault.
    assert nothing == ({"KAN_EJ_AVGORAS"} if (kod, version) == ("SKV", "11") else {"INGET_FUNNET"})
    failing = verdicts(await ask(connected, "fel-i-svar", version))
    assert failing & {"KAN_EJ_AVGORAS", "BT"}
    assert "INGET_FUNNET" not in failing


@pytest.mark.parametrize("version", CONTRACTS)
async def test_every_persona_is_judged(service: tuple[str, BaseService], version: str) -> None:
    for alias in known().keys() - {"fel-i-transport"}:
        verdicts(await ask(service[1], alias, version))


@pytest.mark.parametrize("version", CONTRACTS)
async def test_nothing_that_is_kept_prints_the_person(service: tuple[str, BaseService], version: str) -> None:
    wanted = asked(known()["allt"].person, version)
    outcome = await service[1].ask(wanted)
    printed = f"{wanted!r} {outcome!r} {outcome!s} {service[1]!r}"
    assert "1212121212" not in printed
    assert "Tolvan" not in printed


async def test_only_a_service_with_a_test_of_its_own_is_called_and_never_about_a_caller(
    service: tuple[str, BaseService],
) -> None:
    kod, connected = service
    assert await connected.test() == (kod in WITH_TEST_OF_ITS_OWN, None)


async def test_a_limit_of_its_own_is_kept_before_anything_is_sent(service: tuple[str, BaseService]) -> None:
    kod, connected = service
    beyond: dict[str, dict[str, Any]] = {
        "AF": {"bitraden": (Party(make.BITRADE, "A"), Party(make.KOMMUN, "B"))},
        "CSN": {"arendeidentitet": "X" * 32},
        "FK": {"fk": None},
        "SKV": {"skv": None, "skv_dokument": False},
        "TNS": {"person": PersonId("189001019802")},
    }
    if kod not in beyond:  # SO and MIV have no limit that is known
        return
    outcome = await connected.ask(replace(asked(known()["allt"].person, "10"), **beyond[kod]))
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("SSBT", "OGILTIG_FRAGA")
    assert re.match(r"[A-Za-z/]+: ", outcome.felmeddelande[1]), "names the field first"
    assert SimulatedTransport.sent == []
