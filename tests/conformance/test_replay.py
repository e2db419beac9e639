"""`replay` over real sockets and mutual TLS: what goes over the wire, and what comes of a gateway that is not there."""

from __future__ import annotations

import re
import shutil
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import pytest
from conformance import make
from conformance.replaying import listening, run
from harness import running_agencies, running_gateway

from ssbtek_gateway import devpki
from ssbtek_gateway.cli import ask
from ssbtek_gateway.client import TEST_ASKER, Client, last_months

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two questions with `<a/>` for an answer: one in UTF-16 without a final newline, one that is no XML."""
    for name, content in {"one": "<?xml version='1.0'?>\r\n<å/>".encode("utf-16"), "two": b"\x00\xff\r\n"}.items():
        (tmp_path / f"{name}.request.xml").write_bytes(content)
        (tmp_path / f"{name}.response.xml").write_bytes(b"<a/>")
    return tmp_path


def test_the_stored_answers_come_again(pki: Path, tmp_path: Path) -> None:
    folder = make.FOLDER / "10" / "client"
    with running_agencies(pki) as agencies, running_gateway(pki, tmp_path, agencies) as gateway:
        done = run(folder, gateway.url, pki)
        other = run(make.FOLDER / "10" / "grannkommun", gateway.url, pki)
    assert done.exit_code == 0, done.output
    assert f"{len(list(folder.glob('*.request.xml')))} ok, 0 differ, 0 without answer" in done.output
    # What Grannkommunen may ask, Testkommunen's certificate may not.
    assert other.exit_code == 1
    assert "differs: service-not-granted\n  HTTP status\n    stored   '200'" in other.output


def test_a_fixture_may_say_who_asks(pki: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fixtures"
    shutil.copytree(make.FOLDER / "10", folder)
    for path in (folder / "grannkommun").glob("*.request.xml"):
        said = f'[certificate]\ncert = "{pki}/grannkommun.pem"\nkey = "{pki}/grannkommun.key"\n'
        path.with_name(path.name.replace(".request.xml", ".toml")).write_text(said, encoding="utf-8")
    with running_agencies(pki) as agencies, running_gateway(pki, tmp_path, agencies) as gateway:
        done = run(folder, gateway.url, pki)
    assert done.exit_code == 0, done.output


def test_a_question_goes_in_every_encoding_that_the_gateway_accepts(pki: Path, tmp_path: Path) -> None:
    question = make.QUESTIONS["10/client/inget"].decode()
    folder = tmp_path / "fixtures"
    folder.mkdir()
    for name, codec, declared in (
        ("plain", "utf-8", ""),
        ("utf-8", "utf-8", "utf-8"),
        ("marked", "utf-8-sig", ""),
        ("utf-16", "utf-16", "UTF-16"),
        ("latin", "iso-8859-1", "ISO-8859-1"),
        ("ascii", "us-ascii", "US-ASCII"),
    ):
        text = question.partition("?>")[2] if question.startswith("<?xml") else question
        text = f'<?xml version="1.0" encoding="{declared}"?>{text}' if declared else text
        (folder / f"{name}.request.xml").write_bytes(text.encode(codec, "xmlcharrefreplace"))
        shutil.copy(make.FOLDER / "10/client/inget.response.xml", folder / f"{name}.response.xml")
    shutil.copy(make.FOLDER / "10/client/ignore.txt", folder)
    (folder / "utf-7.request.xml").write_bytes(f'<?xml version="1.0" encoding="utf-7"?>{question}'.encode())
    (folder / "utf-7.toml").write_text("[fault]\nfelkod = 'OGILTIGT_MEDDELANDE'", encoding="utf-8")
    with running_agencies(pki) as agencies, running_gateway(pki, tmp_path, agencies) as gateway:
        done = run(folder, gateway.url, pki)
    assert done.exit_code == 0, done.output
    assert "7 ok" in done.output


def _shifted(found: re.Match[str]) -> str:
    """The same payload with another last digit."""
    text = b64decode(found[1]).decode()
    other = re.sub(r"(\d)(\D*)$", lambda digit: f"{(int(digit[1]) + 1) % 10}{digit[2]}", text)
    return f">{b64encode(other.encode()).decode()}<"


@pytest.mark.parametrize(
    ("version", "places"),
    [
        ("10", ["CSN/data/svar/payload/CSNSvar/", "FK/data/lefiJsonSvar/payload/", "SKV/data/svar/payload/Svar"]),
        (
            "11",
            ["CSN/data/svar/payload/CSNSvar/", "FK/data/lefiJsonSvar/payload/", "SKV/skatteuppgifter/data/payload/"],
        ),
    ],
)
def test_a_difference_in_what_an_agency_sent_is_told_where_it_is(
    pki: Path, tmp_path: Path, version: str, places: list[str]
) -> None:
    folder = tmp_path / "fixtures"
    folder.mkdir()
    with running_agencies(pki) as agencies, running_gateway(pki, tmp_path, agencies) as gateway:
        url, files = gateway.at(version), (pki / "ca.pem", pki / "client.pem", pki / "client.key")
        with Client(url, *files) as client:
            question = client.message(ask.test_person("allt"), last_months(), TEST_ASKER, ("CSN", "FK", "SKV"), "mark")
        (folder / "allt.request.xml").write_bytes(question)
        assert run(folder, url, pki, "--update", "--yes").exit_code == 0
        stored = folder / "allt.response.xml"
        text = re.sub(r">([A-Za-z0-9+/=]{100,})<", _shifted, stored.read_text(encoding="utf-8"))
        stored.write_text(text.replace("Fornamn&gt;Tolvan", "Fornamn&gt;Elvan"), encoding="utf-8")
        done = run(folder, url, pki)
    assert done.exit_code == 1
    answer = "  /Envelope/Body/hamtaBastjanstInformationResponse/svarsdata/"
    told = [line.removeprefix(answer) for line in done.output.splitlines() if line.startswith(answer)]
    assert len(told) >= len(places)
    for place in places:
        assert any(line.startswith(place) for line in told), told


def test_several_are_asked_at_once_but_no_more(pki: Path, two: Path) -> None:
    for name in "abcdef":
        for ending in ("request", "response"):
            (two / f"{name}.{ending}.xml").write_bytes(b"<a/>")
    # Each answer waits for another question to have come: alone, none is answered.
    with listening(pki, together=2) as (url, handler):
        done = run(two, url, pki, "--at-once", "2")
    assert done.exit_code == 0, done.output
    assert len(handler.connections) == 2
    assert sum(map(len, handler.connections)) == 8


def test_the_bytes_go_unchanged_over_one_connection(pki: Path, two: Path) -> None:
    with listening(pki) as (url, handler):
        done = run(two, url, pki, "--at-once", "1")
    assert done.exit_code == 0, done.output
    ((one, other),) = handler.connections
    assert [one[1], other[1]] == [(two / f"{name}.request.xml").read_bytes() for name in ("one", "two")]
    assert [one[0]["Content-Type"], other[0]["Content-Type"]] == ["text/xml; charset=utf-16", "text/xml; charset=utf-8"]
    assert one[0]["SOAPAction"] == '""'
    assert one[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (302, b"<a/>", "answered '302'"),
        (503, b"Service Unavailable", "cannot be compared: not well-formed XML"),
        (200, b"<b/>", "/b"),
    ],
)
def test_another_answer(pki: Path, two: Path, status: int, answer: bytes, says: str) -> None:
    with listening(pki, status, answer) as (url, handler):
        done = run(two, url, pki)
    assert done.exit_code == 1
    assert says in done.output
    assert sum(map(len, handler.connections)) == 2


def test_a_server_that_we_do_not_trust_gets_no_question(pki: Path, two: Path, tmp_path: Path) -> None:
    devpki.write(tmp_path / "other")
    with listening(tmp_path / "other") as (url, handler):
        done = run(two, url, pki)
    assert done.exit_code == 1
    assert "its certificate is not from the given authority" in done.output
    assert "2 questions: 0 ok, 0 differ, 2 without answer" in done.output
    assert handler.connections == []


def test_a_certificate_that_the_server_does_not_trust(pki: Path, two: Path, tmp_path: Path) -> None:
    devpki.write(tmp_path / "other")
    with listening(pki) as (url, _):
        done = run(
            two,
            url,
            pki,
            *("--cert", str(tmp_path / "other/client.pem")),
            *("--key", str(tmp_path / "other/client.key")),
        )
    assert done.exit_code == 1
    assert "our certificate" in done.output


def test_production_is_not_asked_unless_that_is_meant(pki: Path, two: Path) -> None:
    with listening(pki, environment="produktion") as (url, handler):
        done = run(two, url, pki)
        assert (done.exit_code, handler.connections) == (2, [])
        assert "127.0.0.1 says that it is produktion: nothing was asked" in done.output
        assert run(two, url, pki, "--allow-host", "127.0.0.1").exit_code == 0


def test_nothing_listens(pki: Path, two: Path) -> None:
    with listening(pki) as (url, _):
        pass
    done = run(two, url, pki)
    assert done.exit_code == 1
    assert "nothing listens there" in done.output
