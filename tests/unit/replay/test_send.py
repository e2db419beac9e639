"""What is sent, and what a failure is called; no socket is opened."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.adapters import BaseAdapter

from ssbtek_gateway.connection import SetupError
from ssbtek_gateway.replay import send
from ssbtek_gateway.replay.send import Sender, SendError

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://gateway.example/ssbt/10"


class Wire(BaseAdapter):
    """Answers, or fails, in the network's place; keeps what was sent."""

    def __init__(
        self, status: int = 200, body: bytes = b"<a/>", error: Exception | None = None, **headers: str
    ) -> None:
        super().__init__()
        self.answer, self.error = (status, body, headers), error
        self.sent: list[tuple[requests.PreparedRequest, dict[str, Any]]] = []

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override] # noqa: ANN401
        self.sent.append((request, how))
        if self.error is not None:
            raise self.error
        status, body, headers = self.answer
        response = requests.Response()
        response.status_code, response.raw, response.request = status, io.BytesIO(body), request
        response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        return response

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def wired(pki: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a function of the test
    def make(wire: Wire) -> Sender:
        sender = Sender(URL, pki / "ca.pem", pki / "client.pem", pki / "client.key")
        sender._session.mount("https://", wire)  # noqa: SLF001 - the network's place
        return sender

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    return make


def test_the_bytes_go_unchanged_with_their_charset_over_our_trust_alone(wired: Any, pki: Path) -> None:  # noqa: ANN401
    wire = Wire(500, b"<f/>", Content_Type='text/xml; charset="ISO-8859-1"')
    with wired(wire) as sender:
        reply = sender.post(b"\xff\xfe\r\n<", "utf-16")
    assert (reply.status, reply.body, reply.charset) == (500, b"<f/>", "iso-8859-1")
    ((request, how),) = wire.sent
    assert (request.method, request.url, request.body) == ("POST", URL, b"\xff\xfe\r\n<")
    assert request.headers["Content-Type"] == "text/xml; charset=utf-16"
    assert request.headers["SOAPAction"] == '""'
    assert how["timeout"] == (5, 30)
    assert how["verify"] == str(pki / "ca.pem")
    assert how["cert"] == (str(pki / "client.pem"), str(pki / "client.key"))
    assert not how["proxies"]


def test_a_redirect_is_a_reply_and_is_not_followed(wired: Any) -> None:  # noqa: ANN401
    wire = Wire(307, b"", Location="https://elsewhere.example/")
    with wired(wire) as sender:
        assert sender.post(b"<a/>", "utf-8").status == 307
    assert len(wire.sent) == 1


def test_an_answer_without_charset_says_none(wired: Any) -> None:  # noqa: ANN401
    with wired(Wire(200, b"", Content_Type="text/xml")) as sender:
        assert sender.post(b"<a/>", "utf-8").charset is None


def test_an_endless_answer_is_cut_off(wired: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    monkeypatch.setattr(send, "_LARGEST", 10)
    with wired(Wire(200, b"x" * 11)) as sender, pytest.raises(SendError, match="more than 10 bytes"):
        sender.post(b"<a/>", "utf-8")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (requests.ConnectionError("[Errno 111] Connection refused"), "nothing listens there"),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), "not from the given authority"),
        (requests.exceptions.SSLError("tlsv13 alert certificate required"), "refused our certificate"),
        (requests.ReadTimeout("Read timed out."), "did not answer in time"),
        (requests.exceptions.SSLError("EOF occurred in violation of protocol"), "closed the connection"),
        (requests.ConnectionError("('Connection aborted.', RemoteDisconnected())"), "closed the connection"),
        (requests.ConnectionError("något med 191212121212"), "no answer: ConnectionError"),
        (OSError("Could not find a suitable TLS CA certificate bundle"), "no answer: OSError"),
    ],
)
def test_a_failure_has_a_name_and_holds_nothing_of_the_question(wired: Any, error: Exception, says: str) -> None:  # noqa: ANN401
    with wired(Wire(error=error)) as sender, pytest.raises(SendError, match=says) as raised:
        sender.post(b"<a/>", "utf-8")
    assert "191212121212" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["", "http://gateway.example/", "gateway.example", "https://", "https://[", "https://h:x/"]
)
def test_the_address_must_be_https(pki: Path, url: str) -> None:
    with pytest.raises(SetupError, match="https://host"):
        Sender(url, pki / "ca.pem", pki / "client.pem", pki / "client.key")


@pytest.mark.parametrize(
    ("ca", "cert", "key"),
    [
        ("missing.pem", "client.pem", "client.key"),
        ("ca.pem", "missing.pem", "client.key"),
        ("ca.pem", "client.pem", "server.key"),
        ("client.key", "client.pem", "client.key"),
    ],
)
def test_files_that_cannot_be_used(pki: Path, ca: str, cert: str, key: str) -> None:
    with pytest.raises(SetupError, match="cannot be used"):
        Sender(URL, pki / ca, pki / cert, pki / key)
