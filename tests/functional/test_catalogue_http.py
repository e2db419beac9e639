"""security.md section 1, HTTP: bytes that are no request, or that two readers could read differently, on the wire."""

from __future__ import annotations

import gzip
import socket
import zlib
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING

import pytest
from wire import CLOSE, MIV, PATIENCE, XML, chunked, connected, exchange, leaks, read, request

if TYPE_CHECKING:
    from wire import Wired

GET = "GET /ssbt/10?wsdl HTTP/1.1"
SMUGGLED = b"GET /ssbt/10?wsdl HTTP/1.1\r\nHost: localhost\r\n\r\n"
MEGABYTE = 1024 * 1024


def head(*headers: str, line: str = GET, host: str = "Host: localhost") -> bytes:
    return "\r\n".join([line, *([host] if host else []), *headers, "", ""]).encode("latin-1")


def post(*headers: str, body: bytes = MIV) -> bytes:
    return head(XML, *headers, line="POST /ssbt/10 HTTP/1.1") + body


def in_chunks(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return post("Transfer-Encoding: chunked", body=b"".join(chunks) + end)


LENGTH = f"Content-Length: {len(MIV)}"
AS_CHUNK = b"%x\r\n%b\r\n" % (len(MIV), MIV)
ENDED = AS_CHUNK + b"0\r\n\r\n"
OBFUSCATED = [
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: identity, chunked, identity",
    "Transfer-Encoding:\x0bchunked",
    "Transfer-Encoding: \x00chunked",
    "Transfer-Encoding: chunked\x0c",
    "Transfer-Encoding: 'chunked'",
    'Transfer-Encoding: "chunked"',
    "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "X: y\r\n Transfer-Encoding: chunked",
    "X: y\nTransfer-Encoding: chunked",
    "X: y\rTransfer-Encoding: chunked",
    "Transfer-Encoding\r\n : chunked",
    " Transfer-Encoding: chunked",
    "Transfer-Encoding: \r\n chunked",
    "Transfer-Encoding: chunk\u00e9d",
    "Transfer-Encoding:",
]
AMBIGUOUS = {
    "CL.TE": (400, post(LENGTH, "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED)),
    "TE.CL": (400, post("Transfer-Encoding: chunked", "Content-Length: 4", body=ENDED + SMUGGLED)),
    "CL.TE in HTTP/1.0": (
        400,
        post(LENGTH, "Transfer-Encoding: chunked", body=ENDED).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ),
    "TE in HTTP/1.0": (400, post("Transfer-Encoding: chunked", body=ENDED).replace(b"HTTP/1.1", b"HTTP/1.0")),
    "no length": (411, post(body=SMUGGLED)),
    "length under another name": (411, post("Content_Length: 5", "Transfer_Encoding: chunked", body=ENDED)),
    "GET with a body": (400, head("Content-Length: 5") + b"abcde"),
    "GET with a smuggled body": (400, head(f"Content-Length: {len(SMUGGLED)}") + SMUGGLED),
    "GET with chunks": (400, head("Transfer-Encoding: chunked") + ENDED),
    "HEAD with a body": (400, head("Content-Length: 5", line="HEAD /ssbt/10?wsdl HTTP/1.1") + b"abcde"),
    "GET whose body does not come": (400, head("Content-Length: 5000")),
    **{
        f"TE.{number} {header!r}": (400, post(header, body=ENDED + SMUGGLED))
        for number, header in enumerate(OBFUSCATED)
    },
    **{
        f"CL and TE.{number} {header!r}": (400, post(LENGTH, header, body=ENDED + SMUGGLED))
        for number, header in enumerate(OBFUSCATED)
    },
}
LENGTHS = {
    f"length {value!r}": (400, post(f"Content-Length: {value}"))
    for value in (
        "-1", "+5", "0x10", "1_0", "5, 5", "5,6", "two", "9" * 23, "9" * 19, "\xb2", "\xef\xbc\x95", "5 5", "", " ",
        "5\x0b", "5;", "1e3", "5.0", "5\r\nContent-Length: 5", "5\r\nContent-Length: 6", "5\r\nContent-Length: ",
    )
}  # fmt: skip
CHUNKS = {
    f"chunk of size {size[:24]!r}": (400, in_chunks(size + b"\r\nabcde\r\n"))
    for size in (
        b"-5", b"+5", b"0x5", b"1_0", b"f" * 17, b"g", b"", b" 5", b"5 ", b"5\n", b"5\r", b"\xef\xbc\x95",
        b"5;" + b"a" * 65_536, b"5;a=" + b"b" * 65_536, b'5;a="\n"', b"5;a\0", b"0" * 20_000 + b"5",
    )
} | {
    "chunk of the largest size": (408, in_chunks(b"f" * 16 + b"\r\nabcde\r\n")),
    "chunk without end": (400, in_chunks(b"5\r\nabcde")),
    "chunk that ends in LF": (400, in_chunks(b"5\r\nabcde\n")),
    "chunk longer than it says": (400, in_chunks(b"3\r\nabcde\r\n")),
    "sizes that end in LF": (400, in_chunks(b"5\nabcde\r\n")),
    "last chunk without end": (400, in_chunks(AS_CHUNK, end=b"0\r\nX\r\n\r\n")),
    "length in a trailer": (400, in_chunks(AS_CHUNK, end=b"0\r\nContent-Length: 5\r\n\r\n")),
    "trailers without end": (400, in_chunks(AS_CHUNK, end=b"0\r\n" + b"X: y\r\n" * 5_000)),
    "long trailers": (400, in_chunks(AS_CHUNK, end=b"0\r\n" + b"X: y\r\n" * 5_000 + b"\r\n")),
    "chunks of one byte": (400, in_chunks(*[b"1\r\na\r\n"] * 5_000)),
    "too much in chunks": (413, in_chunks(b"100000\r\n" + b" " * MEGABYTE + b"\r\n")),
}  # fmt: skip
BOMB = gzip.compress(b" " * 20 * MEGABYTE)
CODINGS = {
    "gzip": (415, post("Content-Encoding: gzip", f"Content-Length: {len(BOMB)}", body=BOMB)),
    "gzip in gzip": (415, request(gzip.compress(BOMB), XML, "Content-Encoding: gzip, gzip")),
    "deflate": (415, request(zlib.compress(b" " * MEGABYTE), XML, "Content-Encoding: deflate")),
    "said to be gzip": (415, request(MIV, XML, "Content-Encoding: gzip")),
    "said to be br": (415, request(MIV, XML, "Content-Encoding: br")),
    "said to be identity": (415, request(MIV, XML, "Content-Encoding: identity")),
    "gzip as transfer coding": (415, post("Transfer-Encoding: gzip, chunked", body=ENDED)),
    "gzip in gzip as transfer coding": (415, post("Transfer-Encoding: gzip, gzip, chunked", body=ENDED)),
}
MALFORMED = {
    "not HTTP": (400, b"GARBAGE\r\n\r\n"),
    "JSON": (400, b'{"personidentitet": "191212121212"}\r\n\r\n'),
    "TLS in TLS": (400, bytes.fromhex("16030100050100000100")),
    "NULs": (400, b"\0" * 100),
    "only a name": (400, b"GET\r\n\r\n"),
    "no target": (400, head(line="GET HTTP/1.1")),
    "space in front": (400, head(line=f" {GET}")),
    "tab for a space": (400, head(line="GET\t/ssbt/10?wsdl HTTP/1.1")),
    "control in the target": (400, head(line="GET /ssbt/\x0110 HTTP/1.1")),
    "target that is not ASCII": (400, head(line="GET /\xe5 HTTP/1.1")),
    "target without slash": (400, head(line="GET ssbt/10?wsdl HTTP/1.1")),
    "target of another scheme": (400, head(line="GET file:///etc/hostname HTTP/1.1")),
    "asterisk": (400, head(line="OPTIONS * HTTP/1.1")),
    "lower case http": (400, head(line="GET /ssbt/10?wsdl http/1.1")),
    "NUL in a header": (400, head("X: a\0b")),
    "NUL in a name": (400, head("X\0: a")),
    "no colon": (400, head("X")),
    "no name": (400, head(": x")),
    "space before the colon": (400, head("X : a")),
    "space in the name": (400, head("X Y: a")),
    "fold": (400, head("X: a\r\n b")),
    "fold at the start": (400, head(" X: a", host="")),
    "bare CR": (400, head("X: a\rb")),
    "bare LF": (400, head("X: a\nb: c")),
    "LF alone": (400, head().replace(b"\r\n", b"\n")),
    "CR alone": (400, head().replace(b"\r\n", b"\r")),
    "two Host": (400, head("Host: evil.example")),
    "two Host alike": (400, head("Host: localhost")),
    "no Host": (400, head(host="")),
    "two Content-Type": (400, request(MIV, XML, "Content-Type: text/plain")),
    "upgrade to h2c": (400, post(LENGTH, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: A")),
    "upgrade to websocket": (400, head("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x") + SMUGGLED),
    "an expectation": (417, post(LENGTH, "Expect: 200-ok")),
    "long target": (414, head(line=f"GET /{'a' * 9_000} HTTP/1.1")),
    "very long target": (414, head(line=f"GET /{'a' * 100_000} HTTP/1.1")),
    "long target of the right path": (414, head(line=f"GET /ssbt/10?{'a' * 3_000} HTTP/1.1")),
    "long header": (431, head(f"X: {'a' * 17_000}")),
    "very long header": (431, head(f"X: {'a' * 200_000}")),
    "long header before a body": (431, post(LENGTH, f"X: {'a' * 17_000}")),
    "long header name": (431, head(f"{'X' * 17_000}: a")),
    "many headers": (431, head(*["X: a"] * 101)),
    "very many headers": (431, head(*["X: a"] * 20_000)),
    "unended header": (431, head(f"X: {'a' * 40_000}")[:-4]),
    "HTTP/0.9": (505, b"GET /ssbt/10?wsdl\r\n"),
    "HTTP/0.9 by name": (505, head(line="GET /ssbt/10?wsdl HTTP/0.9")),
    "HTTP/1.2": (505, head(line="GET /ssbt/10?wsdl HTTP/1.2")),
    "HTTP/2.0": (505, head(line="GET /ssbt/10?wsdl HTTP/2.0")),
    "HTTP/9.9": (505, head(line="GET /ssbt/10?wsdl HTTP/9.9")),
    "HTTP/11.1": (505, head(line="GET /ssbt/10?wsdl HTTP/11.1")),
    "HTTP/2 preface": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"),
}
METHODS = {
    **{
        f"{method} of the question address": (405, head("Content-Length: 0", line=f"{method} /ssbt/10 HTTP/1.1"))
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "SOURCE")
    },
    "HEAD of the question address": (405, head(line="HEAD /ssbt/10 HTTP/1.1")),
    "TRACE of the description": (405, head(line="TRACE /ssbt/10?wsdl HTTP/1.1")),
    "POST of the description": (405, head("Content-Length: 0", line="POST /ssbt/10?wsdl HTTP/1.1")),
    "CONNECT": (501, head(line="CONNECT localhost:443 HTTP/1.1")),
    "CONNECT of a path": (501, head(line="CONNECT /ssbt/10 HTTP/1.1") + SMUGGLED),
    "unknown method": (501, head(line="BREW /ssbt/10 HTTP/1.1")),
    "method in lower case": (501, head(line="post /ssbt/10 HTTP/1.1")),
    "unknown path": (404, head(line="GET /nowhere HTTP/1.1")),
    "path traversal": (404, head(line="GET /xsd/../../etc/hostname HTTP/1.1")),
    "encoded path traversal": (404, head(line="GET /xsd/%2e%2e%2f%2e%2e%2fetc%2fhostname HTTP/1.1")),
    "unknown query": (404, head(line="GET /ssbt/10?wsdl&x=http://127.0.0.1:9/ HTTP/1.1")),
}
REFUSED = AMBIGUOUS | LENGTHS | CHUNKS | CODINGS | MALFORMED | METHODS


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_question_is_refused_and_the_connection_closed(wired: Wired, name: str) -> None:
    status, message = REFUSED[name]
    reply = wired.refused(message, status=status)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"


ONE_ANSWER = {
    "two descriptions at once": (200, SMUGGLED * 2),
    "a question and more": (200, request(MIV, XML) + SMUGGLED),
    "a question and a broken one": (200, request(MIV, XML) + b"POST /ssbt/10 HTTP/1.1\r\nX : y\r\n\r\n"),
    "a question and noise": (200, request(MIV, XML) + b"\x00\xff" * 500),
    "a question in chunks and more": (200, chunked(MIV, XML) + SMUGGLED),
    "CL.0": (500, request(b"", XML) + SMUGGLED),
    "CL.0 with the connection to be closed": (500, request(b"", XML, CLOSE) + SMUGGLED),
    "a refusal and more": (415, request(MIV, "Content-Type: text/plain") + SMUGGLED),
    "a fault and more": (500, request(b"<a/>", XML) + SMUGGLED * 50),
}


@pytest.mark.parametrize("name", ONE_ANSWER)
def test_a_second_request_before_the_answer_gets_none(wired: Wired, name: str) -> None:
    status, message = ONE_ANSWER[name]
    assert read(exchange(wired.gateway, message)).status == status


@pytest.mark.parametrize("name", [name for name, (status, _) in ONE_ANSWER.items() if status != 200])
def test_what_follows_a_message_that_was_refused_is_not_read(wired: Wired, name: str) -> None:
    status, message = ONE_ANSWER[name]
    pieces = message[: -len(SMUGGLED)], message[-len(SMUGGLED) :]
    assert read(exchange(wired.gateway, *pieces)).status == status


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(chunked(MIV, end=b"0\r\nHost: a\r\nContent-Type: a/b\r\nExpect: x\r\n\r\n"), id="trailers"),
        pytest.param(
            chunked(MIV, end=b"0\r\nX-SSL-Client-Cert: a\r\nX-Client-Cert: a\r\n\r\n"), id="who asks by trailer"
        ),
        pytest.param(
            post("Transfer-Encoding: chunked", CLOSE, body=ENDED.replace(b"\r\n", b";a=b\r\n", 1)), id="chunk extension"
        ),
        pytest.param(
            post(
                "Transfer-Encoding: chunked",
                CLOSE,
                body=b"".join(b"10\r\n%b\r\n" % MIV[n : n + 16] for n in range(0, len(MIV) - 15, 16))
                + b"%x\r\n%b\r\n0\r\n\r\n" % (len(MIV) % 16, MIV[len(MIV) // 16 * 16 :]),
            ),
            id="small chunks",
        ),
        pytest.param(request(MIV, XML, line="POST /ssbt/10 HTTP/1.0", host="X: y"), id="HTTP/1.0"),
        pytest.param(request(MIV, line="POST https://evil.example/ssbt/10 HTTP/1.1"), id="absolute target"),
        pytest.param(request(MIV, line="POST /ssbt/%31%30 HTTP/1.1"), id="escaped target"),
        pytest.param(request(MIV, host="Host: evil.example"), id="another Host"),
        pytest.param(b"\r\n\r\n" + request(MIV), id="line ends in front"),
        pytest.param(request(MIV) + b"\r\n", id="a line end behind"),
        pytest.param(request(MIV, XML, CLOSE, "TE: gzip, trailers"), id="other codings would do"),
        pytest.param(request(MIV, XML, CLOSE, "Accept-Encoding: gzip", "Accept: a/b"), id="other media would do"),
        pytest.param(request(MIV, XML, CLOSE, *["X: y"] * 90), id="many headers"),
        pytest.param(request(MIV, XML, CLOSE, "Upgrade: h2c"), id="an upgrade that is none"),
        pytest.param(request(MIV, XML, CLOSE, "Range: bytes=0-1", "If-Match: x"), id="conditions"),
        pytest.param(request(MIV, XML, CLOSE, "X-HTTP-Method-Override: DELETE"), id="another method by header"),
    ],
)
def test_what_is_unusual_and_plain_is_answered(wired: Wired, message: bytes) -> None:
    wired.answered(message)


@pytest.mark.parametrize("body", [MIV[:100], MIV], ids=["half", "whole, and more is announced"])
def test_a_body_shorter_than_its_length_is_never_answered(wired: Wired, body: bytes) -> None:
    wired.refused(post(f"Content-Length: {len(MIV) + 500}", body=body), status=408)


def test_a_connection_that_is_cut_in_a_message_asks_nobody(wired: Wired) -> None:
    with wired.recorded() as record:
        for cut in (b"P", post(LENGTH, body=b""), post(LENGTH, body=MIV[:-1]), in_chunks(AS_CHUNK, end=b"")):
            with connected(wired.gateway) as secure:
                secure.sendall(cut)
        assert read(exchange(wired.gateway, request(MIV))).status == 200
    assert [row for row in record.rows if row[0] != "NEKAD"] == [("FRAGAD", None), ("BESVARAD", None)]


@pytest.mark.parametrize("drip", [b"\r\n", b"G"], ids=["line ends", "a method without end"])
def test_a_kept_connection_is_not_held_open_by_drops(wired: Wired, drip: bytes) -> None:
    with connected(wired.gateway) as secure:
        secure.sendall(SMUGGLED)
        answer = secure.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        secure.settimeout(0.1)
        for _ in range(PATIENCE * 10):
            try:
                secure.sendall(drip)
                if not secure.recv(65536):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("still open")


def test_the_description_names_the_public_address_only(wired: Wired) -> None:
    reply = read(exchange(wired.gateway, head(CLOSE, host="Host: evil.example")))
    assert b"https://ssbtek.example:8443/ssbt/10" in reply.body
    for other in (b"evil", b"127.0.0.1", b"localhost", socket.gethostname().encode()):
        assert other not in reply.raw


def test_the_document_port_reads_requests_as_strictly(wired: Wired) -> None:
    for name in ("CL.TE", "GET with a body", "HTTP/9.9", "two Host", "long target", "unknown method", "GET", "POST"):
        status, message = REFUSED.get(name, (404, head("Content-Length: 0", line=f"{name} /ssbt/10 HTTP/1.1")))
        reply = read(exchange(wired.gateway, message, port=wired.gateway.documents_port))
        assert (reply.status, reply.headers["connection"]) == (status, "close"), name


DAMAGE = [
    *(b"", b" ", b":", b";", b",", b"0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b"\xff", b"HTTP/1.0", b"GET "),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"X: y\r\n"),
    *(b"Host: a\r\n", b"Expect: 100-continue\r\n", b"Upgrade: a\r\nConnection: upgrade\r\n"),
]


def test_a_damaged_request_gets_one_answer_at_most(wired: Wired) -> None:
    chance = Random(4711)  # noqa: S311 - no secret: the same damage every time

    def damaged() -> bytes:
        message = chance.choice([request(MIV), chunked(MIV), head(CLOSE)])
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(min(len(message), 250))
            message = message[:at] + chance.choice(DAMAGE) + message[at + chance.choice([0, 0, 1, 9]) :]
        return message

    def got(message: bytes) -> bytes:
        with connected(wired.gateway) as secure:
            secure.settimeout(2)
            answer = b""
            try:
                secure.sendall(message)
                while part := secure.recv(65_536):
                    answer += part
            except (TimeoutError, ConnectionError):  # kept open for a next request, or closed as we were writing
                pass
            return answer.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(got, [damaged() for _ in range(120)]))
    for answer in answers:
        if answer:
            reply = read(answer, to_head=answer.endswith(b"\r\n\r\n"))
            assert reply.status in {200, 400, 404, 405, 408, 411, 413, 414, 415, 417, 431, 500, 501, 505}
            assert reply.status == 200 or leaks(answer) == []
    assert len({answer[:13] for answer in answers}) > 5
    assert read(exchange(wired.gateway, request(MIV))).status == 200
