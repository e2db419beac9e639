"""HTTP/1.1 to one origin over kept connections: asyncio below, llhttp (httptools) for what comes back.

A connection carries one exchange at a time, and the next only where everything about the one before was in order:
whatever comes that nobody asked for, or not whole, closes it. Why not a client library: docs/decisions/0002.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from typing import Any

import aiodns
import httptools
from aiohappyeyeballs import start_connection

_HEAD_BYTES = 65_536
_CHARSET = re.compile(rb"""charset\s*=\s*["']?([^\s;"']*)""", re.IGNORECASE)
_OK, _REDIRECT, _REFUSED = 200, 300, 400
# Shorter than the idle limit of any usual server, so that a question is not sent on a connection that is being closed.
_IDLE_SECONDS = 10
# How long a server may take to close its side.
_CLOSE_SECONDS = 1
# The other family of addresses is tried beside the first after this long (RFC 8305).
_OTHER_FAMILY_SECONDS = 0.25


class AnswerError(ValueError):
    """What came is no usable answer; the text is fixed, and says why."""


class LostError(ConnectionError):
    """The connection ended before an answer had begun."""


class Answer:
    """An answer as it comes in: llhttp calls the `on_` methods. `done` is set when it is whole or cannot become so."""

    def __init__(self, done: asyncio.Future[None], longest: int, *, head_only: bool) -> None:
        self.status = 0
        self.charset: str | None = None
        self.body = bytearray()
        self.done = done
        self.reusable = False
        self._longest = longest
        self._head_only = head_only
        self._parser = httptools.HttpResponseParser(self)
        self._head_bytes = 0
        self._in_head = True
        self._coded = False
        self._until_end = True

    def feed(self, data: bytes) -> None:
        """Take what came."""
        if self.done.done():
            self.reusable = False
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.fail(AnswerError("not HTTP/1.1"))
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES:
                self.fail(AnswerError(f"header over {_HEAD_BYTES} bytes"))

    def lost(self, error: Exception | None) -> None:
        """The connection has ended; without length or chunks that is how an answer ends (RFC 9112, section 6.3)."""
        if error is None and not self._in_head and self._until_end:
            self._finish(reusable=False)
        elif isinstance(error, ssl.SSLError):
            self.fail(error)  # TLS 1.3: that our certificate is refused shows only here
        elif self._in_head:
            self.fail(LostError("closed before an answer"))
        else:
            self.fail(AnswerError("closed in the middle of the answer"))

    def on_message_begin(self) -> None:
        self.reusable = False  # where another one has come before, this one was not asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer
        match name.lower():
            case b"content-type":
                found = _CHARSET.search(value)
                self.charset = found[1].decode("ascii", "replace") if found else None
            case b"content-encoding":
                self._coded = value.strip().lower() != b"identity"
            case b"content-length" | b"transfer-encoding":
                self._until_end = False

    def on_headers_complete(self) -> None:
        if not self._in_head:
            return  # another answer, which nobody asked for
        self.status = self._parser.get_status_code()
        if self.status < _OK:
            self._until_end = True  # an interim answer; the one that counts follows
            return
        self._in_head = False
        if _REDIRECT <= self.status < _REFUSED:
            self.fail(AnswerError("redirect"))
        elif self._coded:
            self.fail(AnswerError("compressed though identity was asked for"))
        elif self._head_only:
            self._finish(reusable=False)

    def on_body(self, part: bytes) -> None:
        if len(self.body) + len(part) > self._longest:
            self.fail(AnswerError(f"over {self._longest} bytes"))
        elif not self.done.done():
            self.body += part

    def on_message_complete(self) -> None:
        if not self._in_head:
            self._finish(reusable=self._parser.should_keep_alive())

    def close(self) -> None:
        """Part with the parser, which refers back: what the answer holds goes when nobody needs it any more."""
        del self._parser

    def _finish(self, *, reusable: bool) -> None:
        if not self.done.done():
            self.reusable = reusable
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        """It cannot become whole."""
        self.reusable = False
        if not self.done.done():
            self.done.set_exception(error)


class Connection(asyncio.Protocol):
    """One connection to the origin."""

    def __init__(self) -> None:
        # Kept, for asking asyncio for it is a system call each time.
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self.idle_since = 0.0
        self._answer: Answer | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # what is connected here
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.drop()  # it would be read as the next answer
        else:
            self._answer.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)
        if self._answer is not None:
            self._answer.lost(exc)

    @property
    def closing(self) -> bool:
        return self._transport.is_closing()

    async def exchange(self, request: bytes, longest: int, deadline: float, *, head_only: bool = False) -> Answer:
        """Send `request` and wait for its answer, of at most `longest` bytes, until the event loop's time `deadline`.

        Raises `AnswerError`, `LostError`, `ssl.SSLError` or `TimeoutError`.
        """
        if self.closing:
            raise LostError("closed before the question")
        answer = self._answer = Answer(self._loop.create_future(), longest, head_only=head_only)
        # One timer instead of asyncio.timeout's task juggling: there are seven of these in a question.
        timer = self._loop.call_at(deadline, answer.fail, TimeoutError())
        self._transport.write(request)
        try:
            await answer.done
        finally:
            timer.cancel()
            self._answer = None
            answer.close()
            if not answer.reusable:
                self.drop()
        return answer

    def drop(self) -> None:
        """End it at once; nothing on it is of use."""
        self._transport.abort()

    def close(self) -> None:
        """End it in order."""
        self._transport.close()


