"""A gateway whose audit is in PostgreSQL: over TLS, with a password, in a role that may insert only; and without it."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

import psycopg
import pytest
from functional.test_cli import run
from harness import configuration, running_gateway

from ssbtek_gateway import devpki
from ssbtek_gateway.audit import AuditError, reader, record, schema
from ssbtek_gateway.audit.backend import Postgresql
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.store import AuditStore
from ssbtek_gateway.audit.tables import ROWS
from ssbtek_gateway.audit.verify import Report, verify
from ssbtek_gateway.client import FaultError
from ssbtek_gateway.model import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import Gateway
    from postgresql import Postgresql as Server

pytestmark = pytest.mark.external

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "audit-database.md"
CALLER = Caller("162021004748", "ab" * 32)
KEY = ChainKey(b"c" * 32)
LATE_REFUSAL = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.incident = 'bad') EXECUTE FUNCTION refuse()
"""


@pytest.fixture
def url(postgresql: Server) -> Iterator[str]:
    """A new and empty database, over the Unix socket."""
    with postgresql.database() as name:
        yield postgresql.url(name)


def verified(backend: Postgresql, key: ChainKey = KEY) -> Report:
    with reader.opened(backend) as parts:
        return verify(parts, key)


def told(backend: Postgresql) -> str:
    with pytest.raises(AuditError) as raised:
        schema.ensure(backend)
    return str(raised.value)


@pytest.fixture
def called() -> Iterator[tuple[int, list[str]]]:
    """The port of an agency that hangs up on everybody, and who called."""
    callers: list[str] = []

    def hang_up() -> None:
        with suppress(OSError):
            while True:
                connection, address = listener.accept()
                callers.append(str(address))
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=hang_up, daemon=True).start()
        yield listener.getsockname()[1], callers
        listener.shutdown(socket.SHUT_RDWR)


