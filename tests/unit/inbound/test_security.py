"""WS-Security as callers meet it: what the register demands of whom, and what becomes of each message."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree
from structlog.testing import capture_logs
from unit.builders import (
    BITRADE,
    CONFIDENTIAL,
    CONTRACT,
    KOMMUN,
    PERSON,
    FakeAudit,
    FakeService,
    Got,
    call,
    data,
    flow,
    organisation,
    so_answer,
)
from unit.wssecurity.signers import DAY, NOW, Authority
from unit.wssecurity.test_sign import issued, written
from vectors import make, wss_cases
from vectors.wss import OTHER, WSSE, Draft

from ssbtek_gateway import xmlgate
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.authorisation import Register, Signatures
from ssbtek_gateway.inbound.app import DocumentApp, QuestionApp
from ssbtek_gateway.inbound.identity import Identity, Issuer
from ssbtek_gateway.inbound.security import MessageSecurity
from ssbtek_gateway.inbound.soap import SoapEndpoint
from ssbtek_gateway.model import Caller
from ssbtek_gateway.revocation import Revocations
from ssbtek_gateway.wssecurity import trust
from ssbtek_gateway.wssecurity.replay import ReplayStore
from ssbtek_gateway.wssecurity.sign import Signer
from ssbtek_gateway.wssecurity.timestamp import Window
from ssbtek_gateway.wssecurity.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from vectors.wss import Party

pytestmark = pytest.mark.anyio
AUTHORITY = Authority()
SIGNER, TLS, SUPPLIER = AUTHORITY.issue(), AUTHORITY.issue(), AUTHORITY.issue(name="Testbolaget", number=BITRADE)
NOBODY = AUTHORITY.issue(name="Okänd", number=None)
SIGNED = Draft(SIGNER, NOW).sealed()
UNSIGNED = make.only("SO")
FLAWED = wss_cases.flawed(Draft(SIGNER, NOW))
OURS = issued()


@pytest.fixture
def audit() -> FakeAudit:
    return FakeAudit()


@pytest.fixture
def replays(tmp_path: Path) -> ReplayStore:
    return ReplayStore(Sqlite(tmp_path / "replays"), lambda: NOW)


IDENTITY = Identity([Issuer(AUTHORITY.certificate)], lambda: NOW)


def app(
    audit: FakeAudit,
    replays: ReplayStore,
    signer: Signer | None = None,
    identity: Identity = IDENTITY,
    **entry: Any,  # noqa: ANN401
) -> QuestionApp:
    """The register has one organisation, with `entry`."""
    registered = [organisation(**entry)]
    way = flow({"SO": FakeService(data(so_answer()), "SO", audit.events)}, audit, registered)
    security = MessageSecurity(Register(registered), replays, signer, Window(clock=lambda: NOW))
    endpoints = {"/ssbt/10": SoapEndpoint(CONTRACT, way)}
    return QuestionApp(DocumentApp({}), endpoints, way, identity, 2_000_000, 5, security)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> tuple[QuestionApp, FakeAudit]:
    """One for all messages that get nowhere."""
    audit = FakeAudit()
    replays = ReplayStore(Sqlite(tmp_path_factory.mktemp("replays") / "replays"))
    return app(audit, replays, ws_security="kravs"), audit


async def ask(to: QuestionApp, text: str, party: Party = TLS) -> Got:
    return await call(to, body=text.encode(), certificate=party.der)


def code(got: Got) -> tuple[str, str]:
    """The fault code as a qualified name, and the felkod."""
    root = xmlgate.parse_agency(got.body, None)
    (element,) = root.iter("faultcode")
    prefix, _, name = (element.text or "").partition(":")
    assert root.findtext(".//faultstring")
    return f"{{{element.nsmap[prefix]}}}{name}", got.fault()[1]


@pytest.mark.parametrize("mode", ["tillaten", "kravs"])
async def test_a_signed_question_is_answered(mode: str, audit: FakeAudit, replays: ReplayStore) -> None:
    got = await ask(app(audit, replays, ws_security=mode), SIGNED)
    assert got.status == 200, got.fault()
    assert audit.events == ["FRAGAD durable", "SO asked", "BESVARAD durable"]


async def test_an_unsigned_question_where_signatures_are_optional(audit: FakeAudit, replays: ReplayStore) -> None:
    assert (await ask(app(audit, replays, ws_security="tillaten"), UNSIGNED)).status == 200


async def test_an_unsigned_question_where_they_are_demanded(audit: FakeAudit, replays: ReplayStore) -> None:
    got = await ask(app(audit, replays, ws_security="kravs"), UNSIGNED)
    assert (got.status, code(got)) == (500, (f"{{{WSSE}}}InvalidSecurity", "OGILTIG_SIGNATUR"))
    assert audit.events == ["NEKAD durable"]
    assert audit.rows[0]["felkod"] == "OGILTIG_SIGNATUR"


async def test_where_nothing_is_agreed_a_header_is_ignored_unless_it_must_be_understood(
    audit: FakeAudit, replays: ReplayStore
) -> None:
    to = app(audit, replays)
    got = await ask(to, SIGNED)
    assert code(got) == (f"{{{make.SOAP}}}MustUnderstand", "OGILTIGT_MEDDELANDE")
    assert (await ask(to, SIGNED.replace(' soapenv:mustUnderstand="1"', ""))).status == 200
    assert (await ask(to, SIGNED.replace('mustUnderstand="1"', 'mustUnderstand="0"'))).status == 200


@pytest.mark.parametrize("mode", ["tillaten", "kravs"])
async def test_a_header_for_somebody_else_is_no_header(mode: str, audit: FakeAudit, replays: ReplayStore) -> None:
    text = SIGNED.replace("<wsse:Security ", '<wsse:Security soapenv:actor="urn:annan" ')
    got = await ask(app(audit, replays, ws_security=mode), text)
    assert got.status == (200 if mode == "tillaten" else 500)


@pytest.mark.parametrize("name", FLAWED)
async def test_flawed_messages_are_refused_with_the_standards_code_and_one_text(
    name: str, refusing: tuple[QuestionApp, FakeAudit]
) -> None:
    flaw, (to, audit) = FLAWED[name], refusing
    audit.events.clear()
    with capture_logs() as log:
        got = await ask(to, flaw.text)
    assert got.status == 500
    qualified, felkod = code(got)
    # Some are no SOAP message to begin with.
    client = (f"{{{make.SOAP}}}Client", "OGILTIGT_MEDDELANDE")
    assert (qualified, felkod) in {(f"{{{WSSE}}}{flaw.code}", "OGILTIG_SIGNATUR"), client}
    # The organisation of the certificate stands in the log.
    said = [{**line, "certifikat_organisation": None} for line in log]
    for value in (*CONFIDENTIAL, KOMMUN, OTHER):
        assert value not in got.body.decode()
        assert value not in str(said)
    assert audit.events == ["NEKAD durable"]


async def test_an_optional_signature_that_is_there_must_be_right(audit: FakeAudit, replays: ReplayStore) -> None:
    to = app(audit, replays, ws_security="tillaten")
    for name in ("signature-stripped", "body-changed", "username-token-alone", "empty-security"):
        assert code(await ask(to, FLAWED[name].text))[1] == "OGILTIG_SIGNATUR"


SIGNERS: dict[str, tuple[Party, str]] = {
    "another-organisation": (SUPPLIER, "the signer is another organisation than the TLS client"),
    "nobody": (NOBODY, "signer: the certificate does not hold exactly one organisation number"),
    "another-authority": (Authority("Annan").issue(), "signer: the certificate is of no issuer in the configuration"),
    "an-authority-of-the-same-name": (Authority().issue(), "signer: the certificate is of no issuer"),
    "itself": (Authority("Testkommunen", SIGNER.key).issue(key=SIGNER.key), "signer: the certificate is of no issuer"),
    "revoked": (AUTHORITY.issue(), "signer: the certificate is revoked"),
}


@pytest.mark.parametrize("name", SIGNERS)
async def test_the_signer_must_be_whom_tls_would_let_in_as_the_same_organisation(
    name: str, audit: FakeAudit, replays: ReplayStore
) -> None:
    signer, reason = SIGNERS[name]
    revoked = frozenset({SIGNERS["revoked"][0].certificate.serial_number})
    issuer = Issuer(AUTHORITY.certificate, revocations=Revocations(NOW + DAY, revoked))
    to = app(audit, replays, identity=Identity([issuer], lambda: NOW), ws_security="kravs")
    with capture_logs() as log:
        got = await ask(to, Draft(signer, NOW).sealed())
    assert code(got) == (f"{{{WSSE}}}FailedAuthentication", "OGILTIG_SIGNATUR")
    assert log[-1]["reason"].startswith(reason)


async def test_a_supplier_signs_with_its_own_certificate(audit: FakeAudit, replays: ReplayStore) -> None:
    to = app(audit, replays, ws_security="kravs")
    assert code(await ask(to, UNSIGNED, SUPPLIER))[1] == "OGILTIG_SIGNATUR"
    assert code(await ask(to, SIGNED, SUPPLIER))[1] == "OGILTIG_SIGNATUR"
    assert (await ask(to, Draft(SUPPLIER, NOW).sealed(), SUPPLIER)).status == 200


async def test_a_message_is_answered_once(audit: FakeAudit, replays: ReplayStore) -> None:
    to = app(audit, replays, ws_security="kravs")
    assert (await ask(to, SIGNED)).status == 200
    got = await ask(to, SIGNED)
    assert code(got) == (f"{{{WSSE}}}FailedCheck", "OGILTIG_SIGNATUR")
    assert audit.events.count("SO asked") == 1
    # The same question, signed anew by ECDSA in the same second, is the same message.
    assert code(await ask(to, Draft(SIGNER, NOW).sealed()))[1] == "OGILTIG_SIGNATUR"
    later = Draft(SIGNER, NOW + timedelta(seconds=1)).sealed()
    assert (await ask(to, later)).status == 200


async def test_nothing_is_taken_where_nobody_can_tell_whether_it_was(
    audit: FakeAudit, replays: ReplayStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "replays")) as connection:
        connection.execute("DROP TABLE ws_security_replay")
    with capture_logs() as log:
        got = await ask(app(audit, replays, ws_security="kravs"), SIGNED)
    assert got.fault()[:2] == ("Server", "INTERNT_FEL")
    assert log[-1]["reason"] == "audit: the replay store cannot be written: OperationalError"
    assert audit.events == ["NEKAD durable"]


async def test_what_is_asked_is_what_was_signed(audit: FakeAudit, replays: ReplayStore) -> None:
    # A change that the signature does not cover: only its own reading of the Body is used.
    text = SIGNED.replace("<soapenv:Envelope", f'<soapenv:Envelope xmlns:bytt="{make.SSBT}"')
    assert (await ask(app(audit, replays, ws_security="kravs"), text)).status == 200
    assert audit.rows[0]["ingivare"] == KOMMUN


@pytest.mark.parametrize(("text", "status"), [(UNSIGNED, 200), (UNSIGNED.replace(PERSON, "1"), 500)])
async def test_answers_and_faults_are_signed_to_those_who_want_it(
    text: str, status: int, audit: FakeAudit, replays: ReplayStore, tmp_path: Path
) -> None:
    signer = Signer.load(*written(tmp_path, OURS), must_understand=False)
    got = await ask(app(audit, replays, signer, signerade_svar=True, svarsoversikt=True), text)
    assert got.status == status
    root = xmlgate.parse_agency(got.body, None)
    blocks = [etree.QName(block).localname for block in root[0]]
    assert blocks == ["Security", "svarsoversikt"] if status == 200 else ["Security"]
    if status == 500:
        assert b"felkod>OGILTIG_FRAGA<" in verify(root, Window(), trust.one_of([OURS.certificate])).body
    # Nobody else's.
    assert b"Security" not in (await ask(app(audit, replays, signer), text)).body


async def test_where_nobody_is_known_a_fault_is_not_signed(
    audit: FakeAudit, replays: ReplayStore, tmp_path: Path
) -> None:
    signer = Signer.load(*written(tmp_path, OURS), must_understand=False)
    got = await ask(app(audit, replays, signer, signerade_svar=True), UNSIGNED, NOBODY)
    assert got.fault()[1] == "EJ_BEHORIG"
    assert b"Security" not in got.body


def test_a_supplier_is_held_to_the_strictest_of_those_it_asks_for() -> None:
    entries = [
        organisation(ws_security="tillaten"),
        organisation(organisationsnummer="162120009994", ws_security="kravs"),
        organisation(organisationsnummer="162120002411", signerade_svar=True),
    ]
    register = Register(entries)
    assert register.signatures(Caller(BITRADE, "")) == Signatures("kravs", signerade_svar=True)
    assert register.signatures(Caller(KOMMUN, "")) == Signatures("tillaten")
    assert register.signatures(Caller("165567430417", "")) == Signatures()
    assert Register([entries[2], entries[1]]).signatures(Caller(BITRADE, "")).ws_security == "kravs"