class Pool:
    """At most `size` connections to one origin. Make it on the running event loop; close it there."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, size: int, connect_seconds: float) -> None:
        self._host = host
        self._port = port
        self._tls: dict[str, Any] = {}
        if context is not None:
            self._tls = {
                "ssl": context,
                "server_hostname": host,
                "ssl_handshake_timeout": connect_seconds,
                "ssl_shutdown_timeout": _CLOSE_SECONDS,
            }
        self._seconds = connect_seconds
        self._loop = asyncio.get_running_loop()
        self._places = asyncio.Semaphore(size)
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []
        # c-ares on the event loop: a thread in the system's resolver could not be given up.
        self._resolver = aiodns.DNSResolver(timeout=connect_seconds, tries=1)

    def ready(self) -> bool:
        """Whether `take` needs no waiting."""
        return not self._places.locked() and self._kept()

    def _kept(self) -> bool:
        """Whether there is a connection that nobody uses, at the end of the list."""
        earliest = self._loop.time() - _IDLE_SECONDS
        while self._idle and (self._idle[-1].closing or self._idle[-1].idle_since < earliest):
            self._idle.pop().close()
        return bool(self._idle)

    async def take(self) -> Connection:
        """A connection of one's own, until `give` back. Raises `OSError`, `TimeoutError` and `ssl.SSLError` too."""
        await self._places.acquire()
        try:
            if self._kept():
                return self._idle.pop()
            async with asyncio.timeout(self._seconds):
                return await self._connect()
        except BaseException:
            self._places.release()
            raise

    def give(self, connection: Connection) -> None:
        """Back; it is used again unless it was dropped."""
        if not connection.closing:
            connection.idle_since = self._loop.time()
            self._idle.append(connection)
        self._places.release()

    async def close(self) -> None:
        closing = list(self._open)
        for connection in closing:
            connection.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.gather(*(connection.lost for connection in closing))
        for connection in self._open:
            connection.drop()
        await self._resolver.close()

    async def _connect(self) -> Connection:
        try:
            found = await self._resolver.getaddrinfo(self._host, port=self._port, type=socket.SOCK_STREAM)
        except aiodns.error.DNSError:
            raise ConnectionError("the name cannot be resolved") from None
        addresses: list[Any] = [
            (node.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (node.addr[0].decode(), *node.addr[1:]))
            for node in found.nodes
        ]
        if not addresses:
            raise ConnectionError("the name has no address")
        sock = await start_connection(addresses, happy_eyeballs_delay=_OTHER_FAMILY_SECONDS)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _, connection = await self._loop.create_connection(Connection, sock=sock, **self._tls)
        except BaseException:
            sock.close()
            raise
        self._open.add(connection)
        connection.lost.add_done_callback(lambda _: self._open.discard(connection))
        return connection
