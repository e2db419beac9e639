"""The HTTP side: which path is what, the bounds on a request, and every refusal with its fixed text."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from lxml import etree

from ssbtek_gateway import metrics, observe, telemetry, xmlgate
from ssbtek_gateway.contracts.contract import OPERATIONS
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound import envelope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from ssbtek_gateway.flow import Flow
    from ssbtek_gateway.inbound.identity import Identity
    from ssbtek_gateway.inbound.soap import SoapEndpoint
    from ssbtek_gateway.model import Caller

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOG = structlog.get_logger()
_XML = b"text/xml; charset=utf-8"
_TEXT = b"text/plain; charset=utf-8"
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s;"']*)""", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
# Where the listener puts the verified client certificate (DER) in the ASGI scope.
CERTIFICATE = "ssbtek.certificate"


class _HttpError(Exception):
    """Refused before it is a SOAP message: a fixed text, and the connection is closed."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.text = text
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]


@dataclass(frozen=True, slots=True)
class DocumentApp:
    """Gives out the WSDL and its schemas, and nothing else."""

    documents: Mapping[tuple[str, str], bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        try:
            await _send(send, 200, self.find(scope), _XML)
        except _HttpError as error:
            await _refuse(send, error)

    def find(self, scope: Scope) -> bytes:
        target = (scope["path"], scope["query_string"].decode("ascii", "replace").lower())
        if target not in self.documents:
            raise _HttpError(404, "Sidan finns inte.")
        if scope["method"] not in {"GET", "HEAD"}:
            raise _HttpError(405, "Metoden stöds inte.", allow="GET, HEAD")
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _check_framing(scope)
            endpoint = self.endpoints.get(scope["path"])
            if endpoint is None or scope["query_string"]:
                await self.documents(scope, receive, send)
                return
            charset = _check_headers(scope)
            body = await self._body(scope, receive)
            answer, fault = await self._answer(endpoint, scope, body, charset)
            await _send(send, 500 if fault else 200, answer, _XML, _retry_after(fault))
        except _HttpError as error:
            _LOG.info("refused", status=error.status)
            await _refuse(send, error)
        except ConnectionError:
            metrics.REFUSALS.inc("gone")
            _LOG.info("gone", reason="the caller closed before the whole message had come")

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        length = _header(scope, b"content-length")
        if length is not None and int(length) > self.message_bytes:
            raise _HttpError(413, "Meddelandet är för stort.")
        parts = bytearray()
        more = True
        try:
            async with asyncio.timeout(self.body_seconds):
                while more and len(parts) <= self.message_bytes:
                    event = await receive()
                    parts += event.get("body", b"")
                    more = event.get("more_body", False)
        except TimeoutError:
            raise _HttpError(408, "Hela meddelandet kom inte i tid.") from None
        if event["type"] == "http.disconnect":
            raise ConnectionError
        if len(parts) > self.message_bytes:
            raise _HttpError(413, "Meddelandet är för stort.")
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
                caller = self.identity.caller(scope["extensions"][CERTIFICATE])
                element = envelope.operation(_parsed(body, charset))
                name = etree.QName(element).localname
                operation = name if name in OPERATIONS else ""
                answer = await endpoint.answer(element, caller, incident)
            except GatewayFault as refused:
                fault = refused
            except Exception as error:  # noqa: BLE001 - a mistake of ours must reach the caller as a fault, not as silence
                fault = GatewayFault("INTERNT_FEL", reason=_where(error))
            if fault is not None:
                telemetry.refused(version, operation, caller, fault)
                await self._record(caller, fault, incident, version)
                answer = endpoint.fault(fault, incident, operation)
            telemetry.finished(version, operation, caller, fault, len(answer), monotonic() - started)
            return answer, fault

    async def _record(self, caller: Caller | None, fault: GatewayFault, incident: str, version: str) -> None:
        if caller is not None:
            try:
                await self.flow.refuse(caller, fault, incident, version)
            except GatewayFault as unrecorded:
                _LOG.error("fault", felkod=unrecorded.fel.felkod, reason=unrecorded.reason)


def _parsed(body: bytes, charset: str | None) -> Any:  # noqa: ANN401 - an lxml element
    try:
        return xmlgate.parse_caller(body, charset)
    except xmlgate.XmlError as error:
        raise GatewayFault("OGILTIGT_MEDDELANDE", error.regel, reason=error.reason) from None


def _check_framing(scope: Scope) -> None:
    """What HTTP/1.1 leaves open to two readings is refused (RFC 9112 sections 3.2 and 6.3)."""
    names = [name for name, _ in scope["headers"]]
    if names.count(b"host") != 1 and scope["http_version"] != "1.0":
        raise _HttpError(400, "Ange exakt ett Host-huvud.")
    if names.count(b"content-length") + names.count(b"transfer-encoding") > 1:
        raise _HttpError(400, "Meddelandets längd är tvetydig.")
    length = _header(scope, b"content-length")
    if length is not None and not _LENGTH.fullmatch(length):
        raise _HttpError(400, "Content-Length är inte ett tal.")


def _check_headers(scope: Scope) -> str | None:
    """The charset of Content-Type, if any. A question comes by POST as text/xml (SOAP 1.1 section 6)."""
    if scope["method"] != "POST":
        raise _HttpError(405, "Skicka frågan med POST.", allow="POST")
    content_type = _header(scope, b"content-type") or ""
    if content_type.partition(";")[0].strip().lower() != "text/xml":
        raise _HttpError(415, "Skicka SOAP 1.1 med Content-Type: text/xml; charset=utf-8.")
    if _header(scope, b"content-encoding") is not None:
        raise _HttpError(415, "Skicka meddelandet utan Content-Encoding.")
    found = _CHARSET.search(content_type)
    return found[1] if found else None


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _retry_after(fault: GatewayFault | None) -> list[tuple[bytes, bytes]]:
    if fault is None or fault.retry_after is None:
        return []
    return [(b"retry-after", str(fault.retry_after).encode())]


def _where(error: Exception) -> str:
    """The kind of error and the module and line it came from: enough to find it, nothing of what it said."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" in {frame.tb_frame.f_globals['__name__']}:{frame.tb_lineno}" if frame else ""
    return f"unexpected {type(error).__name__}{place}"


async def _refuse(send: Send, error: _HttpError) -> None:
    metrics.REFUSALS.inc(str(error.status))
    headers = [*error.headers, (b"connection", b"close")]
    await _send(send, error.status, error.text.encode(), _TEXT, headers)


async def _send(
    send: Send, status: int, body: bytes, content_type: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    described = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body})
