"""Behind a proxy: the certificate comes in one header, over a Unix socket or from a listed peer, and not otherwise."""

from __future__ import annotations

import http.client
import json
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
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness import Gateway

    Way = Callable[["Proxied", list[tuple[str, str]]], tuple[int, bytes]]

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


WRONG_PEERS = {
    "revoked proxy": "the certificate is revoked",
    "unfit proxy": "the certificate has none of the policies of its issuer's rule",
}


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
    listed = [
        authority.leaf().write(folder, "proxy"),  # of an organisation that may ask, which does not make it a caller
        authority.leaf(None).write(folder, "proxy of nobody"),
        authority.leaf(None).write(folder, "revoked proxy"),
        authority.leaf(None, policies=[]).write(folder, "unfit proxy"),
        authority.leaf(days=(-30, -1)).write(folder, "expired proxy"),
    ]
    made.put(folder / "first.crl", authority.crl(revoked, listed[2]))
    authority.leaf().write(folder, "good")
    authority.leaf(NEIGHBOUR).write(folder, "neighbour")
    authority.leaf(days=(-30, -1)).write(folder, "expired")
    authority.leaf(usages=[made.SERVER]).write(folder, "for servers")
    authority.leaf(extension=made.UNKNOWN_CRITICAL, critical=True).write(folder, "unknown critical extension")
    made.Authority("first").leaf().write(folder, "namesake")
    peers = [made.fingerprint(peer) for peer in listed]
    proxy = f'[proxy]\nsocket = "questions.sock"\npeers = {peers}\nheader = "X-SSL-Client-Cert"\n'
    path = place(pki, folder, agencies, issuer("first", "first.crl"), proxy)
    with serving(folder, path) as gateway:
        yield Proxied(gateway, folder)


def sent(connection: http.client.HTTPConnection, headers: list[tuple[str, str]]) -> tuple[int, bytes]:
    """What is answered, with headers as often as they stand there."""
    connection.putrequest("POST", "/ssbt/10")
    for name, value in [("Content-Type", "text/xml"), ("Content-Length", str(len(QUESTION))), *headers]:
        connection.putheader(name, value)
    connection.endheaders(QUESTION)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def from_peer(at: Proxied, headers: list[tuple[str, str]], peer: str = "proxy") -> tuple[int, bytes]:
    """What is answered to whoever has the key of that peer."""
    with connected(at.gateway, client(at.folder, peer)) as connection:
        return sent(connection, headers)


def over_socket(at: Proxied, headers: list[tuple[str, str]]) -> tuple[int, bytes]:
    """What is answered to whoever can open the socket."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(at.file))
    return sent(connection, headers)


WAYS = pytest.mark.parametrize("way", [over_socket, from_peer])


@WAYS
def test_the_one_header_says_who_is_asking(proxied: Proxied, way: Way) -> None:
    good = proxied.header("good")
    assert way(proxied, [("X-SSL-Client-Cert", good)])[0] == 200
    assert way(proxied, [("x-ssl-client-cert", good), ("Connection", "close")])[0] == 200
    assert stat.S_IMODE(proxied.file.stat().st_mode) == 0o660


@WAYS
def test_anything_but_one_certificate_in_one_header_is_nobody(proxied: Proxied, way: Way) -> None:
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
    assert len({nobody(way(proxied, headers)) for headers in wrong}) == 1


@WAYS
@pytest.mark.parametrize(
    "who", ["revoked", "neighbour", "expired", "for servers", "unknown critical extension", "namesake"]
)
def test_the_proxys_word_is_not_enough(proxied: Proxied, who: str, way: Way) -> None:
    assert nobody(way(proxied, [("X-SSL-Client-Cert", proxied.header(who))]))


def test_a_peer_is_judged_itself_and_the_log_says_so(proxied: Proxied, capfd: pytest.CaptureFixture[str]) -> None:
    header = [("X-SSL-Client-Cert", proxied.header("good"))]
    assert from_peer(proxied, header, "proxy of nobody")[0] == 200
    with pytest.raises((ssl.SSLError, OSError)):
        from_peer(proxied, header, "expired proxy")
    capfd.readouterr()
    for peer in WRONG_PEERS:
        assert nobody(from_peer(proxied, header, peer))
    assert nobody(from_peer(proxied, []))
    told = [json.loads(line)["reason"] for line in capfd.readouterr().err.splitlines()]
    assert told == [
        *(f"the listed proxy: {reason}" for reason in WRONG_PEERS.values()),
        "the listed proxy did not hand on exactly one certificate",
    ]


def test_one_connection_of_a_peer_carries_many_callers(proxied: Proxied) -> None:
    with connected(proxied.gateway, client(proxied.folder, "proxy")) as connection:
        for who, status in (("good", 200), ("neighbour", 500), ("good", 200), ("revoked", 500), ("good", 200)):
            assert ask(connection, headers={"X-SSL-Client-Cert": proxied.header(who)})[0] == status
        assert nobody(ask(connection))
        connection.request("GET", "/ssbt/10?wsdl")  # the document is public
        assert connection.getresponse().status == 200


def test_beside_the_proxy_tls_is_as_ever(proxied: Proxied) -> None:
    with connected(proxied.gateway, client(proxied.folder, "neighbour")) as connection:
        assert nobody(ask(connection, headers={"X-SSL-Client-Cert": proxied.header("good")}))
    with connected(proxied.gateway, client(proxied.folder, "good")) as connection:
        assert ask(connection)[0] == 200
        assert ask(connection, headers={"X-SSL-Client-Cert": proxied.header("neighbour")})[0] == 200


@pytest.mark.external
@pytest.mark.parametrize("where", ["same machine", "another machine"])
def test_nginx_as_in_the_example(proxied: Proxied, unused_port: int, where: str) -> None:
    with running_nginx(proxied.folder, unused_port, proxied.file if where == "same machine" else proxied.gateway.port):
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
        with connected(front, client(proxied.folder, "neighbour")) as connection:
            connection.request("GET", "/ssbt/10?wsdl")
            assert connection.getresponse().read().startswith(b"<?xml")


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
