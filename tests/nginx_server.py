"""A real nginx for a test, with `examples/nginx/nginx.conf`; ended by its process id."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from external import need

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = Path(__file__).parents[1] / "examples" / "nginx" / "nginx.conf"
_START_SECONDS = 20
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def running_nginx(folder: Path, port: int, file: Path) -> Iterator[None]:
    """nginx on `port` before the socket `file`, with server.pem, server.key and issuers.pem in `folder`."""
    temporary = "".join(f"{name}_temp_path {folder}/nginx-{name};\n" for name in _TEMPORARY)
    text = CONFIG.read_text(encoding="utf-8")
    for old, new in (
        ("/run/nginx-ssbtek.pid", f"{folder}/nginx.pid"),
        ("unix:/run/ssbtek-gateway/questions.sock", f"unix:{file}"),
        ("/etc/nginx/ssbtek", str(folder)),
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("http {\n", f"http {{\n{temporary}"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    # As root nginx would become a user who may not open the socket.
    user = "user root; " if os.getuid() == 0 else ""
    options = ("-p", str(folder), "-c", "nginx.conf", "-e", "stderr", "-g", f"{user}daemon off;")
    with subprocess.Popen([need("nginx", "nginx"), *options]) as process:
        try:
            _wait(process, port)
            yield
        finally:
            process.terminate()
            process.wait(_START_SECONDS)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, "nginx ended as it started"
        assert time.monotonic() < deadline, "nginx does not listen"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