def test_roles_as_documented_over_tls_with_a_password(
    postgresql: Server, pki: Path, tmp_path: Path, agencies: int
) -> None:
    password_file = tmp_path / "password"
    password_file.write_text(f"{postgresql.password}\n", encoding="utf-8")

    def audit(role: str) -> str:
        address = postgresql.tcp("ssbtek_audit", role, f"?sslmode=verify-full&sslrootcert={pki}/ca.pem")
        return f'postgresql = "{address}"\npassword_file = "{password_file}"'

    roles, grants = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for statement in filter(str.strip, roles.replace("'…'", f"'{postgresql.password}'").split(";")):
        postgresql.execute(statement)

    owner = configuration(pki, tmp_path, agencies, audit=audit("ssbtek_owner"))
    planned = run("audit", "migrate", "--config", owner, "--dry-run")
    assert (planned.returncode, "would be brought to revision 1: The tables" in planned.stdout) == (0, True)
    done = run("audit", "migrate", "--config", owner)
    assert (done.returncode, ": brought to revision 1: The tables" in done.stdout) == (0, True), done.stderr
    postgresql.execute(grants, "ssbtek_audit", "ssbtek_owner")

    with running_gateway(pki, tmp_path, agencies, audit=audit("ssbtek_gateway")) as gateway:
        assert len(gateway.ask(["AF", "SO"]).sections) == 2
    reading = configuration(pki, tmp_path, agencies, audit=audit("ssbtek_reader"))
    intact = run("audit", "verify", "--config", reading)
    assert (intact.returncode, intact.stdout.partition(";")[0]) == (0, "intact: 2 rows of 1 writers"), intact.stderr
    assert postgresql.password not in "".join(done.stdout for done in (planned, done, intact))

    for statement in ("UPDATE audit SET felkod = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DROP TABLE audit"):
        for role in ("ssbtek_gateway", "ssbtek_reader"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                postgresql.execute(statement, "ssbtek_audit", role)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        postgresql.execute("INSERT INTO audit DEFAULT VALUES", "ssbtek_audit", "ssbtek_reader")


def test_what_keeps_a_gateway_from_starting_is_told_without_the_password(
    postgresql: Server, url: str, tmp_path: Path
) -> None:
    devpki.write(tmp_path / "other")
    name = url.partition("@/")[2].partition("?")[0]
    (tmp_path / "right").write_text(postgresql.password, encoding="utf-8")
    (tmp_path / "wrong").write_text("gissning", encoding="utf-8")
    stranger = f"?sslmode=verify-full&sslrootcert={tmp_path}/other/ca.pem"
    assert "certificate verify failed" in told(Postgresql(postgresql.tcp(name, options=stranger), tmp_path / "right"))
    wrong = told(Postgresql(postgresql.tcp(name), tmp_path / "wrong"))
    assert "password authentication failed" in wrong
    assert "gissning" not in wrong
    postgresql.execute("CREATE ROLE nobody_in_particular LOGIN")
    stranger_in = Postgresql(url.replace("postgres@", "nobody_in_particular@"))
    assert "permission denied for schema public" in told(stranger_in)


def test_a_question_is_refused_while_it_is_away_and_answered_when_it_is_back(
    postgresql: Server, url: str, pki: Path, tmp_path: Path, called: tuple[int, list[str]]
) -> None:
    port, callers = called
    with running_gateway(pki, tmp_path, port, connected=["AF"], audit=f'postgresql = "{url}"') as gateway:
        assert ask(gateway) == "answered"
        before = len(callers)
        assert before > 0
        postgresql.stop(signal.SIGQUIT)  # a crash: what was told to be durable is
        try:
            assert [ask(gateway) for _ in range(3)] == ["INTERNT_FEL"] * 3
            assert len(callers) == before
        finally:
            postgresql.start()
        assert ask(gateway) == "answered"
        assert len(callers) > before
        # A connection that was ended while nobody asked costs no question.
        postgresql.stop()
        postgresql.start()
        sleep(1.1)
        assert ask(gateway) == "answered"
    report = verified(Postgresql(url), ChainKey((pki / "audit-chain.key").read_bytes()))
    assert (report.rows, report.findings) == (6, ())
    assert len(report.tails) >= 3  # each connection is a writer


def ask(gateway: Gateway) -> str:
    """`answered`, though the agency is not there, or the felkod of the fault."""
    try:
        gateway.ask(["AF"])
    except FaultError as fault:
        return str(fault.felkod)
    return "answered"


def test_two_gateways_share_one_database(url: str, pki: Path, tmp_path: Path, agencies: int) -> None:
    audit = f'postgresql = "{url}"'
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with (
        running_gateway(pki, tmp_path / "one", agencies, audit=audit) as one,
        running_gateway(pki, tmp_path / "two", agencies, audit=audit) as two,
        ThreadPoolExecutor(4) as pool,
    ):
        answers = list(pool.map(lambda gateway: gateway.ask(["SO"]), [one, two] * 8))
    assert len(answers) == 16
    report = verified(Postgresql(url), ChainKey((pki / "audit-chain.key").read_bytes()))
    assert ([tail.seq for tail in report.tails.values()], report.findings) == ([16, 16], ())


def test_durability_is_what_we_say_whatever_the_server_is_set_to(postgresql: Server, url: str) -> None:
    name = url.partition("@/")[2].partition("?")[0]
    postgresql.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with closing(Postgresql(url).connect()) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    try:
        set_fsync(postgresql, "off")
        assert "fsync off" in told(Postgresql(url))
    finally:
        set_fsync(postgresql, "on")
    schema.ensure(Postgresql(url))


def set_fsync(server: Server, value: str) -> None:
    server.execute(f"ALTER SYSTEM SET fsync = {value}")
    server.execute("SELECT pg_reload_conf()")
    end = monotonic() + 10
    while server.execute("SHOW fsync") != [(value,)]:
        assert monotonic() < end
        sleep(0.01)


def test_a_group_that_fails_at_its_very_commit_was_not_written(postgresql: Server, url: str) -> None:
    name = url.partition("@/")[2].partition("?")[0]

    async def written() -> None:
        audit = await AuditStore.open(Postgresql(url), KEY)
        postgresql.execute(LATE_REFUSAL, name)
        for incident in ("before", "bad", "after"):
            row = record.denied(incident, CALLER, "FOR_STOR")
            if incident == "bad":
                with pytest.raises(AuditError, match="RaiseException"):
                    await audit.append(row)
            else:
                await audit.append(row)
        await audit.close()

    asyncio.run(written())
    with reader.opened(Postgresql(url)) as parts:
        (connection,) = parts.values()
        assert [row["incident"] for row in reader.stream(connection, ROWS)] == ["before", "after"]
    assert verified(Postgresql(url)).findings == ()
