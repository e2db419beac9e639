"""`make fuzz`: libFuzzer, by way of atheris, looks for bytes that break the gate. Its options are libFuzzer's own."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["ssbtek_gateway", "fuzz"]):
    from fuzz.gate import one_input

atheris.Setup(sys.argv, one_input)
atheris.Fuzz()
