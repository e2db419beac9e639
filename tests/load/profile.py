"""`make profile`: where the CPU of a question goes, stage by stage, over all processes of our gateway.

py-spy looks at the running processes some 100 times a second without stopping them. Its samples say which part of a
process's time a stage has (tests/load/stages.py); the kernel says how much CPU the process used meanwhile. What that
sums to is compared with a run without py-spy before it and one after, and must be within a tenth of it: exit code 1
otherwise, as on a machine that others use too. Needs Linux, what `make bench` builds, and the right to trace one's own
processes (root, or kernel.yama.ptrace_scope = 0).
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from load import process, rig, stages
from load.gateways import ours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXAMPLES = """examples:
  make profile                             plain upstream, six sections, 16 at once
  make profile ARGS=--real                 a handshake a question, mutual TLS upstream, FK too
  make profile ARGS='--n 500 --functions'  quick, with the functions that each stage spends it in
"""
WARM_SECONDS = 5
WIDTH = 40
TOLERANCE = 0.1


def main() -> int:
    options = _options()
    sections = rig.SECTIONS if options.real else rig.SOAP_SECTIONS
    with tempfile.TemporaryDirectory(prefix="profile-", dir=rig.WORK) as name:
        folder = Path(name)
        certs = rig.certificates(folder / "certs")
        load = rig.Load(certs, rig.question(folder, sections), sections, fresh=options.real)
        with rig.stub(folder, certs, tls=options.real) as stub, ours(folder, stub) as gateway:
            load.warm(gateway.url, WARM_SECONDS)
            without = [load.measure(gateway.url, gateway.pid, options.concurrency, options.n).cpu]
            with _sampling(gateway.pid, folder / "stacks", options.rate):
                commands = {pid: _command(pid) for pid in process.tree(gateway.pid)}
                before = {pid: process.own_cpu_seconds(pid) for pid in commands}
                load.measure(gateway.url, gateway.pid, options.concurrency, options.n)
                used = {pid: process.own_cpu_seconds(pid) - before[pid] for pid in commands}
            without.append(load.measure(gateway.url, gateway.pid, options.concurrency, options.n).cpu)
        samples, functions = _read(folder / "stacks", commands)
    cost: Counter[str] = Counter()
    for pid, seconds in used.items():
        seen = samples.get(pid) or Counter([stages.process_stage(commands[pid]) or stages.LOOP])
        for stage, count in seen.items():
            cost[stage] += 1000 * seconds * count / seen.total() / options.n
    measured = sum(without) / len(without)
    _tell(cost, measured, functions if options.functions else {})
    return 0 if abs(cost.total() / measured - 1) <= TOLERANCE else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make profile", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=6000, help="questions in each of the three runs (6000)")
    parser.add_argument("--concurrency", type=int, default=16, help="questions at once (16)")
    parser.add_argument("--rate", type=int, default=100, help="samples a second of each process (100)")
    parser.add_argument("--real", action="store_true", help="a full handshake a question, mutual TLS upstream, FK too")
    parser.add_argument(
        "--functions", action="store_true", help="name the ten functions that each stage is seen in most"
    )
    return parser.parse_args()


@contextmanager
def _sampling(pid: int, out: Path, rate: int) -> Iterator[None]:
    spy = Path(sys.executable).with_name("py-spy")
    command = [spy, "record", "--pid", pid, "--subprocesses", "--nonblocking", "--rate", rate, "--format", "raw"]
    log = out.with_suffix(".log")
    with log.open("wb") as stream:
        sampler = subprocess.Popen([*map(str, command), "--output", str(out)], stdout=stream, stderr=stream)
    try:
        process.wait(lambda: sampler.poll() is not None or "Sampling process" in log.read_text(encoding="utf-8"), log)
        if sampler.poll() is not None:
            raise rig.BenchError(f"py-spy: {log.read_text(encoding='utf-8')}")
        yield
    finally:
        sampler.send_signal(signal.SIGINT)
        sampler.wait(process.STOP_SECONDS)


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")


def _read(stacks: Path, commands: Mapping[int, str]) -> tuple[dict[int, Counter[str]], dict[str, Counter[str]]]:
    """How often each process was seen in each stage, and each stage in each function."""
    samples: dict[int, Counter[str]] = {}
    functions: dict[str, Counter[str]] = {}
    for line in stacks.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        # The processes come first, the innermost last; a command line may hold semicolons, a pid does not.
        pid = int(stack.rpartition("process ")[2].partition(":")[0])
        frames = stack.rpartition("process ")[2].partition('";')[2].split(";")
        stage = stages.process_stage(commands.get(pid, "")) or stages.stage(frames)
        samples.setdefault(pid, Counter())[stage] += int(count)
        functions.setdefault(stage, Counter())[frames[-1]] += int(count)
    return samples, functions


def _tell(cost: Counter[str], measured: float, functions: dict[str, Counter[str]]) -> None:
    say = sys.stdout.write
    total, most = cost.total(), max(cost.values())
    say("CPU a question, ms\n")
    for stage in stages.STAGES:
        bar = "█" * round(WIDTH * cost[stage] / most)
        say(f"{stage:28} {cost[stage]:6.3f} {100 * cost[stage] / total:4.0f} %  {bar}\n")
        for function, count in functions.get(stage, Counter()).most_common(10):
            say(f"{'':28} {count:6}        {function}\n")
    say(f"{'together':28} {total:6.3f}        {100 * total / measured:.0f} % of the {measured:.3f} without py-spy\n")


if __name__ == "__main__":
    sys.exit(main())
