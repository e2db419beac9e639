from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PLAYING = Path(__file__).with_name("playing.py")
TESTS = PLAYING.parents[2]


def test_a_signal_ends_every_fault_in_play_quietly_and_serve_returns(pki: Path) -> None:
    # Both at once, for each takes a while to start and to stop.
    at_once, play = (
        subprocess.Popen(
            [sys.executable, "-W", "error", PLAYING, pki, *arguments],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in (("SIGINT",), ("SIGTERM", "play"))
    )
    for process, seen in (
        (at_once, []),
        (play, ["AF less", "SO nothing", "CSN more", "TNS nothing", "MIV reset", "FK HTTP/1.1 200 OK"]),
    ):
        said, complaints = process.communicate(timeout=30)
        assert complaints == ""
        assert said.splitlines() == [*seen, "returned"]
        assert process.returncode == 0
