"""The audit's commands, on a database that a gateway wrote."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from functional.test_cli import NOBODY
from functional.test_cli import run_here as run
from harness import Gateway, configuration, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def gateway(pki: Path, tmp_path: Path, agencies: int) -> Iterator[Gateway]:
    """One that has been asked two questions, and still runs."""
    with running_gateway(pki, tmp_path, agencies) as running:
        running.ask(["AF", "SO"])
        running.ask(["TNS"])
        yield running


@pytest.fixture
def config(gateway: Gateway) -> Path:
    return gateway.audit.with_name("gateway.toml")


def tamper(gateway: Gateway, statement: str) -> None:
    with closing(sqlite3.connect(gateway.audit)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("command", ["verify", "head", "who", "export", "purge"])
def test_help_has_an_example(command: str) -> None:
    done = run("audit", command, "--help")
    assert f"ssbtek-gateway audit {command}" in done.stdout.partition("Example")[2]


def test_verify_tells_intact_from_changed_and_from_cut_off(gateway: Gateway, config: Path, tmp_path: Path) -> None:
    intact = run("audit", "verify", "--config", config)
    assert (intact.returncode, intact.stdout.partition(";")[0]) == (0, "intact: 4 rows of 1 writers"), intact.stderr
    head = tmp_path / "head.json"
    head.write_text(run("audit", "head", "--config", config).stdout, encoding="utf-8")
    assert [writer["seq"] for writer in json.loads(head.read_text(encoding="utf-8"))["writers"]] == [4]
    assert run("audit", "verify", "--config", config, "--head", head).returncode == 0

    tamper(gateway, "DELETE FROM audit WHERE id = 4")
    assert run("audit", "verify", "--config", config).returncode == 0
    cut = run("audit", "verify", "--config", config, "--head", head)
    assert (cut.returncode, "rows 4 to 4 are missing" in cut.stderr) == (1, True)

    tamper(gateway, "UPDATE audit SET handlaggare = 'someone else' WHERE id = 3")
    changed = run("audit", "verify", "--config", config)
    assert (changed.returncode, "row 3 (id 3): was changed" in changed.stderr) == (1, True)
    refused = run("audit", "head", "--config", config)
    assert (refused.returncode, refused.stdout) == (1, "")


def test_who_tells_who_asked_without_the_number(config: Path) -> None:
    number = "191212121212"
    done = run("audit", "who", "--config", config, "--person-file", "-", "--output", "json", stdin=f"{number}\n")
    first, second = json.loads(done.stdout)
    assert (first["organisation"], first["ingivare"], first["bitrade"]) == ("162021004748", "162021004748", None)
    assert first["utfall"] == {"AF": "SVARAT", "SO": "SVARAT"}
    assert list(second["bastjanster"]) == ["TNS"]
    table = run("audit", "who", "--config", config, "--person-file", "-", stdin=f"{number}\n")
    assert (table.returncode, "AF: SVARAT, SO: SVARAT" in table.stdout, "2 frågor" in table.stdout) == (0, True, True)
    nobody = run("audit", "who", "--config", config, "--person-file", "-", stdin="199006022397\n")
    assert (nobody.returncode, nobody.stdout) == (0, "0 frågor\n")
    mistaken = run("audit", "who", "--config", config, "--person-file", "-", stdin=f"{number}3\n")
    assert (mistaken.returncode, run("audit", "who", "--config", config, NOBODY).returncode) == (2, 2)
    assert not any(number in printed.stdout + printed.stderr for printed in (done, table, nobody, mistaken))

    config.write_text(
        config.read_text(encoding="utf-8").replace('key_id = "test"', 'key_id = "next"'), encoding="utf-8"
    )
    renamed = run("audit", "who", "--config", config, "--person-file", "-", stdin=f"{number}\n")
    assert "2 questions were recorded under another key, test" in renamed.stderr


def test_export_is_signed_whole_and_never_overwritten(
    gateway: Gateway, config: Path, pki: Path, tmp_path: Path
) -> None:
    out = tmp_path / "audit.jsonl"
    signing = ("--cert", pki / "server.pem", "--key", pki / "server.key")
    done = run("audit", "export", "--config", config, "--out", out, *signing)
    assert (done.returncode, "4 rows" in done.stdout) == (0, True), done.stderr
    assert [json.loads(line)["seq"] for line in out.read_text(encoding="utf-8").splitlines()] == [1, 2, 3, 4]
    assert out.stat().st_mode & 0o77 == 0
    assert b'intact="true"' in (tmp_path / "audit.jsonl.manifest.xml").read_bytes()
    again = run("audit", "export", "--config", config, "--out", out, *signing)
    assert (again.returncode, "File exists" in again.stderr) == (2, True)
    crossed = run("audit", "export", "--config", config, "--out", tmp_path / "b", *signing[:3], pki / "client.key")
    assert (crossed.returncode, "not this key's" in crossed.stderr, (tmp_path / "b").exists()) == (2, True, False)

    tamper(gateway, "UPDATE audit SET handlaggare = 'someone else' WHERE id = 3")
    broken = run("audit", "export", "--config", config, "--out", tmp_path / "c", *signing)
    assert (broken.returncode, "row 3 (id 3)" in broken.stderr) == (1, True)
    assert b'intact="false"' in (tmp_path / "c.manifest.xml").read_bytes()


def test_what_cannot_be_verified_is_said(pki: Path, tmp_path: Path) -> None:
    path = configuration(pki, tmp_path, 1)
    for arguments, told in (
        ((), "cannot be read: unable to open"),
        (("--head", "/nonexistent"), "--head: /nonexistent: No such file"),
        (("--head", path), "no head written by"),
        (("--database", tmp_path / "nowhere"), "nowhere cannot be read: unable to open"),
        (("--database", "postgresql://u:secret@localhost/audit"), "--database: has a password in it"),
    ):
        done = run("audit", "verify", "--config", path, *arguments)
        assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
    path.write_text(path.read_text(encoding="utf-8").replace("audit-chain.key", "nowhere.key"), encoding="utf-8")
    done = run("audit", "verify", "--config", path)
    assert (done.returncode, "audit.chain_key: " in done.stderr) == (2, True)
