"""security.md section 1, Business: what a base service refuses, and numbers that the environment decides about."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from harness import running_gateway
from vectors import make
from wire import Wired, request

from ssbtek_gateway.services.service import today

if TYPE_CHECKING:
    from pathlib import Path

    from wire import Trap

LAST_MONTH = today() - timedelta(days=30), today()
FOUR_YEARS = today() - timedelta(days=4 * 366), today()


def question(*edits: tuple[str, str], period: tuple[object, object] = LAST_MONTH) -> bytes:
    """The template over a period that every base service answers for, with `edits`."""
    first, last = period
    text = make.edited(*edits)
    for old, new in (("2026-01-01", first), ("2026-01-31", last), ("2025-12-01", first), ("2026-01-15", last)):
        text = text.replace(old, str(new))
    return text.encode()


def lefi(first: object = LAST_MONTH[0], last: object = LAST_MONTH[1], **changes: object) -> tuple[str, str]:
    """An edit that asks FK for one kind of benefit."""
    asked = {
        "personnummer": make.PERSON,
        "period": {"from": str(first), "tom": str(last)},
        "beslut": ["PM:AP"],
        **changes,
    }
    return make.leaf("lefiJsonFraga", make.lefi(make.PERSON), b64encode(json.dumps(asked).encode()).decode())


NO_FRAGA = make.TEMPLATE[make.TEMPLATE.index('<ssbt:FK inkludera="true">') :].partition("</ssbt:FK>")[0] + "</ssbt:FK>"
BITRADE = (
    "<ssbt:personuppgiftsbitrade><ssbt:organisationsnummer>162120009994</ssbt:organisationsnummer>"
    "<ssbt:namn>A</ssbt:namn></ssbt:personuppgiftsbitrade>"
)
SECTION = {
    "nothing": ({}, question(lefi())),
    "FK without fraga": ({"FK": "OGILTIG_FRAGA"}, question((NO_FRAGA, '<ssbt:FK inkludera="true"/>'))),
    "FK for four years": ({"FK": "OGILTIG_FRAGA"}, question(lefi(first=FOUR_YEARS[0]))),
    "FK for a period that ends before it begins": ({"FK": "OGILTIG_FRAGA"}, question(lefi(*reversed(LAST_MONTH)))),
    "FK without a period": ({"FK": "OGILTIG_FRAGA"}, question(lefi(period=None))),
    "FK for odd days": ({"FK": "OGILTIG_FRAGA"}, question(lefi("0000-01-01", "12025-01-01"))),
    "FK in version 8": ({"FK": "OGILTIG_FRAGA"}, question(lefi(), make.leaf("version", "v9", "v8"))),
    "FK in a version that is a path": ({"FK": "OGILTIG_FRAGA"}, question(lefi(), make.leaf("version", "v9", "../v9"))),
    **{
        f"aktorsid {value!r}": ({"FK": "EJ_BEHORIG"}, question(lefi(), make.leaf("aktorsid", "TEST-01", value)))
        for value in ("OKAND", "../TEST-01", "TEST-01/../2", "TEST-01?x", "http://127.0.0.1:9/", "TEST-01&#13;X: y")
    },
    "arendeidentitet of 32": (
        {"CSN": "OGILTIG_FRAGA"},
        question(lefi(), make.leaf("arendeidentitet", "Ärende-17", "a" * 32)),
    ),
    "arendeidentitet of 31": ({}, question(lefi(), make.leaf("arendeidentitet", "Ärende-17", "a" * 31))),
    "CSN for four years": ({"CSN": "OGILTIG_FRAGA"}, question(lefi(), period=FOUR_YEARS)),
    "two bitraden": (
        {"AF": "OGILTIG_FRAGA"},
        question(
            lefi(),
            (
                "        <ssbt:syfte>",
                f"{BITRADE}        <ssbt:syfte>",
            ),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SECTION)
def test_what_one_base_service_cannot_be_asked_costs_its_section_only(wired: Wired, name: str) -> None:
    expected, message = SECTION[name]
    _, errors = wired.answered(request(wired.trap.baited(message)))
    assert errors == expected


@pytest.mark.parametrize("digits", [5_000, 100_000], ids=str)
def test_a_number_that_takes_long_to_read_is_not_read(wired: Wired, digits: int) -> None:
    asked = f'{{"personnummer": "{make.PERSON}", "x": {"9" * digits}}}'
    edit = make.leaf("lefiJsonFraga", make.lefi(make.PERSON), b64encode(asked.encode()).decode())
    wired.faulted(request(question(edit)), felkod="OGILTIG_FRAGA", says="lefiJsonFraga: ska vara JSON")


def test_an_environment_may_demand_a_right_check_digit(
    pki: Path, tmp_path: Path, agencies: int, trap: Trap, capfd: pytest.CaptureFixture[str]
) -> None:
    demanding = '[regler]\nkontrollsiffra = "krav"'
    with running_gateway(pki, tmp_path, agencies, demanding) as gateway:
        wired = Wired(gateway, capfd, trap)
        says = "personidentitet: kontrollsiffran (den sista siffran) stämmer inte."
        wired.faulted(request(make.VALID["check-digit-wrong"]), felkod="OGILTIG_FRAGA", says=says)
        wired.answered(request(make.VALID["samordningsnummer-without-month"]))
