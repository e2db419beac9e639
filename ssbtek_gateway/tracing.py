"""A span for each question and for each base service that it asks, to an OpenTelemetry collector (OTLP over HTTP).

Imported only where `[tracing]` is configured; needs the extra `otel`. Spans say what the log says and nothing of the
messages. Nothing of them is sent to a base service.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
import structlog
from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ssbtek_gateway import __version__
from ssbtek_gateway.audit import record
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound.soap import SoapEndpoint
from ssbtek_gateway.telemetry import Named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml.etree import _Element
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span, Tracer

    from ssbtek_gateway.config.log import Tracing
    from ssbtek_gateway.contracts.contract import Contract
    from ssbtek_gateway.flow import Flow
    from ssbtek_gateway.inbound.app import Application, Receive, Scope, Send
    from ssbtek_gateway.model import Caller, Outcome, Question
    from ssbtek_gateway.services.service import BaseService

_LOG = structlog.get_logger()
_SEND_SECONDS = 5
_PARENT = TraceContextTextMapPropagator()


class _Exporter(OTLPSpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As the library, whose own log is not shown."""
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            _LOG.warning("spans-lost", spans=len(spans))
        return result


class Traced:
    """Wraps what shall have spans. They are sent by a thread of its own; what does not fit in its queue is dropped."""

    def __init__(self, settings: Tracing) -> None:
        session = requests.Session()
        session.trust_env = False  # proxies and authorities of the environment must not decide who sees them
        authority = str(settings.authority) if settings.authority else None
        exporter = _Exporter(settings.endpoint, certificate_file=authority, timeout=_SEND_SECONDS, session=session)
        resource = Resource({"service.name": "ssbtek-gateway", "service.version": __version__})
        self._provider = TracerProvider(sampler=ParentBased(ALWAYS_ON), resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("ssbtek_gateway")
        self._continues = settings.traceparent

    def service(self, kod: str, service: BaseService) -> BaseService:
        return _Service(kod, service, self._tracer)

    def endpoint(self, contract: Contract, flow: Flow) -> SoapEndpoint:
        return _Endpoint(contract, flow, self._tracer)

    def application(self, app: Application) -> Application:
        """Its spans belong to the trace that a caller names, where that is configured."""
        if not self._continues:
            return app

        async def continuing(scope: Scope, receive: Receive, send: Send) -> None:
            named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"]
            token = context.attach(_PARENT.extract({"traceparent": named}))
            try:
                await app(scope, receive, send)
            finally:
                context.detach(token)

        return continuing

    async def close(self) -> None:
        """Send what has not been sent."""
        await asyncio.to_thread(self._provider.shutdown)


@contextmanager
def _span(tracer: Tracer, name: str, kind: SpanKind, **attributes: str) -> Iterator[Span]:
    """A span without what an exception says: its text may hold anything."""
    told = {f"ssbtek.{key}": value for key, value in attributes.items()}
    with tracer.start_as_current_span(
        name, kind=kind, attributes=told, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except GatewayFault as fault:
            span.set_attribute("ssbtek.utfall", fault.fel.felkod)
            raise
        except asyncio.CancelledError:
            span.set_attribute("ssbtek.utfall", "cancelled")
            raise


class _Service(Named):
    """A `BaseService` whose questions are spans of their own."""

    def __init__(self, kod: str, service: BaseService, tracer: Tracer) -> None:
        super().__init__(kod, service)
        self._tracer = tracer

    async def ask(self, question: Question) -> Outcome:
        with _span(self._tracer, self.kod, SpanKind.CLIENT, bastjanst=self.kod) as span:
            outcome = await super().ask(question)
            span.set_attribute("ssbtek.utfall", record.summary(outcome))
            return outcome


class _Endpoint(SoapEndpoint):
    """A contract version whose questions are spans."""

    def __init__(self, contract: Contract, flow: Flow, tracer: Tracer) -> None:
        super().__init__(contract, flow)
        self._tracer = tracer

    async def answer(self, element: _Element, caller: Caller, incident: str) -> bytes:
        known = {
            "incident": incident,
            "version": self.contract.version,
            "certifikat_organisation": caller.organisationsnummer,
        }
        with _span(self._tracer, "fraga", SpanKind.SERVER, **known) as span:
            answer = await super().answer(element, caller, incident)
            span.set_attribute("ssbtek.utfall", "answered")
            return answer
