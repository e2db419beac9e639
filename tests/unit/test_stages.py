"""The table that `make profile` goes by names what there is: a renamed function must not end up under "other"."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from load.stages import LOOP, STAGES, WRITER, process_stage, stage

PACKAGE = Path(__file__).parents[2] / "ssbtek_gateway"
OURS = sorted(place for places in STAGES.values() for place in places if not place.startswith("/"))


@pytest.mark.parametrize("place", OURS)
def test_each_place_is_there(place: str) -> None:
    file, _, function = place.partition(":")
    assert (PACKAGE / file).exists()
    if function:
        nodes = ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8")))
        assert function in {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_no_place_is_in_two_stages() -> None:
    assert len(OURS) == len(set(OURS))


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (
            ["Flow.hamta (ssbtek_gateway/flow.py:60)", "check (ssbtek_gateway/contracts/size.py:27)"],
            "gate, spyne, XSD in",
        ),
        # A helper belongs to the function that called it.
        (
            [
                "SoapService._outcome (ssbtek_gateway/services/soap.py:110)",
                "parse_agency (ssbtek_gateway/xmlgate.py:78)",
                "_parse (ssbtek_gateway/xmlgate.py:104)",
            ],
            "parse, judge",
        ),
        (["Runner.run (asyncio/runners.py:118)", "SSLObject.write (ssl.py:930)"], "TLS"),
        (["Runner.run (asyncio/runners.py:118)"], LOOP),
        ([""], LOOP),
    ],
)
def test_a_stack_belongs_to_the_innermost_place(frames: list[str], expected: str) -> None:
    assert stage(frames) == expected


def test_a_process_of_the_audits_is_the_audits() -> None:
    assert process_stage("python -P -m ssbtek_gateway.audit.writer 7") == WRITER
    assert process_stage("python -P -m ssbtek_gateway.worker gateway.toml 1 12 7") is None
