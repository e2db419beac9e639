"""The process that writes the audit: rows come in over a socket, each group of them is durable in one transaction.

It is a process because a thread would share the interpreter with the questions, which stop and start again at every
step of a commit: that cost more than anything else in a question (docs/decisions/0003).

Lines of JSON go both ways. In: first `[backend, its fields, chain key]`, then a row's values in a line each. Out:
first why the record cannot be opened, or null; then for each group `[rows, why they are not on disk or null, seconds,
how far it has come]`, the last as writer, number and MAC. It ends when the other side closes, and not before: a signal
to all processes must not cost the last rows.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.audit import AuditError, chain
from ssbtek_gateway.audit.backend import REVISION, of
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.record import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ssbtek_gateway.audit.backend import Backend, Driver
    from ssbtek_gateway.audit.chain import Chain

_AT_ONCE = 262_144
# Between two tries, where nothing can be written and nobody asks.
_RETRY_SECONDS = 1
# After so long a connection may have been ended from the other side.
_RESTED_SECONDS = 1


class Writer:
    """Commits groups of rows, chained. A connection and its chain are kept only where all went well.

    A new connection is a new writer: whether rows that failed are there or not, their chain is whole.
    """

    def __init__(self, backend: Backend, key: ChainKey) -> None:
        self._backend = backend
        self._key = key
        # The connection, how far it has come, and when it last wrote.
        self._kept: tuple[Driver, Chain, float] | None = None
        # How far it has come on disk.
        self.place: tuple[str, int, str] | None = None

    def open(self) -> None:
        """Create the tables in an empty database. Raises `AuditError` where it cannot be used."""
        if not self._is_current():
            # In a process that ends: SQLAlchemy's 20 MB are needed once in a database's life.
            settings = json.dumps([type(self._backend).__name__, self._backend.fields()])
            command = (sys.executable, "-P", "-m", "ssbtek_gateway.audit.schema")
            ensured = subprocess.run(command, input=settings, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own program
            if ensured.returncode:
                raise AuditError(ensured.stdout or "the tables cannot be looked at")
        with closing(self._backend.connect()) as connection:
            if not chain.is_of(connection, self._key):
                raise AuditError(
                    f"the last writer of {self._backend} is not of audit.chain_key: with a new key begin a new database"
                    " (docs/operate/rotate-keys.md), with the same one run `ssbtek-gateway audit verify`"
                )

    def _is_current(self) -> bool:
        try:
            with closing(self._backend.connect()) as connection:
                noted: object = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except Exception:  # noqa: BLE001 - each driver has its own; whatever it is, `ensure` tells it better
            return False
        return noted == (REVISION,)

    def commit(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write `rows`, each as COLUMNS says."""
        connection, chained = self._taken() or (self._backend.connect(), None)
        try:
            begun = chained or chain.begin(connection, self._backend, self._key)
            self._backend.insert(connection, begun.link([dict(zip(COLUMNS, row, strict=True)) for row in rows]))
            if chained is None:
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._kept = connection, begun, monotonic()
        writer, last = begun.place
        self.place = writer, last.seq, last.mac

    def probe(self) -> None:
        """A write to disk that changes nothing: no questions come to a gateway that says it cannot answer them."""
        with closing(self._backend.connect()) as connection:
            connection.execute(self._backend.probe)

    def close(self) -> None:
        if self._kept is not None:
            self._kept[0].close()

    def _taken(self) -> tuple[Driver, Chain] | None:
        """What is kept, if its connection still works; no row is risked on one that may not."""
        if self._kept is None:
            return None
        (connection, chained, used), self._kept = self._kept, None
        if monotonic() - used > _RESTED_SECONDS:
            try:
                connection.execute("SELECT 1")
            except Exception:  # noqa: BLE001 - each driver has its own
                connection.close()
                return None
        return connection, chained


def serve(channel: socket.socket) -> None:
    """Write what comes until the other side closes."""
    groups = _groups(channel)
    name, fields, key = next(groups)[0]
    writer = Writer(of(name, fields), ChainKey(bytes.fromhex(key)))
    error = _error_of(writer.open)
    _tell(channel, error)
    if error is not None:
        return
    # Nobody asks a gateway that says that it cannot answer, so it has to find out by itself that it can.
    failing = False
    for group in groups:
        started = monotonic()
        if not group and not failing:
            continue
        error = _error_of(lambda: writer.commit(group) if group else writer.probe())  # noqa: B023 - called at once
        failing = error is not None
        _tell(channel, [len(group), error, monotonic() - started, writer.place])
        channel.settimeout(_RETRY_SECONDS if failing else None)
    writer.close()


def _groups(channel: socket.socket) -> Iterator[list[Any]]:
    """What has come since the last time; nothing where there is a limit to waiting and it has passed."""
    rest = b""
    while True:
        try:
            data = channel.recv(_AT_ONCE)
        except TimeoutError:
            yield []
            continue
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        if lines:
            yield [json.loads(line) for line in lines]


def _error_of(step: Callable[[], object]) -> str | None:
    try:
        step()
    except AuditError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must hear of it
        return type(error).__name__  # by its name alone: drivers show values
    return None


def _tell(channel: socket.socket, value: object) -> None:
    channel.settimeout(None)
    channel.sendall(json.dumps(value).encode() + b"\n")


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(ConnectionError), socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel)


if __name__ == "__main__":
    main()
