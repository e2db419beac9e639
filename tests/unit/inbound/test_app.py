"""HTTP as it reaches the applications: what is let through, what is refused, and that a refusal gives nothing away."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from unit.builders import (
    BITRADE,
    CONTRACT,
    PERSON,
    Events,
    FakeAudit,
    FakeService,
    Got,
    call,
    data,
    flow,
    identity,
    so_answer,
)
from vectors import make

from ssbtek_gateway import tls
from ssbtek_gateway.config import Limits
from ssbtek_gateway.inbound.app import DocumentApp, QuestionApp
from ssbtek_gateway.inbound.soap import SoapEndpoint

if TYPE_CHECKING:
    from pathlib import Path

    from lxml.etree import _Element

    from ssbtek_gateway.model import Caller, Outcome, Question

pytestmark = pytest.mark.anyio
QUESTION = make.TEMPLATE.encode()
DOCUMENTS = DocumentApp({("/ssbt/10", "wsdl"): b"<wsdl/>", ("/xsd/a.xsd", ""): b"<xsd/>"})
LIMIT = 4096
PADDED = QUESTION + b" " * (LIMIT - len(QUESTION))


def der(pki: Path, name: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert((pki / f"{name}.pem").read_text())


@pytest.fixture
def audit() -> FakeAudit:
    return FakeAudit()


@pytest.fixture
def app(audit: FakeAudit, pki: Path) -> QuestionApp:
    way = flow({"SO": FakeService(data(so_answer()), "SO", audit.events)}, audit)
    return QuestionApp(DOCUMENTS, {"/ssbt/10": SoapEndpoint(CONTRACT, way)}, way, identity(pki), LIMIT, 5)


@pytest.fixture
def client(pki: Path) -> bytes:
    return der(pki, "client")


def assert_plain_refusal(got: Got, status: int) -> None:
    """A fixed text, the connection closed, and nothing of the message."""
    assert got.status == status
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert got.headers["content-length"] == str(len(got.body))
    assert got.headers["connection"] == "close"
    assert set(got.headers) <= {"content-type", "content-length", "connection", "allow"}
    assert PERSON not in got.body.decode()


async def test_a_question_is_answered(app: QuestionApp, audit: FakeAudit, client: bytes) -> None:
    with capture_logs() as log:
        got = await call(app, body=QUESTION, certificate=client)
    assert got.status == 200
    assert got.headers == {"content-type": "text/xml; charset=utf-8", "content-length": str(len(got.body))}
    assert audit.events == ["FRAGAD durable", "SO asked", "BESVARAD durable"]
    assert [line["event"] for line in log] == ["answered"]
    assert audit.rows[0]["incident"] != ""


async def test_a_supplier_asks_with_its_own_certificate(app: QuestionApp, audit: FakeAudit, pki: Path) -> None:
    got = await call(app, body=QUESTION, certificate=der(pki, "bitrade"))
    assert got.status == 200
    assert audit.rows[0]["bitrade"] == BITRADE


async def test_above_what_is_answered_at_once_a_question_is_refused_before_anybody_is_asked(
    audit: FakeAudit, client: bytes, pki: Path
) -> None:
    held = asyncio.Event()

    class Holding(FakeService):
        async def ask(self, question: Question) -> Outcome:
            await held.wait()
            return await super().ask(question)

    way = flow({"SO": Holding(data(so_answer()), "SO", audit.events)}, audit, limits=Limits(questions=1, queued=0))
    app = QuestionApp(DOCUMENTS, {"/ssbt/10": SoapEndpoint(CONTRACT, way)}, way, identity(pki), LIMIT, 5)
    first = asyncio.create_task(call(app, body=QUESTION, certificate=client))
    await asyncio.sleep(0.01)
    got = await call(app, body=QUESTION, certificate=client)
    assert (got.status, got.headers["retry-after"]) == (500, "2")
    assert got.fault()[:2] == ("Server", "OVERBELASTAD")
    assert audit.events == ["FRAGAD durable", "NEKAD durable"]
    held.set()
    assert (await first).status == 200
    assert (await call(app, body=QUESTION, certificate=client)).status == 200


async def test_two_questions_have_incidents_of_their_own(app: QuestionApp, audit: FakeAudit, client: bytes) -> None:
    await asyncio.gather(*(call(app, body=QUESTION, certificate=client) for _ in range(2)))
    assert len({row["incident"] for row in audit.rows}) == 2


# Methods and paths


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "FOO", "post"]
)
async def test_a_question_comes_by_post(app: QuestionApp, client: bytes, method: str) -> None:
    got = await call(app, body=QUESTION, method=method, certificate=client)
    assert_plain_refusal(got, 405)
    assert got.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "target",
    [
        *("/", "/ssbt/9", "/ssbt/10/", "/SSBT/10", "//ssbt/10", "/ssbt/10?x=1", "/ssbt/10?wsdl&x", "/ssbt/10?å"),
        *("/xsd/", "/xsd/../a.xsd", "/xsd/a.xsd?wsdl"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_other_paths_do_not_exist(app: QuestionApp, client: bytes, target: str, method: str) -> None:
    path, _, query = target.partition("?")
    got = await call(app, path, body=QUESTION, method=method, query=query, certificate=client)
    assert_plain_refusal(got, 404)


@pytest.mark.parametrize(("path", "query"), [("/ssbt/10", "wsdl"), ("/ssbt/10", "WSDL"), ("/xsd/a.xsd", "")])
async def test_the_documents_are_given_out_on_both_ports(app: QuestionApp, path: str, query: str) -> None:
    for port in (app, DOCUMENTS):
        got = await call(port, path, method="GET", query=query)
        assert (got.status, got.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        assert got.body == DOCUMENTS.documents[path, query.lower()]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_documents_are_read_only(app: QuestionApp, client: bytes, method: str) -> None:
    for port in (app, DOCUMENTS):
        got = await call(port, query="wsdl", method=method, certificate=client)
        assert_plain_refusal(got, 405)
        assert got.headers["allow"] == "GET, HEAD"


async def test_the_document_port_answers_no_question() -> None:
    assert_plain_refusal(await call(DOCUMENTS, body=QUESTION), 404)


# Headers


@pytest.mark.parametrize(
    "content_type", ["text/xml", "Text/XML", "text/xml ; charset=UTF-8", 'text/xml;charset="utf-8"']
)
async def test_soap_1_1_is_text_xml(app: QuestionApp, client: bytes, content_type: str) -> None:
    got = await call(app, body=QUESTION, headers={"content-type": content_type}, certificate=client)
    assert got.status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        *(None, "", "*/*", "application/soap+xml", "application/xml", "application/xop+xml", "text/plain", "text/xmlx"),
        *("application/x-www-form-urlencoded", 'multipart/related; type="text/xml"; boundary=x'),
    ],
)
async def test_other_media_types_are_refused(app: QuestionApp, client: bytes, content_type: str | None) -> None:
    got = await call(app, body=QUESTION, headers={"content-type": content_type}, certificate=client)
    assert_plain_refusal(got, 415)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity", "", "gzip, gzip"])
async def test_an_encoded_body_is_refused_unread(app: QuestionApp, client: bytes, encoding: str) -> None:
    got = await call(app, body=[], headers={"content-encoding": encoding}, certificate=client)
    assert_plain_refusal(got, 415)


@pytest.mark.parametrize(
    ("charset", "felkod"), [("iso-8859-1", "OGILTIGT_MEDDELANDE"), ("utf-7", "OGILTIGT_MEDDELANDE"), ("utf-8", "")]
)
async def test_the_charset_of_the_header_counts(app: QuestionApp, client: bytes, charset: str, felkod: str) -> None:
    body = b'<?xml version="1.0" encoding="utf-8"?>' + QUESTION
    got = await call(app, body=body, headers={"content-type": f"text/xml; charset={charset}"}, certificate=client)
    assert got.fault()[1] == felkod if felkod else got.status == 200


HOST = ("host", "127.0.0.1")
XML = ("content-type", "text/xml")


@pytest.mark.parametrize(
    ("headers", "http_version"),
    [
        ([XML], "1.1"),
        ([HOST, HOST, XML], "1.1"),
        ([HOST, XML, ("content-length", "10"), ("content-length", "10")], "1.1"),
        ([HOST, XML, ("content-length", "10"), ("transfer-encoding", "chunked")], "1.1"),
        ([HOST, XML, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], "1.1"),
        *(
            ([HOST, XML, ("content-length", length)], "1.1")
            for length in ("-1", "+5", "0x10", "1_0", "1, 1", "två", "", " 1")
        ),
        ([HOST, XML, ("content-length", "²")], "1.1"),
        ([XML, ("content-length", "10"), ("transfer-encoding", "chunked")], "1.0"),
    ],
)
async def test_what_two_readers_could_read_differently_is_refused(
    app: QuestionApp, client: bytes, headers: list[tuple[str, str]], http_version: str
) -> None:
    got = await call(app, body=[], headers=headers, http_version=http_version, certificate=client)
    assert_plain_refusal(got, 400)


async def test_http_1_0_needs_no_host(app: QuestionApp, client: bytes) -> None:
    headers = [XML, ("content-length", str(len(QUESTION)))]
    got = await call(app, body=QUESTION, headers=headers, http_version="1.0", certificate=client)
    assert got.status == 200


@pytest.mark.parametrize("header", ["x-ssl-client-cert", "x_ssl_client_cert", "client-cert", "x-forwarded-client-cert"])
async def test_no_header_says_who_is_asking(app: QuestionApp, audit: FakeAudit, pki: Path, header: str) -> None:
    own = (pki / "client.pem").read_text().replace("\n", "")
    got = await call(app, body=QUESTION, headers={header: own}, certificate=der(pki, "grannkommun"))
    assert got.fault()[1] == "EJ_BEHORIG"
    assert audit.rows[0]["certifikat_organisation"] != "162021004748"


@pytest.mark.parametrize("action", ['""', '"testaBastjanstInformation"', "x\r\ny", '"urn:annat"'])
async def test_soap_action_decides_nothing(app: QuestionApp, audit: FakeAudit, client: bytes, action: str) -> None:
    got = await call(app, body=QUESTION, headers={"soapaction": action}, certificate=client)
    assert got.status == 200
    assert "SO asked" in audit.events


# The body


def in_parts(*parts: bytes) -> Events:
    events: Events = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    return [*events[:-1], {**events[-1], "more_body": False}]


async def test_a_body_may_come_in_parts(app: QuestionApp, client: bytes) -> None:
    parts = [QUESTION[start : start + 100] for start in range(0, len(QUESTION), 100)]
    assert (await call(app, body=in_parts(*parts), certificate=client)).status == 200


async def test_a_body_may_be_as_large_as_the_limit(app: QuestionApp, client: bytes) -> None:
    headers = {"content-length": str(LIMIT)}
    assert (await call(app, body=PADDED, headers=headers, certificate=client)).status == 200


async def test_a_body_that_says_it_is_too_large_is_not_read(app: QuestionApp, client: bytes) -> None:
    got = await call(app, body=[], headers={"content-length": str(LIMIT + 1)}, certificate=client)
    assert_plain_refusal(got, 413)


async def test_a_body_that_turns_out_too_large_is_not_read_to_its_end(app: QuestionApp, client: bytes) -> None:
    # The last event would never come: whoever waits for it does not pass.
    endless: Events = [{"type": "http.request", "body": b" " * 1000, "more_body": True}] * 5
    assert_plain_refusal(await call(app, body=endless, certificate=client), 413)


async def test_a_single_part_that_is_too_large(app: QuestionApp, client: bytes) -> None:
    assert_plain_refusal(await call(app, body=PADDED + b" ", certificate=client), 413)


async def test_a_body_that_never_ends_is_refused_at_its_deadline(app: QuestionApp, client: bytes) -> None:
    impatient = QuestionApp(app.documents, app.endpoints, app.flow, app.identity, LIMIT, 0.05)
    dripping: Events = [{"type": "http.request", "body": b"<", "more_body": True}] * 3
    with capture_logs() as log:
        assert_plain_refusal(await call(impatient, body=dripping, certificate=client), 408)
    assert log == [{"event": "refused", "status": 408, "log_level": "info"}]


@pytest.mark.parametrize("before", [b"", QUESTION[:100], QUESTION])
async def test_a_caller_that_goes_before_the_end_is_not_answered(
    app: QuestionApp, audit: FakeAudit, client: bytes, before: bytes
) -> None:
    events: Events = [{"type": "http.request", "body": before, "more_body": True}, {"type": "http.disconnect"}]
    with capture_logs() as log:
        got = await call(app, body=events, certificate=client)
    assert (got.status, got.body, audit.events) == (0, b"", [])
    assert [line["event"] for line in log] == ["gone"]


# Faults


async def test_a_fault_is_http_500_with_the_contracts_detail(app: QuestionApp, audit: FakeAudit, pki: Path) -> None:
    with capture_logs() as log:
        got = await call(app, body=QUESTION, certificate=der(pki, "grannkommun"))
    assert (got.status, got.headers["content-type"]) == (500, "text/xml; charset=utf-8")
    code, felkod, texts = got.fault()
    assert (code, felkod) == ("Client", "EJ_BEHORIG")
    (row,) = audit.rows
    assert (row["handelse"], row["felkod"], row["person"]) == ("NEKAD", "EJ_BEHORIG", None)
    # What the caller quotes to the support finds both the row and the log line.
    assert f"händelse-id {row['incident']}" in texts
    assert log[-1]["reason"] == "the certificate's organisation is not registered as a supplier of the ingivare"


async def test_nobody_is_recorded_where_the_certificate_names_none(
    app: QuestionApp, audit: FakeAudit, pki: Path
) -> None:
    got = await call(app, body=QUESTION, certificate=der(pki, "server"))
    assert got.fault()[1] == "EJ_BEHORIG"
    assert audit.rows == []


async def test_who_asks_is_known_before_the_message_is_read(app: QuestionApp, pki: Path) -> None:
    assert (await call(app, body=b"hej", certificate=der(pki, "server"))).fault()[1] == "EJ_BEHORIG"


class Unexpected(SoapEndpoint):
    async def answer(self, element: _Element, caller: Caller, incident: str) -> bytes:  # noqa: ARG002
        raise LookupError(f"{PERSON} was not found in /srv/secret")


async def test_a_mistake_of_ours_is_a_fault_without_a_trace_of_it(audit: FakeAudit, client: bytes, pki: Path) -> None:
    way = flow(audit=audit)
    app = QuestionApp(DOCUMENTS, {"/ssbt/10": Unexpected(CONTRACT, way)}, way, identity(pki), LIMIT, 5)
    with capture_logs() as log:
        got = await call(app, body=QUESTION, certificate=client)
    code, felkod, _ = got.fault()
    assert (got.status, code, felkod) == (500, "Server", "INTERNT_FEL")
    for trace in (PERSON, "secret", "LookupError", "Traceback", "ssbtek_gateway", "spyne", "test_app"):
        assert trace not in got.body.decode()
    (line,) = log
    assert line["felkod"] == "INTERNT_FEL"
    # Enough to find the place, nothing of what it said.
    assert line["reason"].startswith("unexpected LookupError in ")
    assert not [trace for trace in (PERSON, "secret") if trace in str(log)]
    assert audit.rows[0]["felkod"] == "INTERNT_FEL"


async def test_a_fault_is_answered_even_where_the_refusal_cannot_be_recorded(client: bytes, pki: Path) -> None:
    way = flow(audit=FakeAudit(fails_at=frozenset({"FRAGAD", "NEKAD"})))
    app = QuestionApp(DOCUMENTS, {"/ssbt/10": SoapEndpoint(CONTRACT, way)}, way, identity(pki), LIMIT, 5)
    with capture_logs() as log:
        got = await call(app, body=QUESTION, certificate=client)
    assert got.fault()[:2] == ("Server", "INTERNT_FEL")
    assert [line["reason"] for line in log] == ["audit: OperationalError"] * 2


def test_the_listener_asks_for_a_certificate_and_the_document_port_does_not(pki: Path) -> None:
    files = pki / "server.pem", pki / "server.key"
    assert tls.server_context(*files, [pki / "ca.pem"]).verify_mode == ssl.CERT_REQUIRED
    assert tls.server_context(*files, []).verify_mode == ssl.CERT_NONE
