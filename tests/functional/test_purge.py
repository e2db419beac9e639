"""`audit purge` on a database that gateways write at the same time, and the heads that they write of it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from functional.test_cli import run, run_here
from harness import configuration, serving
from unit.builders import CALLER

from ssbtek_gateway import config, materials
from ssbtek_gateway.audit import record
from ssbtek_gateway.audit.store import AuditStore

if TYPE_CHECKING:
    from pathlib import Path

OLD = 3
# More than two batches.
MANY = 11_000
DAY = ("--before", "2024-01-01")


@pytest.fixture
def config_file(pki: Path, tmp_path: Path, agencies: int) -> Path:
    """A configuration whose database holds rows of 2023, and whose heads go to a folder."""
    path = configuration(pki, tmp_path, agencies)
    table = '[audit]\nheads = "heads"\nheads_seconds = 0.05'
    path.write_text(path.read_text(encoding="utf-8").replace("[audit]", table), encoding="utf-8")
    path.with_name("heads").mkdir()
    write(path, OLD)
    return path


def write(config_file: Path, count: int) -> None:
    """Rows of 2023, by a writer of their own."""
    settings = config.load(config_file)
    old = record.denied("of 2023", CALLER, "FOR_STOR") | {"tidpunkt": "2023-12-31T23:59:59+00:00"}

    async def append() -> None:
        audit = await AuditStore.open(materials.audit_backend(settings), materials.chain_key(settings))
        for _ in range(0, count, 1000):
            await asyncio.gather(*[audit.append(old) for _ in range(min(count, 1000))])
        await audit.close()

    asyncio.run(append())


def rows(config_file: Path) -> int:
    with closing(sqlite3.connect(config_file.with_name("audit.sqlite"))) as connection:
        return int(connection.execute("SELECT count(*) FROM audit").fetchone()[0])


def test_a_purge_while_questions_are_asked_loses_none(pki: Path, config_file: Path) -> None:
    write(config_file, MANY)
    purged, asked = threading.Event(), 0
    with serving(pki, config_file) as running:

        def ask() -> None:
            nonlocal asked
            while not purged.is_set():
                assert running.ask(["TNS"]).sections[0].find("{*}data") is not None
                asked += 1

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            done = run("audit", "purge", "--config", config_file, *DAY, "--yes")
        finally:
            purged.set()
            asking.join(20)
        assert done.returncode == 0, done.stderr
        assert f"{OLD + MANY} rows removed" in done.stdout
        (line,) = [json.loads(line) for line in done.stderr.splitlines() if "audit-purged" in line]
        assert (line["before"], line["rows"], line["writers"]) == ("2024-01-01", OLD + MANY, 2)
        assert (rows(config_file), asked > 0) == (2 * asked, True)
        with_heads = run_here("audit", "verify", "--config", config_file, "--head", config_file.with_name("heads"))
        assert with_heads.returncode == 0, with_heads.stderr


def test_what_does_not_remove_anything(config_file: Path) -> None:
    dry = run_here("audit", "purge", "--config", config_file, *DAY, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert re.search(rf"to remove\W+{OLD}\W+the first\W+2023-12-31T23:59:59", dry.stdout)
    for arguments, code, told in (
        (DAY, 2, "--yes is needed where nobody can be asked"),
        (("--before", "2999-01-01", "--yes"), 2, "--before: lies in the future"),
        (("--before", "2023-01-01", "--yes"), 0, ""),
    ):
        done = run_here("audit", "purge", "--config", config_file, *arguments)
        assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert rows(config_file) == OLD


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, OLD), ("y", 0, 0)])
def test_on_a_terminal_it_asks(config_file: Path, answer: str, code: int, left: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ssbtek_gateway", "audit", "purge", "--config", str(config_file), *DAY]
    with os.fdopen(ours, "w", encoding="utf-8") as terminal, os.fdopen(theirs) as stdin:
        terminal.write(f"{answer}\n")
        terminal.flush()
        done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Remove these rows for ever?" in done.stderr) == (code, True), done.stderr
    assert rows(config_file) == left


def test_a_broken_chain_is_not_purged(config_file: Path) -> None:
    with closing(sqlite3.connect(config_file.with_name("audit.sqlite"))) as connection, connection:
        connection.execute("UPDATE audit SET felkod = 'OTHER' WHERE id = 2")
    done = run_here("audit", "purge", "--config", config_file, *DAY, "--yes")
    assert (done.returncode, "row 2 (id 2): was changed" in done.stderr, rows(config_file)) == (1, True, OLD)


def test_a_database_that_was_put_back_is_found_with_the_heads_that_serve_wrote(pki: Path, config_file: Path) -> None:
    database, heads = config_file.with_name("audit.sqlite"), config_file.with_name("heads")
    earlier = database.with_name("earlier.sqlite")
    with serving(pki, config_file) as running:
        running.ask(["TNS"])
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(earlier)) as copy:
            source.backup(copy)
        running.ask(["TNS"])
    # The last one is from the stop, when all rows were written.
    last = max(heads.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert json.loads(last.read_text(encoding="utf-8"))["writers"][0]["seq"] == 4
    whole = run_here("audit", "verify", "--config", config_file, "--head", last)
    assert (whole.returncode, "nothing of 1 heads is missing" in whole.stdout) == (0, True), whole.stderr

    earlier.replace(database)
    assert run_here("audit", "verify", "--config", config_file).returncode == 0
    found = run_here("audit", "verify", "--config", config_file, "--head", heads)
    assert (found.returncode, "its end was cut off: rows 3 to 4 are missing" in found.stderr) == (1, True)
    empty = heads.with_name("empty")
    empty.mkdir()
    nothing = run_here("audit", "verify", "--config", config_file, "--head", last, "--head", empty)
    assert (nothing.returncode, f"--head: {empty}: no head-*.json is there" in nothing.stderr) == (2, True)
