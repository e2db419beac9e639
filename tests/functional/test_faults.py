"""Every fault of the simulator on every base service: the right error in that section, and the others unharmed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chaos import matrix
from chaos.asker import DATA, Answer, Asker, Faults
from harness import controlled_agencies, running_gateway
from vectors import make

from ssbtek_gateway.config import KODER
from ssbtek_gateway.simulator.faults import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Gateway

pytestmark = pytest.mark.anyio
# Nothing of an agency's own text, nor of the person, may come with an error.
FORBIDDEN = (make.PERSON[2:].encode(), b"ORA-", b"Internt fel", b"root:")


@pytest.fixture(scope="module")
def agencies(pki: Path) -> Iterator[tuple[int, int]]:
    """Their port, and the one where their faults are switched."""
    with controlled_agencies(pki) as ports:
        yield ports


@pytest.fixture(scope="module")
def rig(
    pki: Path, agencies: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, int]]:
    """A gateway, and the port where its agencies' faults are switched."""
    port, control = agencies
    with running_gateway(pki, tmp_path_factory.mktemp("faults"), port, bastjanst=matrix.LIMITS) as gateway:
        yield gateway, control


def leaks(answer: Answer) -> bool:
    errors = b"".join(re.findall(rb"<ssbt:error>.*?</ssbt:error>", answer.body, re.DOTALL))
    return any(text in errors for text in FORBIDDEN)


def test_every_kind_has_its_row() -> None:
    assert matrix.EXPECTED.keys() == KINDS.keys() - {"flap"}


def test_the_documentation_says_the_same() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([a-z0-9-]+)` \| .* \| (.*) \|$", page.partition("## Faults")[2], re.MULTILINE))
    said = {kind: "; FK ".join(outcomes) for kind, outcomes in matrix.EXPECTED.items()}
    assert documented == said | {"flap": "by turns DATA and SSBT ANSLUTNING"}
    assert {kind for kind, text in KINDS.items() if f"| `{kind}` | {text} |" not in page} == set()


async def test_every_fault_on_every_service(rig: tuple[Gateway, int]) -> None:
    gateway, control = rig
    async with Asker(gateway.pki) as asker, Faults(control) as faults:
        played = await matrix.play(asker, faults, gateway.url)
        assert (await asker.ask(gateway.url, "after")).outcomes == dict.fromkeys(KODER, DATA)
    answers = {cell: answer for cell, (answer,) in played.items()}
    assert {
        cell: answer.outcomes for cell, answer in answers.items() if answer.outcomes != matrix.expected(*cell)
    } == {}
    assert [cell for cell, answer in answers.items() if not answer.valid] == []
    assert [cell for cell, answer in answers.items() if leaks(answer)] == []


async def test_every_fault_of_forsakringskassan_over_soap(pki: Path, agencies: tuple[int, int], tmp_path: Path) -> None:
    port, control = agencies
    limits = f'{matrix.LIMITS}\ntransport = "soap"'
    with running_gateway(pki, tmp_path, port, bastjanst=limits, connected=["FK"]) as gateway:
        async with Asker(gateway.pki) as asker, Faults(control) as faults:
            played = await matrix.play(asker, faults, gateway.url, services=["FK"])
    # As of every other service over SOAP.
    assert {kind: answer.outcomes["FK"] for (_, kind), (answer,) in played.items()} == {
        kind: matrix.EXPECTED[kind][0] for _, kind in matrix.cells(["FK"])
    }
    assert not any(leaks(answer) or not answer.valid for (answer,) in played.values())


async def test_a_service_that_flaps_fails_every_second_question(rig: tuple[Gateway, int]) -> None:
    gateway, control = rig
    async with Asker(gateway.pki) as asker, Faults(control) as faults:
        for service in KODER:
            await faults.play(service, "flap:1")
            answers = [await asker.ask(gateway.url, "flap") for _ in range(4)]
            await faults.clear()
            seen = [answer.outcomes[service] for answer in answers]
            assert seen in ([DATA, matrix.ANSLUTNING] * 2, [matrix.ANSLUTNING, DATA] * 2)
            others = [outcome for answer in answers for kod, outcome in answer.outcomes.items() if kod != service]
            assert set(others) == {DATA}
