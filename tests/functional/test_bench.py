"""What measures is right about ours: it is answered without an error, and a fault of a base service shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from external import missing, need

PEERS = Path(__file__).parents[1] / "load" / "peers"


@pytest.mark.external
@pytest.mark.parametrize("real", [[], ["--real"]], ids=["kept", "real"])
def test_the_bench_measures_ours(tmp_path_factory: pytest.TempPathFactory, real: list[str]) -> None:
    # Not the test's own folder, which is searched for persons: the stub answers about one.
    work = tmp_path_factory.mktemp("bench")
    compiler = need("gcc", "gcc")
    if not Path("/usr/include/openssl/ssl.h").exists():
        missing("OpenSSL's header", "apt install libssl-dev")
    (work / "bin").mkdir()
    for program in ("stub", "load"):
        source, made = PEERS / program / f"{program}.c", work / "bin" / program
        subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-o", made, source, "-lssl", "-lcrypto"], check=True)
    options = ["--peers", "--rounds", "1", "--concs", "4", "--delays", "0", "--n", "40", "--warm", "0.1"]
    told = subprocess.run(
        [sys.executable, "-m", "load.bench", *options, *real],
        env={**os.environ, "BENCH_WORK": str(work), "PYTHONPATH": str(PEERS.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "+0 ms, 4 at once" in told.stdout
    assert ", 0 errors" in told.stdout
