"""`replay` over real sockets and mutual TLS: what goes over the wire, and what comes of a gateway that is not there."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import typer
from conformance import make
from harness import running_agencies, running_gateway
from typer.testing import CliRunner

from ssbtek_gateway import devpki, tls
from ssbtek_gateway.cli import replay as command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

app = typer.Typer()
app.command()(command.replay)


def run(folder: Path, url: str, pki: Path, *arguments: str) -> Result:
    files = ("--ca", pki / "ca.pem", "--cert", pki / "client.pem", "--key", pki / "client.key")
    return CliRunner().invoke(app, [str(part) for part in (folder, "--url", url, *files, *arguments)])


class Received(BaseHTTPRequestHandler):
    """Answers every POST with `answer` and keeps what came: the headers and the body, by connection."""

    protocol_version = "HTTP/1.1"
    connections: list[list[tuple[dict[str, str], bytes]]]
    status, answer = 200, b"<a/>"

    def setup(self) -> None:
        super().setup()
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.connections.append(self.came)

    def do_POST(self) -> None:
        self.came.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.answer)))
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def listening(pki: Path, status: int = 200, answer: bytes = b"<a/>") -> Iterator[tuple[str, type[Received]]]:
    """A server with mutual TLS that is no gateway: its address and what it received."""
    handler = type("Handler", (Received,), {"connections": [], "status": status, "answer": answer})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = tls.server_context(pki / "server.pem", pki / "server.key", [pki / "ca.pem"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/ssbt/10", handler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
    assert "differs  service-not-granted\n         HTTP status\n           stored   '200'" in other.output


def test_the_bytes_go_unchanged_over_one_connection(pki: Path, two: Path) -> None:
    with listening(pki) as (url, handler):
        done = run(two, url, pki)
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
    assert handler.connections == [] or not any(handler.connections)


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


def test_nothing_listens(pki: Path, two: Path) -> None:
    with listening(pki) as (url, _):
        pass
    done = run(two, url, pki)
    assert done.exit_code == 1
    assert "nothing listens there" in done.output
