"""`replay` as typed, and a server that is no gateway for it to ask."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import typer
from typer.testing import CliRunner

from ssbtek_gateway import tls
from ssbtek_gateway.cli import replay as command
from ssbtek_gateway.inbound.documents import MILJO

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
    """Answers every POST with `answer` and keeps what came: the headers and the body, by connection.

    `environment` is told with the WSDL.
    """

    protocol_version = "HTTP/1.1"
    connections: list[list[tuple[dict[str, str], bytes]]]
    status, answer = 200, b"<a/>"
    environment = ""
    together: threading.Barrier

    def setup(self) -> None:
        super().setup()
        self.came: list[tuple[dict[str, str], bytes]] = []

    def do_GET(self) -> None:
        self.send_response(404)
        if self.environment:
            self.send_header(MILJO, self.environment)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        if not self.came:
            self.connections.append(self.came)
        self.came.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.together.wait(20)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.answer)))
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def listening(
    pki: Path, status: int = 200, answer: bytes = b"<a/>", together: int = 1, environment: str = ""
) -> Iterator[tuple[str, type[Received]]]:
    """A server with mutual TLS that is no gateway, and answers so many `together`: its address and what it received."""
    content = {"connections": [], "status": status, "answer": answer, "environment": environment}
    handler = type("Handler", (Received,), {**content, "together": threading.Barrier(together)})
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
