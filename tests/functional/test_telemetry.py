"""What an operator sees of questions: numbers, lines and spans, and nothing of the person in any of them."""

from __future__ import annotations

import fcntl
import http.client
import json
import re
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import canaries
import pytest
from counted import Change, value
from harness import configuration, running_agencies, running_gateway
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ssbtek_gateway import metrics, observe, tls
from ssbtek_gateway.client import FaultError
from ssbtek_gateway.contracts.contract import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Gateway

    Recorded = list[tuple[dict[str, str], bytes]]

HAMTA, TESTA = OPERATIONS
TEST = b"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a:testaBastjanstInformation
xmlns:a="http://schema.forsakringskassan.se/integration/ssbt/10"/></s:Body></s:Envelope>"""
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def _four_points_are_off_again() -> Iterator[None]:
    yield
    observe.configure()


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@contextmanager
def recording(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, Recorded]]:
    """A web server that answers every POST with an empty 200: its port, and the headers and body of what has come."""
    recorded: Recorded = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            recorded.append(({name.lower(): text for name, text in self.headers.items()}, self.rfile.read(length)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.server_port, recorded
        server.shutdown()
        thread.join()


def test_the_numbers_say_exactly_what_happened(pki: Path, tmp_path: Path) -> None:
    with (
        running_agencies(pki, "TNS=reset", "AF=fault") as agencies,
        running_gateway(pki, tmp_path, agencies, bastjanst="sparr_efter = 2") as gateway,
        Change() as change,
    ):
        for _ in range(3):
            gateway.ask(["AF", "SO", "TNS", "FK"])
        gateway.ask(["SO"], version="11")
        with pytest.raises(FaultError):
            gateway.ask(["SO"], who="grannkommun")
        assert gateway.post(TEST)[0] == 200
        assert gateway.post(b"<hej>")[0] == 500
        assert gateway.post(b"", who="gateway")[0] == 500
        assert gateway.post(b"", Content_Type="text/plain")[0] == 415
        connection = gateway.connection()
        connection.request("GET", "/nothing")
        assert connection.getresponse().status == 404
        connection.close()
        while_open = metrics.exposition()
    assert change.of("ssbtek_questions_total") == {
        (HAMTA, "answered", "10"): 3,
        (HAMTA, "answered", "11"): 1,
        (HAMTA, "EJ_BEHORIG", "10"): 1,
        (TESTA, "answered", "10"): 1,
        ("okand", "OGILTIGT_MEDDELANDE", "10"): 1,
    }
    assert change.of("ssbtek_outcomes_total") == {
        ("BT", "AF"): 3,
        ("SVARAT", "SO"): 4,
        ("SVARAT", "FK"): 3,
        ("SSBT ANSLUTNING", "TNS"): 2,
        ("SSBT SPARRAD", "TNS"): 1,
    }
    verdicts = {("SO", "SO", "SVARAT"): 4, ("FK", "FK", "SVARAT"): 3, ("PM", "FK", "SVARAT"): 3}
    assert change.of("ssbtek_verdicts_total") == verdicts
    assert change.of("ssbtek_service_seconds_count") == {("AF",): 3, ("SO",): 4, ("FK",): 3, ("TNS",): 2}
    assert change.of("ssbtek_question_seconds_count") == {(HAMTA,): 4, (TESTA,): 1}
    assert change.of("ssbtek_version_use_total") == {("162021004748", "10"): 3, ("162021004748", "11"): 1}
    assert change.of("ssbtek_unauthenticated_refusals_total") == {("no_organisation",): 1, ("415",): 1, ("404",): 1}
    # Two rows for each of four answers, one for each of four refusals of somebody known, two of them before SOAP.
    assert change.of("ssbtek_audit_group_rows_sum") == {(): 12}
    assert change.of("ssbtek_audit_commit_seconds_count") == change.of("ssbtek_audit_group_rows_count")
    assert change.of("ssbtek_audit_failures_total") == {}
    assert change.of("ssbtek_tls_handshakes_total") == change.of("ssbtek_connections_accepted_total")
    assert value(while_open, "ssbtek_breaker_state", service="TNS") == 2
    assert value(while_open, "ssbtek_breaker_state", service="AF") == 0
    assert value(while_open, "ssbtek_places") == 500
    assert value(while_open, "ssbtek_places_used") == 0


def test_a_handshake_that_fails_is_accepted_and_not_completed(ssbtek: Gateway) -> None:
    with Change() as change, closing(ssbtek.connection(None)) as connection:
        # TLS 1.3: the client is done before the server has seen that there is no certificate.
        connection.connect()
        with suppress(OSError):
            connection.sock.recv(1)
    assert change.of("ssbtek_connections_accepted_total") == {(): 1}
    assert change.of("ssbtek_tls_handshakes_total") == {}


def test_the_four_points_of_a_question_share_its_incident(
    pki: Path, tmp_path: Path, question: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        running_agencies(pki, "MIV=hang") as agencies,
        running_gateway(
            pki, tmp_path, agencies, "[log]\npoints = true", "seconds = 2", connected=["AF", "MIV", "SO"]
        ) as gateway,
    ):
        capfd.readouterr()
        status, answer = gateway.post(question.encode())
        found = [line for line in lines(capfd) if "incident" in line]
        refused = gateway.post(question.replace("191212121212", "191212121213").encode())[1].decode()
        with closing(sqlite3.connect(gateway.audit)) as connection:
            ((incident,),) = connection.execute("SELECT incident FROM audit WHERE handelse = 'BESVARAD'")
    assert {line["incident"] for line in found} == {incident}
    assert Counter(line["event"] for line in found) == {
        "request-in": 1,
        "request-out": 3,
        "response-in": 3,
        "answered": 1,
        "response-out": 1,
    }
    points = {(line["event"], line.get("bastjanst")): line for line in found}
    assert points["request-in", None]["bytes"] == len(question.encode())
    last = points["response-out", None]
    assert (status, last["bytes"], last["utfall"]) == (200, len(answer), "answered")
    assert (last["version"], last["operation"], last["certifikat_organisation"]) == ("10", HAMTA, "162021004748")
    assert points["request-out", "SO"]["method"] == "POST"
    assert points["request-out", "SO"]["bytes"] > 500
    assert (points["response-in", "SO"]["status"], points["response-in", "MIV"]["utfall"]) == (200, "TIMEOUT")
    assert points["response-in", "MIV"]["milliseconds"] >= 1900
    # One that failed is found by what its caller was told.
    (told,) = re.findall(r"händelse-id ([0-9a-f]{16})", refused)
    after = [line for line in lines(capfd) if line.get("incident") == told]
    assert [(line["event"], line.get("felkod") or line.get("utfall")) for line in after] == [
        ("request-in", None),
        ("fault", "OGILTIG_FRAGA"),
        ("response-out", "OGILTIG_FRAGA"),
    ]


def test_a_log_that_nobody_reads_holds_up_no_question(pki: Path, tmp_path: Path, agencies: int, question: str) -> None:
    path = configuration(pki, tmp_path, agencies, "[log]\npoints = true", connected=["AF", "SO"])
    process = subprocess.Popen(
        [sys.executable, "-m", "ssbtek_gateway", "serve", "--config", path], stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 4096)
        port = json.loads(process.stderr.readline())["ports"][0]
        context = ssl.create_default_context(cafile=pki / "ca.pem")
        context.load_cert_chain(pki / "client.pem", pki / "client.key")
        # Each writes about two kilobytes.
        for _ in range(8):
            assert asked(port, context, question) == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        kept = process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    assert 0 < len(kept) <= 8192


def asked(port: int, context: ssl.SSLContext, question: str) -> int:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
    with closing(connection):
        connection.request("POST", "/ssbt/10", question.encode(), {"Content-Type": "text/xml; charset=utf-8"})
        return connection.getresponse().status


def spans(recorded: Recorded) -> list[Any]:
    """Those of every export, in the order of their end."""
    exports = [ExportTraceServiceRequest.FromString(body) for _, body in recorded]
    for _, body in recorded:
        canaries.search("trace", body)
    return [
        span
        for export in exports
        for resource in export.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def told(span: Any) -> dict[str, str]:  # noqa: ANN401 - protobuf's own
    return {attribute.key.removeprefix("ssbtek."): attribute.value.string_value for attribute in span.attributes}


@pytest.mark.parametrize("taken", [False, True], ids=["own trace", "the caller's trace"])
def test_a_question_is_a_span_and_so_is_each_base_service(
    pki: Path, tmp_path: Path, question: str, capfd: pytest.CaptureFixture[str], *, taken: bool
) -> None:
    with recording() as (collector, recorded), running_agencies(pki, "SO=reset") as agencies:
        tracing = f'[tracing]\nendpoint = "http://127.0.0.1:{collector}/v1/traces"\ntraceparent = {str(taken).lower()}'
        with running_gateway(pki, tmp_path, agencies, tracing, connected=["AF", "SO"]) as gateway:
            header = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
            assert gateway.post(question.encode(), **header)[0] == 200
            assert gateway.post(question.encode(), who="grannkommun", **header)[0] == 500
    af, so, asked_for, refused = sorted(spans(recorded), key=lambda span: (span.name, span.start_time_unix_nano))
    (incident,) = {line["incident"] for line in lines(capfd) if line["event"] == "answered"}
    assert told(af) == {"bastjanst": "AF", "utfall": "SVARAT"}
    assert told(so) == {"bastjanst": "SO", "utfall": "SSBT ANSLUTNING"}
    assert told(asked_for) == {
        "incident": incident,
        "version": "10",
        "certifikat_organisation": "162021004748",
        "utfall": "answered",
    }
    assert told(refused)["utfall"] == "EJ_BEHORIG"
    assert {af.parent_span_id, so.parent_span_id} == {asked_for.span_id}
    assert {af.trace_id, so.trace_id} == {asked_for.trace_id}
    assert (asked_for.trace_id.hex() == TRACE, asked_for.parent_span_id.hex() == PARENT) == (taken, taken)
    assert not [span.events for span in (af, so, asked_for, refused) if span.events]


def test_spans_go_to_the_trusted_collector_and_no_agency_is_told_of_the_trace(
    pki: Path, tmp_path: Path, question: str
) -> None:
    one_sided = tls.server_context(pki / "server.pem", pki / "server.key", ())
    mutual = tls.server_context(pki / "agency.pem", pki / "agency.key", [pki / "ca.pem"])
    with recording(one_sided) as (collector, exported), recording(mutual) as (agency, recorded):
        tracing = f"""[tracing]
            endpoint = "https://127.0.0.1:{collector}/v1/traces"
            authority = "{pki}/ca.pem"
            traceparent = true"""
        with running_gateway(pki, tmp_path, agency, tracing, connected=["AF"]) as gateway:
            assert gateway.post(question.encode(), traceparent=f"00-{TRACE}-{PARENT}-01")[0] == 200
    assert [span.trace_id.hex() for span in spans(exported)] == [TRACE, TRACE]
    ((headers, body),) = recorded
    assert set(headers) == {"host", "accept", "accept-encoding", "content-type", "content-length", "soapaction"}
    assert TRACE.encode() not in body


def test_a_collector_that_is_away_costs_spans_only(
    pki: Path, tmp_path: Path, agencies: int, question: str, unused_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    tracing = f'[tracing]\nendpoint = "http://127.0.0.1:{unused_port}/v1/traces"'
    with running_gateway(pki, tmp_path, agencies, tracing, connected=["AF"]) as gateway:
        assert gateway.post(question.encode())[0] == 200
    assert [line["spans"] for line in lines(capfd) if line["event"] == "spans-lost"] == [2]
