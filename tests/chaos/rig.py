"""The simulator and the gateway as processes of their own, and what the kernel and the audit say about them."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import canaries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

START_SECONDS = STOP_SECONDS = 40
# As many as there are where the configuration does not say.
WORKERS = 2
_US = (sys.executable, "-m", "ssbtek_gateway")


class Process:
    """A command of ours that listens when `times` lines of its standard error have told `ports` where. End it.

    Raises `RuntimeError` where it does not start.
    """

    def __init__(
        self,
        *arguments: str | Path,
        ports: Callable[[str], list[int]],
        times: int = 1,
        prefix: Iterable[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._popen = subprocess.Popen(
            [*prefix, *_US, *map(str, arguments)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        self._find, self._times = ports, times
        self._listening = threading.Event()
        self.ports: list[int] = []
        self._log = deque[str](maxlen=100)
        threading.Thread(target=self._read, daemon=True).start()
        if not self._listening.wait(START_SECONDS) or self._times > 0:
            self.kill()
            raise RuntimeError("did not start:\n" + "".join(self._log))

    def _read(self) -> None:
        assert self._popen.stderr is not None
        with self._popen.stderr:
            for line in self._popen.stderr:
                self._log.append(line)
                canaries.search("log", line)
                found = self._find(line)
                if found:
                    self.ports = found
                    self._times -= 1
                    if self._times == 0:
                        self._listening.set()
        self._listening.set()

    def workers(self) -> list[int]:
        """The processes that answer."""
        return _children(self._popen.pid)

    def processes(self) -> list[int]:
        """All that work: those that answer, and what they have started."""
        workers = self.workers()
        return workers + [child for worker in workers for child in _children(worker)]

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def wait(self) -> int:
        """The exit code."""
        return self._popen.wait(STOP_SECONDS)

    def stop(self) -> int:
        """End it in order; the exit code."""
        self._popen.terminate()
        return self.wait()

    def kill(self) -> None:
        """End it at once where it has not ended, and its workers: it is the first of a session of its own."""
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in _text(task / "children").split()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:  # it has ended
        return ""


@dataclass(frozen=True)
class Sockets:
    """How many connections of callers, connections to the agencies, and other sockets there are."""

    callers: int
    agencies: int
    others: int


def sockets(pids: Iterable[int], gateway: int, agencies: int) -> Sockets:
    """What processes hold, where the gateway and the agencies listen at these ports."""
    held = {inode for pid in pids for inode in _inodes(pid)}
    rows = [line.split() for line in _text(Path("/proc/net/tcp")).splitlines()[1:]]
    # Local and remote address, state (01 is established) and inode.
    established = [(row[1], row[2], row[9]) for row in rows if row[3] == "01" and row[9] in held]
    of_callers = sum(local.endswith(f":{gateway:04X}") for local, _, _ in established)
    to_agencies = sum(remote.endswith(f":{agencies:04X}") for _, remote, _ in established)
    return Sockets(of_callers, to_agencies, len(held) - of_callers - to_agencies)


def _inodes(pid: int) -> Iterator[str]:
    for descriptor in list(Path(f"/proc/{pid}/fd").iterdir()):
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
        except OSError:
            continue  # closed meanwhile
        if found:
            yield found[1]


def megabytes(pids: Iterable[int]) -> float:
    """The memory that they have resident."""
    found = (re.search(r"VmRSS:\s+(\d+)", _text(Path(f"/proc/{pid}/status"))) for pid in pids)
    return sum(int(match[1]) for match in found if match) / 1024


def rows(config: Path, pki: Path) -> list[dict[str, str]]:
    """Every row of the audit, whoever wrote it, as it is exported."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "audit.jsonl"
        signing = ("--cert", pki / "server.pem", "--key", pki / "server.key")
        done = _run("audit", "export", "--config", config, "--out", out, *signing)
        if done.returncode != 0:
            raise RuntimeError(f"audit export: {done.stderr}")
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def events(rows: Iterable[Mapping[str, str]]) -> dict[str, set[str]]:
    """The events of each case, by `arende`: FRAGAD and, where the question was answered, BESVARAD."""
    of_incident: dict[str, set[str]] = {}
    cases: dict[str, str] = {}
    for row in rows:
        of_incident.setdefault(row["incident"], set()).add(row["handelse"])
        if row["arende"]:
            cases[row["arende"]] = row["incident"]
    return {arende: of_incident[incident] for arende, incident in cases.items()}


def chain_flaw(config: Path) -> str:
    """What `audit verify` finds; empty where all is intact."""
    done = _run("audit", "verify", "--config", config)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_US, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)


def descriptors(pid: int) -> int:
    """How many it has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def certificates(folder: Path, since: str) -> None:
    """The development's, valid since then (`-3d`), for gateways whose clocks jump."""
    faketime = shutil.which("faketime")
    if faketime is None:
        raise RuntimeError("faketime is missing: apt install faketime")
    subprocess.run([faketime, "-f", since, *_US, "dev-pki", folder], check=True, stdout=subprocess.DEVNULL)


def limit(pid: int, kind: int, value: int | None) -> None:
    """Set a process's own limit (`resource.RLIMIT_…`); None is as high as it may."""
    _, most = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (most if value is None else value, most))


@contextmanager
def agencies(pki: Path) -> Iterator[tuple[int, int]]:
    """The simulator: the agencies' port, and that of its control."""
    ports: list[int] = []

    def find(line: str) -> list[int]:
        ports.extend(int(port) for port in re.findall(r"https?://127\.0\.0\.1:(\d+)/", line))
        return ports

    process = Process("simulate", "--pki", pki, "--port", "0", "--control", "0", ports=find, times=2)
    try:
        yield ports[0], ports[1]
    finally:
        process.kill()


def gateway(config: Path, *, prefix: Iterable[str] = (), env: Mapping[str, str] | None = None) -> Process:
    """`serve`; its first port takes questions."""
    return Process("serve", "--config", config, ports=_listening, times=WORKERS, prefix=prefix, env=env)


def _listening(line: str) -> list[int]:
    if '"listening"' not in line:
        return []
    ports: list[int] = json.loads(line)["ports"]
    return ports
