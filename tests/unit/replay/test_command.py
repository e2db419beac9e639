"""The command as typed: what it prints and its exit codes, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from ssbtek_gateway import xmlgate
from ssbtek_gateway.cli import replay as command
from ssbtek_gateway.load import target
from ssbtek_gateway.replay.compare import Reply
from ssbtek_gateway.replay.send import Sender, SendError

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

app = typer.Typer()
app.command()(command.replay)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, answer in {"a": "<a>1</a>", "b": "<b>1</b>"}.items():
        (tmp_path / f"{name}.request.xml").write_text(f"<{name}/>", encoding="utf-8")
        (tmp_path / f"{name}.response.xml").write_text(answer, encoding="utf-8")
    return tmp_path


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, str | None]:
    """What each request is answered with; None is no answer."""
    known: dict[bytes, str | None] = {b"<a/>": "<a>1</a>", b"<b/>": "<b>1</b>"}

    def post(_self: Sender, request: bytes, charset: str) -> Reply:
        assert charset == "utf-8"
        answer = known[request]
        if answer is None:
            raise SendError("no answer: nothing listens there")
        return Reply(200, answer.encode())

    monkeypatch.setattr(Sender, "post", post)
    monkeypatch.setattr(target, "environment", lambda *_: None)
    return known


def run(pki: Path, *arguments: str | Path, url: str = "https://gateway.example/ssbt/10", stdin: str = "") -> Result:
    files = ("--ca", pki / "ca.pem", "--cert", pki / "client.pem", "--key", pki / "client.key")
    arguments = (*arguments, "--url", url, *files)
    return CliRunner().invoke(app, [str(part) for part in arguments], input=stdin, env={"COLUMNS": "120"})


def told(done: Result) -> list[str]:
    """What stands below the table."""
    return done.output.partition("┘\n")[2].splitlines()


@pytest.mark.usefixtures("answers")
def test_all_equal(pki: Path, folder: Path) -> None:
    done = run(pki, folder)
    assert (done.exit_code, told(done)) == (0, ["2 questions: 2 ok, 0 differ, 0 without answer"])
    assert [line.split("│")[1:3] for line in done.output.splitlines() if " ok " in line] == [
        [" ok     ", " a        "],
        [" ok     ", " b        "],
    ]


def test_a_difference_is_told_with_both_values(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    answers[b"<b/>"] = "<b>2\x7f</b>"
    done = run(pki, folder)
    assert done.exit_code == 1
    assert told(done) == [
        "differs: b",
        "  /b/text()",
        "    stored   '1'",
        "    answered '2\\x7f'",
        "2 questions: 1 ok, 1 differ, 0 without answer",
    ]


def test_the_others_are_asked_when_one_has_no_answer(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    answers[b"<a/>"] = None
    done = run(pki, folder)
    assert done.exit_code == 1
    assert told(done) == [
        "error: a",
        "  no answer: nothing listens there",
        "2 questions: 1 ok, 0 differ, 1 without answer",
    ]


def test_long_values_are_shown_where_they_differ(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    (folder / "b.response.xml").write_text(f"<b>{'x' * 500}y{'z' * 500}</b>", encoding="utf-8")
    answers[b"<b/>"] = f"<b>{'x' * 500}</b>"
    lines = told(run(pki, folder))
    assert lines[2] == f"    stored   …'{'x' * 30}y{'z' * 89}'…"
    assert lines[3] == f"    answered …'{'x' * 30}'"


def test_what_is_ignored_is_equal(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    answers[b"<b/>"] = '<b xmlns:p="urn:p">2<p:c/></b>'
    ignores = ("--ignore", "/b/text()", "--ignore", "//q:c", "--namespace", "q=urn:p")
    assert run(pki, folder).exit_code == 1
    done = run(pki, folder, *ignores)
    assert done.exit_code == 0
    assert told(done)[:3] == [
        "left out of the comparison:",
        "  in 1 of 2 answers: /b/text() (--ignore)",
        "  in 1 of 2 answers: //q:c (--ignore)",
    ]


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--ignore", "//a["), "//a[: Invalid expression"),
        (("--ignore", "//p:a"), "//p:a: Undefined namespace prefix"),
        (("--ignore", "/*"), "selects the whole message"),
        (("--namespace", "p"), "PREFIX=URI"),
    ],
)
def test_a_mistake_in_an_ignore(pki: Path, folder: Path, arguments: tuple[str, str], says: str) -> None:
    done = run(pki, folder, *arguments)
    assert (done.exit_code, says in done.output) == (2, True)


@pytest.mark.usefixtures("answers")
def test_a_mistake_in_the_folder_or_the_call(pki: Path, folder: Path) -> None:
    (folder / "a.response.xml").unlink()
    for done, says in (
        (run(pki, folder), "has no .response.xml"),
        (run(pki, folder / "nowhere"), "has no *.request.xml"),
        (run(pki, folder, url="http://gateway.example/"), ""),
        (run(pki), "Missing argument"),
    ):
        assert (done.exit_code, says in done.output) == (2, True), done.output


@pytest.mark.usefixtures("answers")
def test_an_address_or_file_that_cannot_be_used(pki: Path, folder: Path) -> None:
    for done, says in (
        (run(pki, folder, url="http://gateway.example/"), "https://host"),
        (run(folder, folder), "cannot be used"),
    ):
        assert (done.exit_code, says in done.output) == (2, True), done.output


def test_stored_answers_are_rewritten_when_somebody_has_seen_what_changes(
    pki: Path, folder: Path, answers: dict[bytes, str | None]
) -> None:
    answers[b"<b/>"] = "<b><c>å</c></b>"
    stored = folder / "b.response.xml"
    stored.chmod(0o600)
    before = stored.read_bytes()
    for said, code, holds in (("", 1, before), ("n\n", 1, before), ("y\n", 0, None)):
        done = run(pki, folder, "--update", stdin=said)
        assert (done.exit_code, "/b/text()" in done.output) == (code, True), done.output
        assert holds is None or stored.read_bytes() == holds
    assert stored.read_text(encoding="utf-8") == "<?xml version='1.0' encoding='UTF-8'?>\n<b>\n  <c>å</c>\n</b>\n"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert run(pki, folder).exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{one}.re{two}.xml" for one in "ab" for two in ("quest", "sponse")
    ]


@pytest.mark.usefixtures("answers")
def test_a_new_question_gets_its_answer(pki: Path, folder: Path) -> None:
    (folder / "b.response.xml").unlink()
    assert run(pki, folder).exit_code == 2
    assert run(pki, folder, "--update", "--yes").exit_code == 0
    assert run(pki, folder).exit_code == 0


def test_what_cannot_be_the_answer_is_not_stored(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    (folder / "a.response.xml").unlink()
    (folder / "b.toml").write_text("status = 500", encoding="utf-8")
    for name, answer in {"c": None, "d": "no XML"}.items():
        (folder / f"{name}.request.xml").write_text(f"<{name}/>", encoding="utf-8")
        answers[f"<{name}/>".encode()] = answer
    done = run(pki, folder, "--update", "--yes")
    assert done.exit_code == 1
    assert told(done)[-4:] == [
        "cannot be stored: b",
        "cannot be stored: c",
        "cannot be stored: d",
        "1 stored answers written",
    ]
    assert (folder / "a.response.xml").exists()
    assert not any((folder / f"{name}.response.xml").exists() for name in "cd")


def test_reports_are_written(
    pki: Path, folder: Path, answers: dict[bytes, str | None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    answers[b"<b/>"] = "<b>2</b>"
    out = tmp_path_factory.mktemp("out")
    done = run(pki, folder, "--junit", out / "r.xml", "--html", out / "r.html")
    assert done.exit_code == 1
    suite = xmlgate.parse_own((out / "r.xml").read_bytes())[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert "1 ok, 1 differ" in (out / "r.html").read_text(encoding="utf-8")
    for name, says in (("nowhere/r.xml", "No such file"), ("folder", "Is a directory")):
        (out / "folder").mkdir(exist_ok=True)
        done = run(pki, folder, "--junit", out / name)
        assert (done.exit_code, says in done.output) == (2, True), done.output
    # What could not be written leaves nothing half written behind.
    assert sorted(path.name for path in out.iterdir()) == ["folder", "r.html", "r.xml"]
