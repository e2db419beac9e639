"""Raw bytes to the gateway over mutual TLS, and what must hold of all that comes back (security.md section 1)."""

from __future__ import annotations

import json
import re
import select
import socket
import sqlite3
import time
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import canaries
from lxml import etree
from unit.builders import CONFIDENTIAL, Got
from vectors import make

from ssbtek_gateway.faults import WHOLE_QUESTION

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    import pytest
    from harness import Gateway

XML = "Content-Type: text/xml; charset=utf-8"
CLOSE = "Connection: close"
MIV = make.only("MIV").encode()
# Far above what the slowest case takes on a busy machine; nothing is measured by it.
PATIENCE = 20
# What a stack would say of itself, and where it runs.
_OURS = re.compile(
    rb"traceback|exception|libxml|lxml|xmlsyntax|xmlsec|uvicorn|uvloop|httptools|llhttp|python|spyne|zeep|openssl"
    rb"|sqlalchemy|sqlite|ssbtek_gateway|site-packages|\.py\b|/usr/|/home/|/root/|/tmp/|/etc/|line [0-9]|0x[0-9a-f]{6}"
    rb"|[0-9]+\.[0-9]+\.[0-9]+|" + re.escape(socket.gethostname().encode()),
    re.IGNORECASE,
)
_BANNERS = {"server", "x-powered-by", "via"}
_PERSON = make.PERSON
SPELLINGS = (
    *CONFIDENTIAL,
    f"{_PERSON[:8]}-{_PERSON[8:]}",
    f"{_PERSON[2:8]}-{_PERSON[8:]}",
    f"{_PERSON[2:8]}+{_PERSON[8:]}",
    make.arabic(_PERSON),
    make.fullwidth(_PERSON),
    *make.OTHER_PERSONS.values(),
)


