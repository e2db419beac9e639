"""The commands as a user types them, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import canaries
import pytest
from harness import configuration
from lxml import etree
from typer.testing import CliRunner

from ssbtek_gateway import cli
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.simulator.faults import KINDS

if TYPE_CHECKING:
    from harness import Gateway

TOP = Path(__file__).parents[2]
# No persona's number, for what may be no argument.
NOBODY = "191212121213"
COMMANDS = (
    *("serve", "simulate", "ask", "demo", "check-config", "dev-pki", "explain", "load", "ping", "record", "replay"),
    "usage",
)


def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ssbtek_gateway", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        # A plain, wide terminal, whatever runs the tests.
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
    )


def run_here(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The same without a process of its own, whose start takes longer than most commands."""
    canaries.search("a command's arguments", repr(arguments))
    done = CliRunner().invoke(cli.app, [*map(str, arguments)], input=stdin, env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def ask(gateway: Gateway, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    known = ("--ca", gateway.pki / "ca.pem", "--cert", gateway.pki / "client.pem", "--key", gateway.pki / "client.key")
    return run("ask", "--url", gateway.url, *known, *arguments, stdin=stdin)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"ssbtek-gateway {command}" in done.stdout.partition("Example")[2]


def test_help_lists_every_command() -> None:
    listed = run("--help").stdout
    assert [command for command in COMMANDS if command not in listed] == []


@pytest.mark.parametrize("version", CONTRACTS)
def test_ask_prints_a_table_with_every_section_in_plain_text(ssbtek: Gateway, version: str) -> None:
    done = ask(ssbtek, "--persona", "allt", "--url", ssbtek.at(version))
    assert done.returncode == 0, done.stderr
    texts = {
        "10": ("Utbetalningar", "GRUNDB", "utlamnare", "regnr", "hemland", "OverskottPaKapital"),
        "11": ("Utbetalningar", "GRUNDB", "utlamnare", "regnr", "hemland", "godkandFskatt"),
        "1": ("Utbetalningar per månad", "Bostadsbidrag", "INGET FUNNET", "fordon", "hemland", "godkandFskatt"),
    }[version]
    for text in ("Arbetsförmedlingen", "Provkassan", "ABC12A", *texts):
        assert text in done.stdout


def test_ask_in_the_typed_contract_marks_a_protected_identity_before_anything_else(ssbtek: Gateway) -> None:
    done = ask(ssbtek, "--persona", "skyddad", "--url", ssbtek.at("1"))
    assert done.returncode == 3, done.stderr  # Skatteverket answers 404 in every part
    assert done.stdout.startswith("!!! SKYDDADE PERSONUPPGIFTER: personen")


def test_ask_says_by_its_exit_code_that_some_section_failed(ssbtek: Gateway) -> None:
    done = ask(ssbtek, "--persona", "allt", "--aktorsid", "TEST-99", "--bastjanst", "FK", "--bastjanst", "AF")
    assert done.returncode == 3, done.stderr
    assert "EJ_BEHORIG" in done.stdout


def test_ping_tells_which_services_can_be_reached(pki: Path, tmp_path: Path, agencies: int, unused_port: int) -> None:
    path = configuration(pki, tmp_path, agencies)
    done = run("ping", "--config", path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("connection only") == 5
    path = configuration(pki, tmp_path, unused_port)
    done = run("ping", "--config", path)
    assert done.returncode == 1
    assert done.stdout.count("ANSLUTNING") == 7


def test_ask_takes_the_number_from_a_file_or_standard_input_but_never_as_an_argument(
    ssbtek: Gateway, tmp_path: Path
) -> None:
    number = tmp_path / "number.txt"
    number.write_text("199006022397\n", encoding="utf-8")
    from_file = ask(ssbtek, "--person-file", number, "--bastjanst", "SO", "--output", "json")
    from_stdin = ask(ssbtek, "--person-file", "-", "--bastjanst", "SO", "--output", "xml", stdin="199006022397\n")
    as_argument = ask(ssbtek, NOBODY)
    assert json.loads(from_file.stdout)["svarsdata"]["SO"]["data"]["IdentificationNumber"] == "199006022397"
    assert etree.fromstring(from_stdin.stdout.encode()).findtext(".//{*}IdentificationNumber") == "199006022397"
    assert (from_file.returncode, from_stdin.returncode, as_argument.returncode) == (0, 0, 2)


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "text"),
    [
        (["--persona", "nobody"], "", 2, "there is no nobody"),
        (["--person-file", "-"], "12345\n", 2, "twelve ASCII digits"),
        (["--person-file", "/nonexistent"], "", 2, "--person-file"),
        (["--persona", "allt", "--bastjanst", "XX"], "", 2, "XX is not one of"),
        (["--persona", "allt", "--from", "2026-02-02", "--tom", "2026-02-01"], "", 2, "later than"),
        (["--persona", "allt", "--cert", "/nonexistent"], "", 2, "dev-pki"),
        (["--persona", "allt", "--organisation", "162120009994"], "", 1, "EJ_BEHORIG"),
    ],
)
def test_ask_says_what_is_wrong(ssbtek: Gateway, arguments: list[str], stdin: str, code: int, text: str) -> None:
    done = ask(ssbtek, *arguments, stdin=stdin)
    assert done.returncode == code
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert "12345" not in done.stderr


def test_simulate_lists_its_faults() -> None:
    done = run("simulate", "--faults")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(KINDS)


def test_personas_are_listed_shown_begun_and_checked(tmp_path: Path) -> None:
    listed = run_here("personas", "list").stdout
    assert "sambo-ett        198201179283  Förälder till barn" in listed
    assert "[AF=hang SO=reset" in listed
    shown = run_here("personas", "show", "arbetslos", "--today", "2026-03-31")
    assert "<Utbetalningsdatum>2026-" in shown.stdout
    assert "${" not in shown.stdout
    assert run_here("personas", "show", "nobody").returncode == 2
    begun = run_here("personas", "new", "anna", "--out", tmp_path, "--like", "student", "--born", "1985")
    assert begun.returncode == 0, begun.stderr
    assert run_here("personas", "validate", tmp_path).stdout == f"{tmp_path}: 1 personas can be used\n"
    assert run_here("personas", "list", "--personas", tmp_path).stdout.startswith("anna  19820117")
    assert run_here("personas", "new", "anna", "--out", tmp_path).returncode == 1
    assert run_here("personas", "new", "Anna B", "--out", tmp_path).returncode == 2
    file = tmp_path / "anna.xml"
    file.write_text(file.read_text(encoding="utf-8").replace("GRUNDB", "X" * 99), encoding="utf-8")
    done = run_here("personas", "validate", tmp_path)
    assert done.returncode == 1
    assert "anna.xml:39: " in done.stderr
    assert run_here("simulate", "--personas", tmp_path, "--port", "0").returncode == 2
    assert run_here("simulate", "--fixtures", tmp_path, "--port", "0").returncode == 2


def test_ask_where_nothing_listens(ssbtek: Gateway, unused_port: int) -> None:
    done = ask(ssbtek, "--persona", "allt", "--url", f"https://127.0.0.1:{unused_port}/ssbt/10")
    assert done.returncode == 1
    assert "nothing listens" in done.stderr


def test_check_config_names_file_key_and_rule(pki: Path, tmp_path: Path) -> None:
    good = configuration(pki, tmp_path, 1)
    assert run("check-config", "--config", good).returncode == 0
    for name, change, code, text in (
        ("unknown.toml", ("[audit]", "[audit]\nretention = 3"), 2, "audit.retention"),
        ("no-key.toml", ("audit.key", "missing.key"), 1, "missing.key: No such file"),
        (
            "no-password.toml",
            ('database = "audit.sqlite"', 'postgresql = "postgresql://u@localhost/a"\npassword_file = "nowhere"'),
            1,
            "nowhere: No such file",
        ),
        ("no-chain-key.toml", ("audit-chain.key", "missing.key"), 1, "audit.chain_key: "),
        ("same-key.toml", ("audit-chain.key", "audit.key"), 1, "audit.chain_key: is the same key as audit.key"),
        ("no-heads.toml", ("[audit]", '[audit]\nheads = "nowhere"'), 1, "audit.heads: "),
        ("wrong-key.toml", ("server.key", "client.key"), 1, "listen: certificate, key"),
    ):
        bad = tmp_path / name
        bad.write_text(good.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
        done = run("check-config", "--config", bad)
        assert (done.returncode, text in done.stderr) == (code, True), done.stderr
        assert name in done.stderr


@pytest.mark.parametrize("example", sorted(path.name for path in (TOP / "examples").glob("*.toml")))
def test_the_examples_can_be_read(example: str) -> None:
    # Their certificates may be missing here: 1, and never 2, which would be a mistake in the file itself.
    assert run("check-config", "--config", TOP / "examples" / example).returncode in {0, 1}


def test_serve_stops_at_a_signal_with_exit_code_0_and_refuses_a_taken_port(
    pki: Path, tmp_path: Path, ssbtek: Gateway
) -> None:
    path = configuration(pki, tmp_path, 1)
    process = subprocess.Popen(
        [sys.executable, "-m", "ssbtek_gateway", "serve", "--config", path], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr:
        assert '"listening"' in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert '"stopped"' in process.stderr.read()
    assert process.wait(20) == 0

    taken = path.read_text(encoding="utf-8").replace("port = 0", f"port = {ssbtek.port}")
    path.write_text(taken, encoding="utf-8")
    done = run("serve", "--config", path)
    assert done.returncode == 1
    assert "cannot listen" in done.stderr


def test_demo_answers_and_leaves_nothing_running(pki: Path, tmp_path: Path, unused_ports: list[int]) -> None:
    agencies, gateway, documents = unused_ports
    path = configuration(pki, tmp_path, agencies)
    text = path.read_text(encoding="utf-8")
    for port in (gateway, documents):
        text = text.replace("port = 0", f"port = {port}", 1)
    path.write_text(text, encoding="utf-8")
    done = run("demo", "--config", path, "--pki", pki, "--output", "xml")
    assert done.returncode == 0, done.stderr
    assert len(etree.fromstring(done.stdout.encode()).findall(".//{*}svarsdata/*")) == 7
    again = run("demo", "--config", path, "--pki", pki)
    assert again.returncode == 0, "the ports were not given back"


def test_demo_makes_the_configuration_where_there_is_no_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()  # made by what is not reached here: there is nobody to ask about, so nothing is started
    assert run_here("demo", "--persona", "nobody").returncode == 2
    checked = run_here("check-config", "--config", "examples/development.toml")
    assert checked.returncode == 0, checked.stderr
