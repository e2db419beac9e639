"""A real Redis for a test: on a port of its own, keeping nothing, ended by its process id."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from external import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START_SECONDS = 20
PASSWORD = "hemligt i test"  # noqa: S105 - of a server that lives as long as a test


@dataclass
class RedisServer:
    """`url` is rediss, under the development authority; `start` after `stop` keeps port and password."""

    pki: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}/3"

    def start(self) -> None:
        files = ("--tls-cert-file", f"{self.pki}/server.pem", "--tls-key-file", f"{self.pki}/server.key")
        tls = ("--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no", *files)
        kept = ("--save", "", "--appendonly", "no")
        program = need("redis-server", "redis-server")
        arguments = ("--bind", "127.0.0.1", *tls, "--tls-ca-cert-file", f"{self.pki}/ca.pem", *kept)
        secret = ("--requirepass", PASSWORD)
        self.process = subprocess.Popen([program, *arguments, *secret], stdout=subprocess.DEVNULL)
        self._wait()

    def stop(self) -> None:
        """As a machine that goes down: connections end, new ones are refused."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(_START_SECONDS)
            self.process = None

    def hang(self) -> None:
        """As a network that swallows: connections come about, and nothing is said."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def _wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + _START_SECONDS
        while True:
            assert self.process.poll() is None, "redis-server ended as it started"
            assert time.monotonic() < deadline, "redis-server does not listen"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return


@contextmanager
def running_redis(pki: Path, port: int) -> Iterator[RedisServer]:
    server = RedisServer(pki, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
