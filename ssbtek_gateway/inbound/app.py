"""The HTTP side: which path is what, the bounds on a request, and every refusal with its fixed text."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from lxml import etree

from ssbtek_gateway import metrics, observe, telemetry, xmlgate
from ssbtek_gateway.contracts.contract import OPERATIONS
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound import envelope, framing
from ssbtek_gateway.inbound.framing import HttpError
from ssbtek_gateway.inbound.security import MessageSecurity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping

    from ssbtek_gateway.flow import Flow
    from ssbtek_gateway.inbound.identity import Identity
    from ssbtek_gateway.inbound.soap import SoapEndpoint
    from ssbtek_gateway.model import Caller

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]
    Headers = Iterable[tuple[bytes, bytes]]

_LOG = structlog.get_logger()
_XML = b"text/xml; charset=utf-8"
_TEXT = b"text/plain; charset=utf-8"
_PIECE = 65_536
# Where the listener puts the verified client certificate (DER) in the ASGI scope.
CERTIFICATE = "ssbtek.certificate"
# Where a proxy's own is put, which has handed on that one; None over the Unix socket.
PROXY = "ssbtek.proxy"


@dataclass(frozen=True, slots=True)
class DocumentApp:
    """Gives out the WSDL and its schemas, and nothing else."""

    documents: Mapping[tuple[str, str], bytes]
    headers: Headers = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        try:
            framing.check(scope)
            await _send(send, 200, self.find(scope), _XML, self.headers)
        except HttpError as error:
            await _refuse(send, error)

    def find(self, scope: Scope) -> bytes:
        target = (scope["path"], scope["query_string"].decode("ascii", "replace").lower())
        if target not in self.documents:
            raise HttpError(404, "Sidan finns inte.")
        if scope["method"] not in {"GET", "HEAD"}:
            raise HttpError(405, "Metoden stöds inte.", allow="GET, HEAD")
        return self.documents[target]


@dataclass(frozen=True, slots=True)
class QuestionApp:
    """Answers questions by POST, and gives out the same documents."""

    documents: DocumentApp
    endpoints: Mapping[str, SoapEndpoint]
    flow: Flow
    identity: Identity
    message_bytes: int
    body_seconds: float
    security: MessageSecurity = field(default_factory=MessageSecurity)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            framing.check(scope)
            endpoint = self.endpoints.get(scope["path"])
            if endpoint is None or scope["query_string"]:
                await self._written(send, 200, self.documents.find(scope), self.documents.headers)
                return
            charset = framing.charset(scope)
            body = await self._body(scope, receive)
            answer, fault = await self._answer(endpoint, scope, body, charset)
            await self._written(send, 500 if fault else 200, answer, _fault_headers(fault))
        except HttpError as error:
            await self._refused(scope, error.status)
            await _refuse(send, error)
        except ConnectionError:
            metrics.REFUSALS.inc("gone")
            _LOG.info("gone", reason="the caller closed before the whole message had come")

    async def _written(self, send: Send, status: int, body: bytes, headers: Headers = ()) -> None:
        try:
            async with asyncio.timeout(self.body_seconds):
                await _send(send, status, body, _XML, headers)
        except TimeoutError:
            metrics.REFUSALS.inc("gone")
            _LOG.info("gone", reason="the caller did not read the answer in time")

    async def _refused(self, scope: Scope, status: int) -> None:
        """A refusal before SOAP: in the log, and in the audit where the certificate names an organisation."""
        incident = secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(incident=incident):
            _LOG.info("refused", status=status)
            try:
                caller = self._caller(scope)
            except GatewayFault:
                return
            await self._record(caller, f"HTTP_{status}", incident)

    def _caller(self, scope: Scope) -> Caller:
        return self.identity.caller(scope["extensions"][CERTIFICATE], scope["extensions"].get(PROXY))

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        length = framing.header(scope, b"content-length")
        if length is not None and int(length) > self.message_bytes:
            raise HttpError(413, "Meddelandet är för stort.")
        parts = bytearray()
        more = True
        try:
            async with asyncio.timeout(self.body_seconds):
                while more and len(parts) <= self.message_bytes:
                    event = await receive()
                    parts += event.get("body", b"")
                    more = event.get("more_body", False)
        except TimeoutError:
            raise HttpError(408, "Hela meddelandet kom inte i tid.") from None
        if event["type"] == "http.disconnect":
            raise ConnectionError
        if len(parts) > self.message_bytes:
            raise HttpError(413, "Meddelandet är för stort.")
        framing.check_readable(scope)
        return bytes(parts)

    async def _answer(
        self, endpoint: SoapEndpoint, scope: Scope, body: bytes, charset: str | None
    ) -> tuple[bytes, GatewayFault | None]:
        """The SOAP message: the answer (200), or one that says the fault (500; SOAP 1.1 section 6.2)."""
        incident, version, started = secrets.token_hex(8), endpoint.contract.version, monotonic()
        caller, operation, fault = None, "", None
        with structlog.contextvars.bound_contextvars(incident=incident):
            observe.point("request-in", version=version, bytes=len(body))
            try:
                caller = self._caller(scope)
                message = _parsed(body, charset)
                element = envelope.operation(message, self.security.understood(caller))
                name = etree.QName(element).localname
                operation = name if name in OPERATIONS else ""
                if self.security.demanded(caller, message):
                    element = await self.security.verified(caller, self.identity, lambda: _parsed(body, charset))
                answer = await self.security.signed(caller, await endpoint.answer(element, caller, incident))
            except GatewayFault as refused:
                fault = refused
            except Exception as error:  # noqa: BLE001 - a mistake of ours must reach the caller as a fault, not as silence
                fault = GatewayFault("INTERNT_FEL", reason=_where(error))
            if fault is not None:
                telemetry.refused(version, operation, caller, fault)
                if caller is not None:
                    await self._record(caller, fault.fel.felkod, incident, version)
                answer = await self.security.signed(caller, endpoint.fault(fault, incident, operation))
            telemetry.finished(version, operation, caller, fault, len(answer), monotonic() - started)
            return answer, fault

    async def _record(self, caller: Caller, felkod: str, incident: str, version: str | None = None) -> None:
        try:
            await self.flow.refuse(caller, felkod, incident, version)
        except GatewayFault as unrecorded:
            _LOG.error("fault", felkod=unrecorded.fel.felkod, reason=unrecorded.reason)


def _parsed(body: bytes, charset: str | None) -> Any:  # noqa: ANN401 - an lxml element
    try:
        return xmlgate.parse_caller(body, charset)
    except xmlgate.XmlError as error:
        raise GatewayFault("OGILTIGT_MEDDELANDE", error.regel, reason=error.reason) from None


def _fault_headers(fault: GatewayFault | None) -> Headers:
    if fault is None:
        return ()
    if fault.fel.felkod == "OGILTIGT_MEDDELANDE":
        return ((b"connection", b"close"),)  # who cannot write a message may not know where it ends either
    return () if fault.retry_after is None else ((b"retry-after", str(fault.retry_after).encode()),)


def _where(error: Exception) -> str:
    """The kind of error and the module and line it came from: enough to find it, nothing of what it said."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" in {frame.tb_frame.f_globals['__name__']}:{frame.tb_lineno}" if frame else ""
    return f"unexpected {type(error).__name__}{place}"


async def _refuse(send: Send, error: HttpError) -> None:
    metrics.REFUSALS.inc(str(error.status))
    await _send(send, error.status, error.text.encode(), _TEXT, [*error.headers, (b"connection", b"close")])


async def _send(send: Send, status: int, body: bytes, content_type: bytes, headers: Headers = ()) -> None:
    described = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": described})
    # In pieces, each of which waits until the caller has read most of what came before: the close after the last one
    # would cut off what has not left this process within a second.
    for start in range(0, len(body) or 1, _PIECE):
        piece, more = body[start : start + _PIECE], start + _PIECE < len(body)
        await send({"type": "http.response.body", "body": piece, "more_body": more})
