"""The command as typed: what it prints and its exit codes, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from ssbtek_gateway.cli import replay as command
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
    return known


def run(pki: Path, *arguments: str | Path, url: str = "https://gateway.example/ssbt/10") -> Result:
    files = ("--ca", pki / "ca.pem", "--cert", pki / "client.pem", "--key", pki / "client.key")
    return CliRunner().invoke(app, [str(part) for part in (*arguments, "--url", url, *files)])


@pytest.mark.usefixtures("answers")
def test_all_equal(pki: Path, folder: Path) -> None:
    done = run(pki, folder)
    assert (done.exit_code, done.output) == (
        0,
        "ok       a\nok       b\n2 questions: 2 ok, 0 differ, 0 without answer\n",
    )


def test_a_difference_is_told_with_both_values(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    answers[b"<b/>"] = "<b>2\x7f</b>"
    done = run(pki, folder)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "ok       a",
        "differs  b",
        "         /b/text()",
        "           stored   '1'",
        "           answered '2\\x7f'",
        "2 questions: 1 ok, 1 differ, 0 without answer",
    ]


def test_the_others_are_asked_when_one_has_no_answer(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    answers[b"<a/>"] = None
    done = run(pki, folder)
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "error    a: no answer: nothing listens there",
        "ok       b",
        "2 questions: 1 ok, 0 differ, 1 without answer",
    ]


def test_long_values_are_shown_where_they_differ(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    (folder / "b.response.xml").write_text(f"<b>{'x' * 500}y{'z' * 500}</b>", encoding="utf-8")
    answers[b"<b/>"] = f"<b>{'x' * 500}</b>"
    lines = run(pki, folder).output.splitlines()
    assert lines[3] == f"           stored   …'{'x' * 30}y{'z' * 89}'…"
    assert lines[4] == f"           answered …'{'x' * 30}'"


def test_what_is_ignored_is_equal(pki: Path, folder: Path, answers: dict[bytes, str | None]) -> None:
    answers[b"<b/>"] = '<b xmlns:p="urn:p">2<p:c/></b>'
    ignores = ("--ignore", "/b/text()", "--ignore", "//q:c", "--namespace", "q=urn:p")
    assert run(pki, folder).exit_code == 1
    assert run(pki, folder, *ignores).exit_code == 0


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