def request(
    body: bytes = b"", *headers: str, line: str = "POST /ssbt/10 HTTP/1.1", host: str = "Host: localhost"
) -> bytes:
    """A request with the usual headers, or only those given beside Host; the length stands last."""
    lines = [line, host, *(headers or (XML, CLOSE)), f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(body: bytes, *headers: str, end: bytes = b"0\r\n\r\n") -> bytes:
    lines = ["POST /ssbt/10 HTTP/1.1", "Host: localhost", *(headers or (XML, CLOSE)), "Transfer-Encoding: chunked"]
    return "\r\n".join([*lines, "", ""]).encode() + b"%x\r\n%b\r\n" % (len(body), body) + end


@contextmanager
def connected(
    gateway: Gateway, port: int | None = None, *, receive_bytes: int | None = None
) -> Iterator[ssl.SSLSocket]:
    """A mutual TLS connection, up and silent."""
    with socket.socket() as plain:
        plain.settimeout(PATIENCE)
        if receive_bytes is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.connect(("127.0.0.1", port or gateway.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with _context(gateway).wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            yield secure


def exchange(gateway: Gateway, *pieces: bytes, pause: float = 0.05, port: int | None = None) -> bytes:
    """Everything that comes back until the gateway closes, which it must."""
    with connected(gateway, port) as secure:
        answer = b""
        try:
            for number, piece in enumerate(pieces):
                time.sleep(pause if number else 0)
                secure.sendall(piece)
            while chunk := secure.recv(65536):
                answer += chunk
        except ConnectionError:  # closed while we were still sending
            pass
        return answer


@cache
def _context(gateway: Gateway) -> ssl.SSLContext:
    return gateway.tls()


@dataclass
class Reply(Got):
    """One HTTP response, and nothing after it."""

    raw: bytes = field(default=b"", repr=False)


def read(raw: bytes, *, to_head: bool = False) -> Reply:
    """The one response in `raw`: whole, and no second one behind it. One to HEAD has no body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    found = re.fullmatch(r"HTTP/1\.1 ([0-9]{3})(?: .*)?", status)
    assert found, raw[:200]
    headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}
    assert len(headers) == len(lines)
    assert len(body) == (0 if to_head else int(headers["content-length"])), raw[-300:]
    if found[1] != "200":
        canaries.search("fault", raw)
    return Reply(int(found[1]), headers, body, raw)


def leaks(raw: bytes) -> list[str]:
    """What a response or a log line may never hold: our insides, and anything of the message."""
    text = raw.decode("utf-8", "replace")
    ours = [found.decode() for found in _OURS.findall(re.sub(rb'http[s]?://[^ "<]+', b"", raw))]
    return ours + [value for value in SPELLINGS if value in text]


@dataclass
class Record:
    """What the gateway wrote down during one exchange: rows of the audit, lines of the log."""

    rows: list[tuple[str, str | None]] = field(default_factory=list)
    log: list[dict[str, object]] = field(default_factory=list)
    raw_log: str = ""


@contextmanager
def recorded(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> Iterator[Record]:
    capfd.readouterr()
    record = Record()
    before = _asked(gateway.audit, "SELECT coalesce(max(id), 0) FROM audit")[0][0]
    yield record
    record.rows = _asked(gateway.audit, "SELECT handelse, felkod FROM audit WHERE id > ? ORDER BY id", before)
    record.raw_log = capfd.readouterr().err
    record.log = [json.loads(line) for line in record.raw_log.splitlines()]


def _asked(database: Path, query: str, *values: int) -> list[Any]:
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection:
        return connection.execute(query, values).fetchall()


@dataclass
class Trap:
    """A port that nobody has a reason to connect to."""

    listening: socket.socket

    @property
    def url(self) -> bytes:
        return b"127.0.0.1:%d/" % self.listening.getsockname()[1]

    def baited(self, message: bytes) -> bytes:
        """The message with every address of a vector led here."""
        return message.replace(b"127.0.0.1:9/", self.url)

    def sprung(self) -> bool:
        return bool(select.select([self.listening], [], [], 0)[0])


@dataclass
class Wired:
    """The outcomes of the catalogue, each with everything that goes with it."""

    gateway: Gateway
    capfd: pytest.CaptureFixture[str]
    trap: Trap

    def faulted(self, *pieces: bytes, felkod: str, soap: str = "Client", says: str = "") -> Reply:
        """F: HTTP 500, the contract's fault, an incident id that finds the log line, one row in the audit."""
        reply, record = self._exchanged(*pieces)
        code, found, texts = reply.fault()
        assert (reply.status, code, found) == (500, soap, felkod), texts
        assert says in texts
        assert etree.fromstring(reply.body).findtext(".//faultstring") == WHOLE_QUESTION[felkod].text
        incident = re.search(r"händelse-id ([0-9a-f]{16}) ", texts)
        assert incident
        assert [(line["event"], line["incident"], line["felkod"]) for line in record.log] == [
            ("fault", incident[1], felkod)
        ]
        assert record.rows == [("NEKAD", felkod)]
        assert leaks(reply.raw) == []
        return reply

    def refused(self, *pieces: bytes, status: int) -> Reply:
        """H: a fixed text and the connection closed; one row in the audit."""
        reply, record = self._exchanged(*pieces)
        assert reply.status == status
        assert reply.headers["connection"] == "close"
        assert len(reply.body) < 100
        assert leaks(reply.raw) == []
        assert record.rows == [("NEKAD", f"HTTP_{status}")]
        assert [(line["event"], line["status"]) for line in record.log] == [("refused", status)]
        return reply

    def answered(self, *pieces: bytes) -> tuple[Reply, dict[str, str]]:
        """A or S: HTTP 200; beside the reply the felkod of each section in error."""
        reply, record = self._exchanged(*pieces)
        assert reply.status == 200, reply.body[-600:]
        root = etree.fromstring(reply.body)
        assert [etree.QName(element).localname for element in root[-1]] == ["hamtaBastjanstInformationResponse"]
        errors = {
            etree.QName(error.xpath("..")[0]).localname: error.findtext("{*}felkod", "")
            for error in root.iter("{*}error")
        }
        assert [handelse for handelse, _ in record.rows] == ["FRAGAD", "BESVARAD"]
        assert [line["event"] for line in record.log] == ["answered"]
        return reply, errors

    def recorded(self) -> AbstractContextManager[Record]:
        """What the gateway writes down during the block, to be read after it."""
        return recorded(self.gateway, self.capfd)

    def _exchanged(self, *pieces: bytes) -> tuple[Reply, Record]:
        with self.recorded() as record:
            reply = read(exchange(self.gateway, *pieces), to_head=pieces[0].startswith(b"HEAD "))
        assert not set(reply.headers) & _BANNERS
        assert leaks(record.raw_log.encode()) == []
        assert not self.trap.sprung()
        assert read(exchange(self.gateway, request(MIV))).status == 200
        return reply, record


def peak_memory() -> int:
    """The most bytes that this process has occupied since `forget_peak_memory`."""
    found = re.search(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) * 1024


def forget_peak_memory() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
