"""`make growth`: does what a question costs grow with what it should not, or faster than what it may?

One dimension at a time, all else as in `make bench`: a table of CPU a question over all processes, and of the time that
half of the questions were answered in. A table's last line and the nearest one of half its x or less tell whether the
cost is flat, linear or worse: where x grows k times, k^0.15 times the cost or less is flat, and k^1.15 or less linear.
Exit code 1 where one is worse than linear, or a question was lost or answered wrongly.
"""

from __future__ import annotations

import argparse
import math
import re
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from load import process, rig
from load.audit_rows import build
from load.gateways import PRODUCTION, Setting, ours

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from load.gateways import Gateway
    from load.rig import Measured, Stub

EXAMPLES = """examples:
  make growth                                   every dimension: a quarter of an hour
  make growth ARGS='answers services'           these only
  make growth ARGS='audit --audit-rows 7'       up to 10^7 rows: an hour and 10 GB
  make growth ARGS=--quick                      does it work?
"""
FLAT, LINEAR = 0.15, 1.15
# Of each answer, the element that may be repeated without end; CSN's schema has none in what the answer holds.
REPEATED = {
    "af": "Beslut",
    "skv": "&lt;Uppgift",
    "so": "so:Utbetalningar",
    "tns": "f:fordon",
    "miv": "svar",
}
# An organisation's entry, but for its number.
ENTRY = """
[[organisation]]
organisationsnummer = "{number}"
namn = "Kommun {number}"
versioner = ["10"]
bastjanster = ["AF", "CSN", "SO"]
syften = "alla"
"""
# All have come before the first is answered.
SLOW_SECONDS, RAMP_SECONDS = 10, 8


@dataclass(frozen=True)
class Bench:
    """What every dimension is measured with."""

    folder: Path
    certs: Path
    options: argparse.Namespace

    @contextmanager
    def gateway(
        self,
        setting: Setting = PRODUCTION,
        *,
        folder: Path | None = None,
        answers: Path = rig.ANSWERS,
    ) -> Iterator[tuple[Gateway, Stub]]:
        """Ours before a stub."""
        own = folder or Path(tempfile.mkdtemp(dir=self.folder))
        with rig.stub(own, self.certs, answers=answers) as stub, ours(own, stub, setting) as gateway:
            yield gateway, stub

    def load(self, sections: Collection[str] = rig.SOAP_SECTIONS) -> rig.Load:
        return rig.Load(self.certs, rig.question(self.folder, sections), sections)

    def cost(self, gateway: Gateway, load: rig.Load, *, share: float = 1, concurrency: int = 4) -> Measured:
        """The middle one of the rounds by CPU; `share` of the usual number of questions in each."""
        count = max(20, int(self.options.n * share))
        load.run(gateway.url, "-c", str(concurrency), "-n", str(count))
        runs = [load.measure(gateway.url, gateway.pid, concurrency, count) for _ in range(self.options.rounds)]
        cpu = statistics.median_low([run.cpu for run in runs])
        return next(run for run in runs if run.cpu == cpu)


@dataclass
class Table:
    """Lines of x, and what each costs; tells as they come, and at last how that grew."""

    title: str
    unit: str = "CPU ms/q"

    def __post_init__(self) -> None:
        self._points: list[tuple[float, float]] = []
        self.wrong = False
        _say(f"\n{self.title}")

    def line(self, x: float, cost: float, *, wrong: int = 0, more: str = "") -> None:
        self._points.append((x, cost))
        self.wrong |= wrong > 0
        _say(f"  {x:>12_.0f}  {cost:8.2f} {self.unit}{more}{f'  {wrong} LOST OR WRONG' if wrong else ''}")

    def run(self, x: float, run: Measured) -> None:
        self.line(x, run.cpu, wrong=run.errors, more=f", p50 {run.p50:.1f} ms, {run.rate:.0f} q/s")

    def judged(self) -> bool:
        """Whether all is well."""
        x1, y1 = self._points[-1]
        x0, y0 = max(point for point in self._points if point[0] <= x1 / 2)
        power = math.log(y1 / y0) / math.log(x1 / x0)
        growth = "flat" if power <= FLAT else "linear" if power <= LINEAR else "WORSE than linear"
        _say(f"  {growth}: at {x1 / x0:.1f} times x, {y1 / y0:.2f} times the cost")
        return not self.wrong and power <= LINEAR


