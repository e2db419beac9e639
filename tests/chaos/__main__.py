"""`make chaos`: every scenario, or those that are named, and a table. Exit code 1 where one is not as it should be.

Needs Linux and Debian's faketime. As root or not: what root may and others may not is taken from the gateway.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from chaos import rig
from chaos.scenarios import SCENARIOS
from chaos.scene import HEADING, set_up

# Valid on every day that a clock jumps to.
_CERTIFICATES_FROM = "-3d"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"one of {', '.join(SCENARIOS)}")
    parser.add_argument("--questions", type=int, default=10_000, help="of the scenario many questions")
    arguments = parser.parse_args()
    unknown = set(arguments.scenarios) - SCENARIOS.keys()
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        return asyncio.run(_play(Path(folder), arguments.scenarios or list(SCENARIOS), arguments.questions))


async def _play(folder: Path, names: list[str], questions: int) -> int:
    pki = folder / "pki"
    rig.certificates(pki, _CERTIFICATES_FROM)
    wrong = 0
    _say(HEADING)
    with rig.agencies(pki) as ports:
        for number, name in enumerate(names):
            scenario = SCENARIOS[name]
            async with set_up(name, folder / str(number), pki, ports, scenario.settings, questions) as scene:
                try:
                    _say(await scenario.play(scene))
                except Exception as error:  # noqa: BLE001 - the other scenarios are played all the same
                    scene.wrong.append(f"{name}: {type(error).__name__}: {error}")
            for text in scene.wrong[:10]:
                _say(f"    {text}")
            wrong += bool(scene.wrong)
    return 1 if wrong else 0


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
