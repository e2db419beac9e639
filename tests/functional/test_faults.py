"""Every fault of the simulator on every base service: the right error in that section, and the others unharmed."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chaos.asker import DATA, Answer, Asker, Faults
from harness import controlled_agencies, running_gateway
from vectors import make

from ssbtek_gateway.config import KODER
from ssbtek_gateway.simulator.faults import KINDS, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Gateway

pytestmark = pytest.mark.anyio
# Generous: those that hang hang all at the same time. The breaker stays out of it.
LIMITS = "seconds = 4\nsparr_efter = 10000\nsamtidiga = 1000\nconnections = 1000"
TIMEOUT, ANSLUTNING, OGILTIGT_SVAR = "SSBT TIMEOUT", "SSBT ANSLUTNING", "SSBT OGILTIGT_SVAR"
# What a section says of each fault, and after it what FK's says where it is another: an HTTP status is FK's own code,
# and it speaks JSON. `flap` has a test of its own.
EXPECTED: dict[str, tuple[str, ...]] = {
    "slow": (TIMEOUT,),
    "hang": (TIMEOUT,),
    "hangheaders": (TIMEOUT,),
    "drip": (TIMEOUT,),
    "too-long": (TIMEOUT,),
    "close": (ANSLUTNING,),
    "reset": (ANSLUTNING,),
    "truncated": (OGILTIGT_SVAR,),
    "http401": ("BT FAULT", "BT 401"),
    "http403": ("BT FAULT", "BT 403"),
    "http404": ("BT FAULT", "BT 404"),
    "http429": ("BT FAULT", "BT 429"),
    "http500": ("BT FAULT", "BT 500"),
    "http503": ("BT FAULT", "BT 503"),
    "fault": ("BT FAULT", "BT 500"),
    "fault200": ("BT FAULT", OGILTIGT_SVAR),
    "fault-pnr": ("BT FAULT", "BT 500"),
    "longfault": (OGILTIGT_SVAR,),
    "garbage": (OGILTIGT_SVAR,),
    "empty": (OGILTIGT_SVAR,),
    "not-xml": (OGILTIGT_SVAR,),
    "invalid": (OGILTIGT_SVAR,),
    "soap12": (OGILTIGT_SVAR,),
    "two-bodies": (OGILTIGT_SVAR,),
    "doctype": (OGILTIGT_SVAR,),
    "xxe": (OGILTIGT_SVAR,),
    "comments": (DATA,),
    "other-person": ("SSBT FEL_PERSON",),
    "korrelationsid": ("SSBT FEL_PERSON",),
    "extra": (DATA,),
    "huge": (OGILTIGT_SVAR,),
    "gzip": (OGILTIGT_SVAR,),
    "gzip-bomb": (OGILTIGT_SVAR,),
    # RFC 8259: JSON is UTF-8, and a charset in the header means nothing.
    "charset": (OGILTIGT_SVAR, DATA),
    "utf-16": (DATA, OGILTIGT_SVAR),
    "redirect": (OGILTIGT_SVAR,),
    "redirect-loop": (OGILTIGT_SVAR,),
    "redirect-file": (OGILTIGT_SVAR,),
    "http09": (OGILTIGT_SVAR,),
    "bad-chunk": (OGILTIGT_SVAR,),
    "too-short": (OGILTIGT_SVAR,),
}
# Nothing of an agency's own text, nor of the person, may come with an error.
FORBIDDEN = (make.PERSON[2:].encode(), b"ORA-", b"Internt fel", b"root:")


def expected(service: str, kind: str) -> str:
    return EXPECTED[kind][-1 if service == "FK" else 0]


def spelled(kind: str) -> str:
    return "slow:60" if kind == "slow" else kind


def playable() -> Iterator[tuple[str, str]]:
    for kind in EXPECTED:
        for service in KODER:
            try:
                fault_of(service, spelled(kind))
            except ValueError:
                continue  # such as another person, where an answer names none
            yield service, kind


@pytest.fixture(scope="module")
def rig(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, int]]:
    """A gateway, and the port where its agencies' faults are switched."""
    with (
        controlled_agencies(pki) as (agencies, control),
        running_gateway(pki, tmp_path_factory.mktemp("faults"), agencies, bastjanst=LIMITS) as gateway,
    ):
        yield gateway, control


def test_every_kind_has_its_row() -> None:
    assert EXPECTED.keys() == KINDS.keys() - {"flap"}


def test_the_documentation_says_the_same() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([a-z0-9-]+)` \| .* \| (.*) \|$", page.partition("## Faults")[2], re.MULTILINE))
    said = {kind: "; FK ".join(outcomes) for kind, outcomes in EXPECTED.items()}
    assert documented == said | {"flap": "by turns DATA and SSBT ANSLUTNING"}
    assert {kind for kind, text in KINDS.items() if f"| `{kind}` | {text} |" not in page} == set()


async def test_every_fault_on_every_service(rig: tuple[Gateway, int]) -> None:
    gateway, control = rig
    asked = dict[tuple[str, str], asyncio.Task[Answer]]()
    async with Asker(gateway.pki) as asker, Faults(control) as faults:
        good = await asker.ask(gateway.url, "before")
        assert good.outcomes == dict.fromkeys(KODER, DATA)
        for number, (service, kind) in enumerate(playable(), start=2):
            await faults.play(service, spelled(kind))
            asked[service, kind] = asyncio.create_task(asker.ask(gateway.url, f"{service} {kind}"))
            # When every agency has been asked the next fault may be played, however long this one hangs.
            await faults.until_asked(number)
            await faults.clear()
        answers = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
        assert (await asker.ask(gateway.url, "after")).outcomes == good.outcomes
    wrong = {
        cell: answer.outcomes
        for (service, kind), answer in answers.items()
        if answer.outcomes != dict.fromkeys(KODER, DATA) | {service: expected(*(cell := (service, kind)))}
    }
    assert wrong == {}
    assert [cell for cell, answer in answers.items() if not answer.valid] == []
    for cell, answer in answers.items():
        errors = b"".join(re.findall(rb"<ssbt:error>.*?</ssbt:error>", answer.body, re.DOTALL))
        assert not any(text in errors for text in FORBIDDEN), cell


async def test_a_service_that_flaps_fails_every_second_question(rig: tuple[Gateway, int]) -> None:
    gateway, control = rig
    async with Asker(gateway.pki) as asker, Faults(control) as faults:
        for service in KODER:
            await faults.play(service, "flap:1")
            answers = [await asker.ask(gateway.url, "flap") for _ in range(4)]
            await faults.clear()
            seen = [answer.outcomes[service] for answer in answers]
            assert seen in ([DATA, ANSLUTNING] * 2, [ANSLUTNING, DATA] * 2)
            others = [outcome for answer in answers for kod, outcome in answer.outcomes.items() if kod != service]
            assert set(others) == {DATA}
