"""A real nginx for a test, with `examples/nginx/nginx.conf`; ended by its process id."""

from __future__ import annotations

import os
import re
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
def running_nginx(folder: Path, port: int, gateway: Path | int) -> Iterator[None]:
    """nginx on `port`, with server.pem, server.key and issuers.pem in `folder`, before the gateway's socket file.

    Before the gateway's port instead, it is what the example says of another machine, and proxy.pem is its own.
    """
    temporary = "".join(f"{name}_temp_path {folder}/nginx-{name};\n" for name in _TEMPORARY)
    text = CONFIG.read_text(encoding="utf-8")
    here = (("unix:/run/ssbtek-gateway/questions.sock", f"unix:{gateway}"),)
    elsewhere = (
        ("server ssbtek.example.se:8443", f"server 127.0.0.1:{gateway}"),
        ("proxy_ssl_name ssbtek.example.se", "proxy_ssl_name localhost"),
        ("gateway-issuer.pem", "ca.pem"),
    )
    if isinstance(gateway, int):
        text = re.sub(r"^( +)# (server |proxy_pass https:|proxy_ssl_)", r"\1\2", text, flags=re.MULTILINE)
        text = re.sub(r"^( +)(server unix:|proxy_pass http:)", r"\1# \2", text, flags=re.MULTILINE)
    for old, new in (
        *(elsewhere if isinstance(gateway, int) else here),
        ("/run/nginx-ssbtek.pid", f"{folder}/nginx.pid"),
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