def answers(bench: Bench) -> bool:
    """By what an answer holds, all six base services' together."""
    table = Table("size of the combined answer, bytes")
    for size in (10_000, 100_000, 1_000_000):
        grown = Path(tempfile.mkdtemp(dir=bench.folder))
        for path in rig.ANSWERS.iterdir():
            (grown / path.name).write_text(_grown(path, size // len(REPEATED)), encoding="utf-8")
        with bench.gateway(answers=grown) as (gateway, _):
            run = bench.cost(gateway, bench.load(), share=min(1, 20_000 / size))
            table.run(run.answer_bytes, run)
    return table.judged()


def _grown(path: Path, size: int) -> str:
    """An answer of about `size` bytes: its repeatable element once more, and so on."""
    text, name = path.read_text(encoding="utf-8"), REPEATED.get(path.stem)
    if name is None:
        return text
    start, end = (f"{name}&gt;", "&lt;/Uppgift&gt;") if name.startswith("&") else (f"<{name}>", f"</{name}>")
    found = re.search(f"{re.escape(start)}.*?{re.escape(end)}", text)
    assert found is not None, path
    return text.replace(found[0], found[0] * max(1, (size - len(text)) // len(found[0])), 1)


def services(bench: Bench) -> bool:
    """By how many base services a question includes."""
    table = Table("base services included")
    with bench.gateway() as (gateway, _):
        for count in range(1, len(rig.SECTIONS) + 1):
            run = bench.cost(gateway, bench.load(rig.SECTIONS[:count]))
            table.run(count, run)
    return table.judged()


def slow(bench: Bench) -> bool:
    """By how many questions wait at once for one base service of seven, in one process; what grows is its memory."""
    table = Table(f"questions that wait {SLOW_SECONDS} s for SO while the others answer at once, one process")
    table.unit = "kB a waiting question"
    for waiting in (100, 1000):
        # Nothing but SO may stand in the way of so many.
        roomy = dict.fromkeys(rig.SECTIONS, f"samtidiga = {waiting}")
        roomy["SO"] += f"\nconnections = {waiting}"
        limits, listen = f"questions = {waiting}", f"connections = {waiting + 100}"
        setting = Setting(workers=1, listen=listen, limits=limits, bastjanst=roomy)
        with bench.gateway(setting) as (gateway, stub):
            load = bench.load(rig.SECTIONS)
            load.warm(gateway.url, 2)
            before = process.memory(gateway.pid).pss
            stub.set(so=1000 * SLOW_SECONDS)
            with ThreadPoolExecutor() as aside:
                options = ("-c", str(waiting), "-n", str(waiting), "-r", str(RAMP_SECONDS))
                asking = aside.submit(load.run, gateway.url, *options)
                most = before
                while not asking.done():
                    most = max(most, process.memory(gateway.pid).pss)
                    time.sleep(0.2)
            told = asking.result()
            lost = told["errors"] + waiting - told["answered"]
            table.line(
                waiting, 1000 * (most - before) / waiting, wrong=lost, more=f", answered in {told['p50']:.0f} ms"
            )
    return table.judged()


def parties(bench: Bench) -> bool:
    """By how many organisations are registered."""
    table = Table("organisations registered")
    for count in (10, 100, 1000):
        others = "".join(ENTRY.format(number=f"162120{one:06}") for one in range(count - 1))
        with bench.gateway(Setting(extra=others)) as (gateway, _):
            run = bench.cost(gateway, bench.load())
            table.run(count, run)
    return table.judged()


def audit(bench: Bench) -> bool:
    """By how many rows the audit holds already."""
    table = Table("rows in the audit of each of two workers")
    folder = Path(tempfile.mkdtemp(dir=bench.folder))
    held = 0
    for exponent in range(3, bench.options.audit_rows + 1):
        for name in ("audit.sqlite", "audit.2.sqlite"):
            build(folder / name, (bench.certs / "audit-chain.key").read_bytes(), 10**exponent - held)
        held = 10**exponent
        with bench.gateway(folder=folder) as (gateway, _):
            run = bench.cost(gateway, bench.load())
            table.run(held, run)
    shutil.rmtree(folder)
    return table.judged()


def processes(bench: Bench) -> bool:
    """By how many processes answer."""
    table = Table("processes that answer, 16 questions at once")
    for count in (1, 2):
        with bench.gateway(Setting(workers=count)) as (gateway, _):
            run = bench.cost(gateway, bench.load(), concurrency=16)
            table.run(count, run)
    return table.judged()


DIMENSIONS: dict[str, Callable[[Bench], bool]] = {
    one.__name__: one for one in (answers, services, slow, parties, audit, processes)
}


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="growth-", dir=rig.WORK) as name:
        bench = Bench(Path(name), rig.certificates(Path(name) / "certs"), options)
        well = [DIMENSIONS[dimension](bench) for dimension in options.dimensions]
    return 0 if all(well) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make growth", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join(DIMENSIONS)
    parser.add_argument("dimensions", nargs="*", metavar="DIMENSION", help=f"some of {names} (all)")
    parser.add_argument("--n", type=int, default=2000, help="questions a round, fewer where answers are large (2000)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the middle one counts (3)")
    parser.add_argument("--audit-rows", type=int, default=6, help="up to 10 to the power of this (6)")
    parser.add_argument(
        "--quick", action="store_true", help="one short round, up to 10^4 rows: only to see that it works"
    )
    options = parser.parse_args()
    unknown = set(options.dimensions) - DIMENSIONS.keys()
    if unknown:
        parser.error(f"no dimension {', '.join(sorted(unknown))}")
    options.dimensions = options.dimensions or list(DIMENSIONS)
    if options.quick:
        options.n, options.rounds, options.audit_rows = 200, 1, 4
    return options


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
