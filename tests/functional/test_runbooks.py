"""The runbooks in docs/operate, rehearsed step by step with the commands that they name."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from functional.test_cli import run, run_here
from harness import configuration, serving

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = "191212121212"


@pytest.fixture
def config_file(pki: Path, tmp_path: Path, agencies: int) -> Path:
    """A configuration that exports heads, with keys of its own."""
    path = configuration(pki, tmp_path, agencies)
    for name in ("audit.key", "audit-chain.key"):
        shutil.copy(pki / name, tmp_path / name)
        change(path, f"{pki}/{name}", name)
    change(path, "[audit]", '[audit]\nheads = "heads"')
    (tmp_path / "heads").mkdir()
    return path


def change(config_file: Path, now: str, then: str) -> None:
    text = config_file.read_text(encoding="utf-8")
    assert now in text
    config_file.write_text(text.replace(now, then), encoding="utf-8")


def asked_once(pki: Path, config_file: Path) -> None:
    """A gateway from its start to its stop, which is asked one question."""
    with serving(pki, config_file) as gateway:
        gateway.ask(["TNS"])


def test_restore_audit(pki: Path, config_file: Path, tmp_path: Path) -> None:
    """docs/operate/restore-audit.md."""
    database, heads, evidence = tmp_path / "audit.sqlite", tmp_path / "heads", tmp_path / "evidence"
    backup, other = tmp_path / "backup.sqlite", tmp_path / "vacuumed.sqlite"
    with serving(pki, config_file) as gateway:
        gateway.ask(["TNS"])
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(backup)) as copy:
            source.backup(copy)
            source.execute(f"VACUUM INTO '{other}'")
        gateway.ask(["TNS"])
    for saved in (backup, other):
        good = run_here("audit", "verify", "--config", config_file, "--database", saved)
        assert (good.returncode, "2 rows of 1 writers" in good.stdout) == (0, True), good.stderr
    asked_once(pki, config_file)

    # The disk fails.
    evidence.mkdir()
    database.write_bytes(database.read_bytes()[:10_000])
    for file in tmp_path.glob("audit.sqlite*"):
        file.rename(evidence / file.name)
    damaged = run_here("audit", "verify", "--config", config_file, "--database", evidence / "audit.sqlite")
    assert (damaged.returncode, "malformed" in damaged.stderr) == (2, True), damaged.stderr

    shutil.copy(backup, database)
    gap = run_here("audit", "verify", "--config", config_file, "--head", heads)
    assert gap.returncode == 1
    assert "its end was cut off: rows 3 to 4 are missing" in gap.stderr
    assert "was removed, with its rows 1 to 2" in gap.stderr

    heads.rename(evidence / "heads")
    heads.mkdir()
    asked_once(pki, config_file)
    begun = run_here("audit", "head", "--config", config_file)
    (heads / "head-begun.json").write_text(begun.stdout, encoding="utf-8")
    again = run_here("audit", "verify", "--config", config_file, "--head", heads)
    assert (again.returncode, "4 rows of 2 writers, nothing of 2 heads" in again.stdout) == (0, True), again.stderr


def test_rotate_keys(pki: Path, config_file: Path, tmp_path: Path) -> None:
    """docs/operate/rotate-keys.md."""
    heads, old = tmp_path / "heads", tmp_path / "audit.sqlite"
    asked_once(pki, config_file)

    # The person key.
    (tmp_path / "audit-2.key").write_bytes(secrets.token_bytes(32))
    change(config_file, 'key = "audit.key"', 'key = "audit-2.key"')
    change(config_file, 'key_id = "test"', 'key_id = "2"')
    asked_once(pki, config_file)
    who = ("audit", "who", "--config", config_file, "--person-file", "-", "--output", "json")
    for arguments, other in (((), "test"), (("--key", tmp_path / "audit.key", "--key-id", "test"), "2")):
        found = run_here(*who, *arguments, stdin=NUMBER)
        assert (found.returncode, len(json.loads(found.stdout))) == (0, 1), found.stderr
        assert f"1 questions were recorded under another key, {other}" in found.stderr
    alone = run_here(*who, "--key", tmp_path / "audit.key", stdin=NUMBER)
    assert (alone.returncode, "--key and --key-id go together" in alone.stderr) == (2, True)

    # The chain key.
    (tmp_path / "audit-chain-2.key").write_bytes(secrets.token_bytes(32))
    change(config_file, 'chain_key = "audit-chain.key"', 'chain_key = "audit-chain-2.key"')
    refused = run("serve", "--config", config_file)
    assert (refused.returncode, "is not of audit.chain_key" in refused.stderr) == (1, True), refused.stderr
    change(config_file, 'database = "audit.sqlite"', 'database = "audit-2.sqlite"')
    change(config_file, 'heads = "heads"', 'heads = "heads-2"')
    (tmp_path / "heads-2").mkdir()
    asked_once(pki, config_file)
    new = run_here("audit", "verify", "--config", config_file, "--head", tmp_path / "heads-2")
    assert (new.returncode, "2 rows of 1 writers" in new.stdout) == (0, True), new.stderr

    # The old database, with its own key.
    earlier = ("--database", old, "--chain-key", tmp_path / "audit-chain.key")
    last = tmp_path / "head-last.json"
    last.write_text(run_here("audit", "head", "--config", config_file, *earlier).stdout, encoding="utf-8")
    whole = run_here("audit", "verify", "--config", config_file, *earlier, "--head", heads, "--head", last)
    assert (whole.returncode, "4 rows of 2 writers" in whole.stdout) == (0, True), whole.stderr
    assert run_here("audit", "verify", "--config", config_file, *earlier[:2]).returncode == 1
    assert len(json.loads(run_here(*who, "--database", old, stdin=NUMBER).stdout)) == 1
    purge = run_here("audit", "purge", "--config", config_file, *earlier, "--before", "2024-01-01", "--dry-run")
    assert purge.returncode == 0, purge.stderr
