"""A PostgreSQL of the tests' own: Debian's program, a folder, a socket and a port on loopback, durable as it comes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import psycopg
from external import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 20
_NUMBERS = count(1)


@dataclass
class Postgresql:
    """A server that runs, unless `stop` was the last word. Over TCP a password and TLS are asked for, not locally."""

    programs: Path
    folder: Path
    port: int
    # initdb and postgres refuse root.
    user: str | None
    password: str
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.folder / "data"], user=self.user, stdout=log, stderr=log, cwd="/"
        )
        log.close()
        end = monotonic() + _SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert monotonic() < end, "PostgreSQL did not start"
                sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """By its own pid: SIGINT ends every connection, SIGQUIT is a crash."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(_SECONDS)

    def url(self, database: str, user: str = "postgres") -> str:
        """Over the Unix socket, without a password."""
        return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}"

    def tcp(self, database: str, user: str = "postgres", options: str = "") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}{options}"

    def execute(self, statement: str, database: str = "postgres", user: str = "postgres") -> list[Any]:
        """The rows of one statement, or of the last of several."""
        with psycopg.connect(self.url(database, user), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new and empty database."""
        name = f"audit_{next(_NUMBERS)}"
        self.execute(f"CREATE DATABASE {name}")
        yield name
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running(certificate: Path, key: Path) -> Iterator[Postgresql]:
    """One that speaks TLS with this certificate; without the program the test is skipped, or fails in CI."""
    found = shutil.which("postgres") or max(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), default=None)
    if found is None:
        missing("postgres", "apt install postgresql")
    user = None if os.getuid() else _somebody()
    # Not under pytest's own folder, which nobody but us may enter.
    folder = Path(tempfile.mkdtemp(prefix="ssbtek-postgresql-"))
    server = Postgresql(Path(found).parent, folder, _free_port(), user, "hemligt lösenord")
    try:
        secret = folder / "password"
        secret.write_text(server.password, encoding="utf-8")
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copyfile(source, folder / name)
            (folder / name).chmod(0o600)
        if user is not None:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user)
        create: list[str | Path] = [
            server.programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        create += ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
        subprocess.run(create, user=user, check=True, capture_output=True, timeout=60, cwd="/")
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(
                f"listen_addresses = '127.0.0.1'\nport = {server.port}\nunix_socket_directories = '{folder}'\n"
                f"ssl = on\nssl_cert_file = '{folder}/server.crt'\nssl_key_file = '{folder}/server.key'\n"
                "shared_buffers = 16MB\n"
            )
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder)


def _somebody() -> str:
    """Who is not root; Debian's package makes `postgres`."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
