"""The configuration of what the gateway tells about its work."""

from __future__ import annotations

from ssbtek_gateway.config.types import FilePath, Model, Url


class Log(Model):
    """What the log says of a question, beside its one line (docs/operate/log.md)."""

    points: bool = False
    """A line where a message comes and goes, here and at each base service. Risk: sixteen more lines a question."""


class Tracing(Model):
    """Spans by OpenTelemetry; needs `pip install ssbtek-gateway[otel]`."""

    endpoint: Url
    """The collector's OTLP over HTTP, with path: `https://host:4318/v1/traces`."""
    authority: FilePath | None = None
    """The only authority trusted for it; without one, those that the library `requests` brings."""
    traceparent: bool = False
    """Whether a question's span belongs to the trace that the caller names. Risk: a caller chooses ids in your traces,
    and by their flag whether a question is traced at all."""
