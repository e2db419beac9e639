"""What the kernel tells of a process and all that it has started: CPU and memory. Linux only."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

START_SECONDS = STOP_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    listens: Callable[[str], bool],
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[int]:
    """Its pid, once `listens` says so of what it has written to `log`. Raises `RuntimeError` where that never comes."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=folder,
            start_new_session=True,
        )
    try:
        wait(lambda: process.poll() is not None or listens(log.read_text(encoding="utf-8", errors="replace")), log)
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} ended at once: {log}")
        yield process.pid
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait(for_it: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not for_it():
        if time.monotonic() > end:
            raise RuntimeError(f"does not listen after {START_SECONDS} s: {log}")
        time.sleep(0.05)


def tree(pid: int) -> list[int]:
    """The process, and all that it and they have started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [pid, *(one for path in list(tasks) for child in _text(path).split() for one in tree(int(child)))]


def cpu_seconds(pid: int) -> float:
    """What the tree has used since it began, those that have ended included; to 1/100 s a process."""
    return sum(sum(map(int, _stat(one)[11:15])) for one in tree(pid)) / _TICKS


def own_cpu_seconds(pid: int) -> float:
    """What it has used itself since it began."""
    return sum(map(int, _stat(pid)[11:13])) / _TICKS


@dataclass(frozen=True)
class Memory:
    """Of a tree, in MB. `pss` divides what processes share among them; the others count it once for each."""

    pss: float
    rss: float
    highest_rss: float


def memory(pid: int) -> Memory:
    pids = tree(pid)
    shares = [_kilobytes(Path(f"/proc/{one}/smaps_rollup"), "Pss") for one in pids]
    status = [Path(f"/proc/{one}/status") for one in pids]
    return Memory(
        sum(shares) / 1024,
        sum(_kilobytes(path, "VmRSS") for path in status) / 1024,
        sum(_kilobytes(path, "VmHWM") for path in status) / 1024,
    )


def _kilobytes(path: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", _text(path), re.MULTILINE)
    return int(found[1]) if found else 0


def _stat(pid: int) -> list[str]:
    """From the third field on, which is the first after the name; zeros where it has ended."""
    return _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split() or ["0"] * 20


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended
        return ""
