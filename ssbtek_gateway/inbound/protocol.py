"""HTTP on one connection: uvicorn's, with a bound or deadline on all that a client can overdo or leave undone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ssbtek_gateway import metrics
from ssbtek_gateway.inbound.app import CERTIFICATE
from ssbtek_gateway.inbound.framing import UNREADABLE

if TYPE_CHECKING:
    import asyncio

    from ssbtek_gateway.config import Listen

# How much of an answer may wait for its reader before the next piece of it does.
_WRITTEN_BYTES = 65_536
# All but the body together, the target, and how many headers. A SOAP client sends a few hundred bytes and ten headers.
_OVERHEAD_BYTES = 16_384
_TARGET_BYTES = 2_048
_HEADERS = 100
# HTTP/0.9, after which no header comes.
_SIMPLE_REQUEST = re.compile(rb"[A-Z]+ [^ \r\n]+\r?\n")
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^ \r\n]+ HTTP/(?P<version>[0-9]+\.[0-9]+)\r\n")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _Unreadable(Exception):  # noqa: N818 - not an error of ours
    """Raised in the parser's callbacks: this is not HTTP as we accept it. `status` says so to the caller."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Joined:
    """A transport for one answer: its header goes out with the first of its body, in one TLS record and system call."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._header: bytes | None = None
        self.is_closing = transport.is_closing
        self.close = transport.close

    def write(self, data: bytes) -> None:
        if data == _CONTINUE:
            self._transport.write(data)
        elif self._header is None:
            self._header = data
        else:
            self._transport.write(self._header + data)
            self._header = b""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with a client certificate in the scope, bounds on all but the body, and one request at a time.

    What is not HTTP is answered by the application too (`framing.UNREADABLE`), so that there is one answer and one
    record of it.
    """

    limits: Listen  # both set on the subclass that a Listener makes
    leaving: asyncio.Event

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        super().connection_made(transport)
        metrics.HANDSHAKES.inc()
        peer = transport.get_extra_info("ssl_object")
        transport.set_write_buffer_limits(_WRITTEN_BYTES)
        self._certificate = peer.getpeercert(binary_form=True) if peer else None
        self._in_header = True
        # Bytes of the request that are not its body: request line, headers, chunk sizes and extensions, trailers.
        self._overhead = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._expect_header()
        # Deaf: the connection's last answer is on its way, and what still comes is not read.
        self._deaf = len(self.connections) > self.limits.connections
        if self._deaf:
            # TLS is up and nothing has been read. A client that is sending may see the connection reset instead.
            metrics.REFUSALS.inc("503")
            transport.write(_FULL)
            transport.close()

    def shutdown(self) -> None:
        """End at a stop; but who has just come and has not asked yet has `header_seconds` to do so."""
        if self.cycle is not None:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._header_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        if self.cycle is None or self.cycle.response_complete:
            self._expect_header()
        self._overhead += len(data)
        try:
            self.parser.feed_data(data)
            self._check_overhead()
            self._check_simple_request(data)
        except (_Unreadable, httptools.HttpParserError) as error:
            self._unreadable(_status(error, data))

    def _unreadable(self, status: int) -> None:
        """Let the application refuse what was being read, if it has not answered; then the connection closes."""
        self._deaf = True
        self._header_came()
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            super().on_message_begin()
            self.url = b"/"
            self.scope["extensions"] = {CERTIFICATE: self._certificate, UNREADABLE: status}  # type: ignore[dict-item]
            super().on_headers_complete()
            return
        if cycle.more_body:
            cycle.scope["extensions"][UNREADABLE] = status  # type: ignore[assignment] # uvicorn's is too narrow
            cycle.more_body = False
            cycle.message_event.set()
        # Otherwise the request is whole, and what came after it is not asked by anybody who waits for answers.
        cycle.keep_alive = False

    def _expect_header(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.limits.header_seconds, self._give_up)

    def _give_up(self) -> None:
        metrics.REFUSALS.inc("slow")
        self.transport.close()

    def _header_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _check_overhead(self) -> None:
        if self._overhead > _OVERHEAD_BYTES:
            raise _Unreadable(431 if self._in_header else 400)

    def _check_simple_request(self, data: bytes) -> None:
        if self._in_header and self._overhead == len(data) and _SIMPLE_REQUEST.match(data):
            raise _Unreadable(505)

    def on_message_begin(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            raise _Unreadable(400)  # a second request before the answer to the first: smuggled, for all we know
        super().on_message_begin()
        self.scope["extensions"] = {CERTIFICATE: self._certificate}  # type: ignore[dict-item]

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > _TARGET_BYTES:
            raise _Unreadable(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_header:  # and no trailer, which nobody here reads
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            # The parser would take what follows for another protocol's.
            raise _Unreadable(501 if self.parser.get_method() == b"CONNECT" else 400)
        if not self.url.startswith((b"/", b"https://")):
            raise _Unreadable(400)
        if (
            len(self.headers) > _HEADERS
            or sum(len(name) + len(value) for name, value in self.headers) > _OVERHEAD_BYTES
        ):
            raise _Unreadable(431)
        self._in_header = False
        self._header_came()
        super().on_headers_complete()
        if self.scope["method"] != "HEAD":  # whose answer has no body
            self.cycle.transport = _Joined(self.transport)  # type: ignore[assignment] # all that a cycle uses
        if self.leaving.is_set():
            self.cycle.keep_alive = False  # and the answer says so

    def on_body(self, body: bytes) -> None:
        self._overhead -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._check_overhead()
        self._overhead = 0
        self._in_header = True
        super().on_message_complete()


def _status(error: Exception, data: bytes) -> int:
    """The HTTP status for what the parser could not read in `data`."""
    refused = error if isinstance(error, _Unreadable) else error.__context__
    if isinstance(refused, _Unreadable):
        return refused.status
    line = _REQUEST_LINE.match(data)
    if line and line["version"] not in {b"1.0", b"1.1"}:
        return 505
    return 501 if line and isinstance(error, httptools.HttpParserInvalidMethodError) else 400
