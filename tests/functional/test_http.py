"""TLS, HTTP and the published documents: who gets in, what is refused, what never hangs."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest
from harness import running_agencies, running_gateway
from lxml import etree

from ssbtek_gateway import devpki

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Gateway

HEADER = b"POST /ssbt/10 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"


def exchange(gateway: Gateway, *pieces: bytes) -> bytes:
    """Send raw bytes over mutual TLS and read until the gateway closes or stays silent for long."""
    with (
        socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain,
        gateway.tls().wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        for piece in pieces:
            secure.sendall(piece)
        answer = b""
        while chunk := secure.recv(65536):
            answer += chunk
        return answer


def _status(connection: http.client.HTTPSConnection) -> int:
    connection.request("GET", "/ssbt/10?wsdl")
    return connection.getresponse().status


def get(gateway: Gateway, target: str, who: str | None, port: int) -> tuple[int, bytes]:
    connection = gateway.connection(who, port)
    try:
        connection.request("GET", target, headers={"Host": "evil.example"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.fixture
def impostor(tmp_path: Path, pki: Path) -> ssl.SSLContext:
    """A client with a certificate for the same organisation from an authority of the same name."""
    devpki.write(tmp_path)
    context = ssl.create_default_context(cafile=pki / "ca.pem")
    context.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
    return context


def test_without_a_certificate_or_with_a_strangers_nobody_gets_in(ssbtek: Gateway, impostor: ssl.SSLContext) -> None:
    for context in (ssbtek.tls(None), impostor):
        connection = http.client.HTTPSConnection("127.0.0.1", ssbtek.port, context=context, timeout=10)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _status(connection)
        connection.close()


def test_the_servers_own_kind_of_certificate_is_no_clients(ssbtek: Gateway) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ssbtek.post(b"", who="server")


def test_tls_before_1_2_is_refused(ssbtek: Gateway) -> None:
    context = ssbtek.tls()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1 "):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_connection(("127.0.0.1", ssbtek.port)) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.parametrize("who", ["client", None])
def test_every_import_of_the_wsdl_resolves_on_either_port(ssbtek: Gateway, who: str | None) -> None:
    port = ssbtek.port if who else ssbtek.documents_port
    waiting, seen = ["/ssbt/10?wsdl"], set[str]()
    while waiting:
        target = waiting.pop()
        seen.add(target)
        status, body = get(ssbtek, target, who, port)
        assert status == 200, target
        locations = etree.fromstring(body).xpath("//@schemaLocation")
        waiting += [found for location in locations if (found := urljoin(target, str(location))) not in seen]
    assert "/xsd/ssbt/10/sammansatt_bastjanst.xsd" in seen


def test_the_wsdl_names_the_configured_address_whatever_the_host_header_says(ssbtek: Gateway) -> None:
    for who, port in (("client", ssbtek.port), (None, ssbtek.documents_port)):
        body = get(ssbtek, "/ssbt/10?wsdl", who, port)[1]
        assert b'location="https://ssbtek.example:8443/ssbt/10"' in body
        assert b"evil.example" not in body


def test_the_documents_say_which_environment_it_is(ssbtek: Gateway) -> None:
    for who, port in (("client", ssbtek.port), (None, ssbtek.documents_port)):
        connection = ssbtek.connection(who, port)
        connection.request("HEAD", "/ssbt/10?wsdl")
        assert connection.getresponse().getheader("Ssbtek-Miljo") == "test"
        connection.close()


def test_the_document_port_answers_no_question(ssbtek: Gateway, question: str) -> None:
    connection = ssbtek.connection(None, ssbtek.documents_port)
    connection.request("POST", "/ssbt/10", question.encode(), {"Content-Type": "text/xml"})
    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_the_encodings_of_old_clients(ssbtek: Gateway, question: str, encoding: str) -> None:
    status, body = ssbtek.post(question.encode(encoding), Content_Type=f"text/xml; charset={encoding}")
    assert status == 200
    assert "fråga 4711".encode() in body


def test_chunked_and_expect_continue_and_http_1_0(ssbtek: Gateway, question: str) -> None:
    body = question.encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:100], body[100:])) + b"0\r\n\r\n"
    close = HEADER + b"Connection: close\r\n"
    length = b"Content-Length: %d\r\n" % len(body)
    assert b" 200 OK" in exchange(ssbtek, close + b"Transfer-Encoding: chunked\r\n\r\n", chunks)
    answer = exchange(ssbtek, close + length + b"Expect: 100-continue\r\n\r\n", body)
    assert answer.startswith(b"HTTP/1.1 100 Continue")
    assert b" 200 OK" in answer
    old = b"POST /ssbt/10 HTTP/1.0\r\nContent-Type: text/xml\r\n" + length + b"\r\n"
    assert b" 200 OK" in exchange(ssbtek, old + body)


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        pytest.param([HEADER + b"Content-Length: 500\r\n\r\n", b"<a"], b"408", id="body never ends"),
        pytest.param([HEADER], b"", id="header never ends"),
        pytest.param([], b"", id="silence"),
    ],
)
def test_what_never_ends_does_for_the_gateway(ssbtek: Gateway, pieces: list[bytes], status: bytes) -> None:
    answer = exchange(ssbtek, *pieces)
    assert answer[9:12] == status
    assert answer.count(b"HTTP/1.1 ") == (1 if status else 0)
    assert b"uvicorn" not in answer.lower()


def test_a_soap_fault_carries_the_contracts_detail_and_nothing_of_the_message(ssbtek: Gateway, question: str) -> None:
    status, body = ssbtek.post(question.replace("191212121212", "19121212121x").encode())
    root = etree.fromstring(body)
    assert status == 500
    assert root.findtext(".//faultcode") == "soap:Client"
    assert root.findtext(".//detail/{*}hamtaBastjanstInformationFault/{*}felkod") == "OGILTIG_FRAGA"
    assert "personidentitet" in root.xpath("string(//*[local-name()='Fault'])")
    assert b"19121212121x" not in body


def test_the_connection_test_calls_what_has_a_test_of_its_own(pki: Path, tmp_path: Path) -> None:
    body = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><testaBastjanstInformation '
        b'xmlns="http://schema.forsakringskassan.se/integration/ssbt/10"/></e:Body></e:Envelope>'
    )
    with (
        running_agencies(pki, "AF=fault") as agencies,
        running_gateway(pki, tmp_path, agencies, connected=["AF", "CSN", "FK", "SO"]) as gateway,
    ):
        status, answer = gateway.post(body)
    assert status == 200
    assert {
        etree.QName(section).localname: (section.findtext("{*}anropad"), section.findtext("{*}error/{*}felkod"))
        for section in etree.fromstring(answer)[0][0]
    } == {
        "AF": ("true", "FAULT"),
        "CSN": ("false", None),
        "FK": ("true", None),
        "SKV": ("false", "EJ_ANSLUTEN"),
        "SO": ("false", None),
        "TNS": ("false", "EJ_ANSLUTEN"),
        "MIV": ("false", "EJ_ANSLUTEN"),
    }


def test_a_connection_above_the_cap_is_told_to_come_back(pki: Path, tmp_path: Path, unused_port: int) -> None:
    with running_gateway(pki, tmp_path, unused_port, listen="connections = 1") as gateway:
        first = gateway.connection()
        assert _status(first) == 200
        answer = exchange(gateway)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 5\r\n" in answer
        first.close()
        for _ in range(100):  # until the gateway has seen that the first is gone
            if not (answer := exchange(gateway, b"GET /ssbt/10?wsdl HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 503 "):
                break
        assert b" 200 OK" in answer
