"""`make bench`: our gateway beside the same one on other stacks, in one run, in turns.

Ours runs as in production: supervisor and two workers, register and revocation list, XSD in and out, audit on SQLite
with full sync, metrics, log. The peers (tests/load/peers) have neither register nor audit. Before each is measured, a
fault of one base service must show in what the load generator counts. Exit code 1 where ours had an error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from load import rig
from load.gateways import GATEWAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from load.rig import Load, Measured, Stub

EXAMPLES = """examples:
  make bench                                        all of it: 3 rounds, about 20 minutes
  make bench ARGS=--real                            as real callers are: a handshake a question, mutual TLS upstream, FK
  make bench ARGS='--quick'                         does it work? A minute or two, and no figures to quote
  make bench ARGS='--peers java-jaxws --concs 16 --delays 0 --rounds 5'
"""
KEPT = "kept connections, plain HTTP upstream, six sections"
REAL = "a new connection and full handshake per question, mutual TLS upstream, FK too"
# A setting is a delay of the base services in ms and a concurrency; what was measured of each, by gateway.
Setting = tuple[int, int]
Results = dict[Setting, dict[str, list["Measured"]]]


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="run-", dir=rig.WORK) as name:
        folder = Path(name)
        certs = rig.certificates(folder / "certs")
        _say(_machine(folder, options))
        sections = rig.SECTIONS if options.real else rig.SOAP_SECTIONS
        load = rig.Load(certs, rig.question(folder, sections), sections, fresh=options.real)
        results: Results = {}
        with rig.stub(folder, certs, tls=options.real) as stub:
            for number in range(1, options.rounds + 1):
                for gateway in ("ours", *options.peers):
                    _say(f"round {number} of {options.rounds}: {gateway}")
                    _round(gateway, folder, stub, load, options, results)
    (rig.WORK / f"results{'-real' if options.real else ''}.json").write_text(
        json.dumps(
            [[*setting, {name: [*map(asdict, runs)] for name, runs in by.items()}] for setting, by in results.items()]
        )
    )
    for setting in sorted(results):
        _say(_table(setting, results[setting]))
    _say(_memory(results))
    _say(_ratios(results, " real" if options.real else ""))
    return 1 if any(run.errors for by in results.values() for run in by["ours"]) else 0


def _options() -> argparse.Namespace:
    peers = [name for name in GATEWAYS if name != "ours"]
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each takes its turn (3)")
    parser.add_argument("--concs", type=int, nargs="+", default=[1, 16, 64], help="questions at once (1 16 64)")
    parser.add_argument("--delays", type=int, nargs="+", default=[0, 50], help="of the base services, in ms (0 50)")
    parser.add_argument("--peers", nargs="*", choices=peers, default=peers, help="beside ours (all)")
    parser.add_argument(
        "--n", type=int, default=3000, help="questions a run (3000; fewer where one at a time is asked)"
    )
    parser.add_argument(
        "--warm", type=float, default=1, help="times the usual warm-up: 30 s for Java, 5 for others (1)"
    )
    parser.add_argument("--real", action="store_true", help="a full handshake a question, mutual TLS upstream, FK too")
    parser.add_argument(
        "--quick", action="store_true", help="one short round at 16, delay 0: only to see that it works"
    )
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.concs, options.delays, options.n, options.warm = 1, [16], [0], 300, 0.2
    return options


def _round(name: str, folder: Path, stub: Stub, load: Load, options: argparse.Namespace, results: Results) -> None:
    start, seconds = GATEWAYS[name]
    own = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
    stub.set(all=0)
    with start(own, stub) as gateway:
        _see_a_fault(gateway.url, stub, load)
        load.warm(gateway.url, seconds * options.warm)
        for delay in options.delays:
            stub.set(all=delay)
            for concurrency in options.concs:
                count = options.n if concurrency > 1 else options.n // (15 if delay else 5)
                run = load.measure(gateway.url, gateway.pid, concurrency, count)
                results.setdefault((delay, concurrency), {}).setdefault(name, []).append(run)
                told = f"{run.rate:.0f} q/s, p50 {run.p50:.1f} ms, {run.errors} errors"
                _say(f"  +{delay} ms, {concurrency} at once: {told}")
    stub.set(all=0)


def _see_a_fault(url: str, stub: Stub, load: Load) -> None:
    stub.set(so="fault")
    told = load.run(url, "-n", "2")
    if told["section_errors"] != 2:
        raise rig.BenchError(f"a fault of SO does not show at {url}: {told}")
    stub.set(so="ok")


def _machine(folder: Path, options: argparse.Namespace) -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")), "?")
    commit = rig.commit_milliseconds(folder)
    asked = KEPT if not options.real else REAL
    return (
        f"{time.strftime('%F %R')}, {os.cpu_count()} cores ({model}), load {os.getloadavg()[0]:.1f} before the run\n"
        f"a durable commit takes {commit:.2f} ms here (SQLite, one row, WAL, full sync; median)\n"
        f"{asked}; {options.rounds} rounds of {options.n} questions\n"
    )


def _median(runs: list[Measured], field: str) -> float:
    return float(statistics.median(getattr(run, field) for run in runs))


def _table(setting: Setting, by: Mapping[str, list[Measured]]) -> str:
    delay, concurrency = setting
    lines = [
        f"\nbase services +{delay} ms, {concurrency} at once: medians of {len(by['ours'])} rounds",
        f"{'':12} {'q/s':>8} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'CPU ms/q':>9} {'errors':>7} {'answer kB':>10}",
    ]
    for name, runs in by.items():
        times = " ".join(f"{_median(runs, field):8.1f}" for field in ("rate", "p50", "p95", "p99"))
        errors, size = sum(run.errors for run in runs), _median(runs, "answer_bytes") / 1000
        lines.append(f"{name:12} {times} {_median(runs, 'cpu'):9.2f} {errors:7} {size:10.1f}")
    return "\n".join(lines)


def _memory(results: Results) -> str:
    """The most that each had after any run of a round; the median of the rounds."""
    lines = [
        "\nmemory of all processes in MB, the most after any run, median of the rounds: PSS counts a page that several",
        "share once, RSS once for each; the last column adds up the highest RSS that each process ever had",
        f"{'':12} {'PSS':>8} {'RSS':>8} {'highest':>8}",
    ]
    for name in next(iter(results.values())):
        rounds = zip(*(by[name] for by in results.values()), strict=True)
        most = [
            [max(getattr(run.memory, field) for run in runs) for field in ("pss", "rss", "highest_rss")]
            for runs in rounds
        ]
        lines.append(
            f"{name:12} " + " ".join(f"{statistics.median(column):8.0f}" for column in zip(*most, strict=True))
        )
    return "\n".join(lines)


def _ratios(results: Results, suffix: str) -> str:
    """Ours to each peer in questions a second: above 1, ours answers more."""
    return "\n" + "\n".join(
        f"RATIO {name} c{concurrency} delay{delay}{suffix} {_median(by['ours'], 'rate') / _median(runs, 'rate'):.2f}"
        for (delay, concurrency), by in sorted(results.items())
        for name, runs in by.items()
        if name != "ours"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
