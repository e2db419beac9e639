"""Behind a proxy: the certificate comes in one header over a Unix socket, and in no other way."""

from __future__ import annotations

import http.client
import socket
import ssl
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import pki as made
import pytest
from functional.test_certificates import QUESTION, ask, client, connected, issuer, nobody, place
from harness import serving
from nginx_server import running_nginx

from ssbtek_gateway.sockets import claim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Gateway

NEIGHBOUR = "162120009994"
# However a proxy, a framework or a caller may write it.
SPOOFED = (
    "X-SSL-Client-Cert",
    "X_SSL_Client_Cert",
    "X-Ssl_Client-Cert",
    "X-Forwarded-Client-Cert",
    "Client-Cert",
    "Client-Cert-Chain",
    "X-SSL-Client-S-DN",
    "X-SSL-Client-Verify",
    "SSL-Client-Cert",
    "X-ARR-ClientCert",
    "X-Forwarded-For",
    "Forwarded",
)


class Proxied(NamedTuple):
    gateway: Gateway
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "questions.sock"

    def header(self, who: str) -> str:
        """As nginx writes it."""
        return quote((self.folder / f"{who}.pem").read_text(), safe="")


@pytest.fixture(scope="module")
def proxied(pki: Path, agencies: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("proxied")
    authority = made.Authority("first")
    made.put(folder / "first.pem", authority.pem())
    made.put(folder / "issuers.pem", authority.pem() + made.Authority("other").pem())
    revoked = authority.leaf().write(folder, "revoked")
    made.put(folder / "first.crl", authority.crl(revoked))
    authority.leaf().write(folder, "good")
    authority.leaf(NEIGHBOUR).write(folder, "neighbour")
    authority.leaf(days=(-30, -1)).write(folder, "expired")
    authority.leaf(usages=[made.SERVER]).write(folder, "for servers")
    authority.leaf(extension=made.UNKNOWN_CRITICAL, critical=True).write(folder, "unknown critical extension")
    made.Authority("first").leaf().write(folder, "namesake")
    proxy = '[proxy]\nsocket = "questions.sock"\nheader = "X-SSL-Client-Cert"\n'
    path = place(pki, folder, agencies, issuer("first", "first.crl"), proxy)
    with serving(folder, path) as gateway:
        yield Proxied(gateway, folder)


def over_socket(at: Proxied, headers: list[tuple[str, str]]) -> tuple[int, bytes]:
    """What is answered to whoever can open the socket."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(at.file))
    connection.putrequest("POST", "/ssbt/10")
    for name, value in [("Content-Type", "text/xml"), ("Content-Length", str(len(QUESTION))), *headers]:
        connection.putheader(name, value)
    connection.endheaders(QUESTION)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_the_one_header_says_who_is_asking(proxied: Proxied) -> None:
    good = proxied.header("good")
    assert over_socket(proxied, [("X-SSL-Client-Cert", good)])[0] == 200
    assert over_socket(proxied, [("x-ssl-client-cert", good), ("Connection", "close")])[0] == 200
    assert stat.S_IMODE(proxied.file.stat().st_mode) == 0o660


def test_anything_but_one_certificate_in_one_header_is_nobody(proxied: Proxied) -> None:
    good = proxied.header("good")
    name = "X-SSL-Client-Cert"
    wrong = [
        [],
        [(name, "")],
        [(name, good), (name, good)],
        [(name, f"{good},{good}")],
        [(name, good + good)],
        [(name, good), ("X_SSL_Client_Cert", proxied.header("neighbour"))],
        [(name, good), ("Connection", "X-SSL-Client-Cert")],
        [(name, good), ("Connection", "close, x_ssl_client_cert")],
        [(name, "(null)")],
        [(name, good[: len(good) // 2])],
        [(name, good.replace("A", "*"))],
        *([(other, good)] for other in SPOOFED if other != name),
    ]
    assert len({nobody(over_socket(proxied, headers)) for headers in wrong}) == 1


@pytest.mark.parametrize(
    "who", ["revoked", "neighbour", "expired", "for servers", "unknown critical extension", "namesake"]
)
def test_the_proxys_word_is_not_enough(proxied: Proxied, who: str) -> None:
    assert nobody(over_socket(proxied, [("X-SSL-Client-Cert", proxied.header(who))]))


def test_beside_the_proxy_tls_is_as_ever(proxied: Proxied) -> None:
    with connected(proxied.gateway, client(proxied.folder, "neighbour")) as connection:
        assert nobody(ask(connection, headers={"X-SSL-Client-Cert": proxied.header("good")}))
    with connected(proxied.gateway, client(proxied.folder, "good")) as connection:
        assert ask(connection)[0] == 200


@pytest.mark.external
def test_nginx_as_in_the_example(proxied: Proxied, unused_port: int) -> None:
    with running_nginx(proxied.folder, unused_port, proxied.file):
        front = replace(proxied.gateway, port=unused_port)
        spoofed = {name: proxied.header("good") for name in SPOOFED} | {"Connection": "X-SSL-Client-Cert"}
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with connected(front, client(proxied.folder, "good", version)) as connection:
                assert ask(connection)[0] == 200
            for who in ("neighbour", "revoked"):
                with connected(front, client(proxied.folder, who, version)) as connection:
                    assert nobody(ask(connection))
                with connected(front, client(proxied.folder, who, version)) as connection:
                    assert nobody(ask(connection, headers=spoofed))
            for refused in ("expired", "for servers", "unknown critical extension", "namesake", None):
                with connected(front, client(proxied.folder, refused, version)) as connection:
                    assert ask(connection)[0] == 400
        with connected(front, client(proxied.folder, "good")) as connection:
            assert ask(connection, headers={"Content-Encoding": "gzip"})[0] == 415


def test_a_socket_that_a_dead_gateway_left_is_taken_over_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(file))
    keeper, (first, second) = claim(str(file), 0, 2)
    with keeper, first, second:
        second.listen()
        with pytest.raises(OSError, match=r"cannot listen on .*: Address already in use"):
            claim(str(file), 0, 1)
    file.unlink()
    file.write_text("no socket")
    with pytest.raises(OSError, match=r"cannot listen on .*: Address already in use"):
        claim(str(file), 0, 1)
    assert file.read_text() == "no socket"
