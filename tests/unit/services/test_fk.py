"""Försäkringskassan over LEFI's REST: what is sent, what is handed on, and what is concluded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from unit.builders import question

from ssbtek_gateway.config import Fk
from ssbtek_gateway.model import Data, EncodedPayload, Failure, FkFraga
from ssbtek_gateway.services import fk, fk_rest
from ssbtek_gateway.services.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.model import Outcome

pytestmark = pytest.mark.anyio
OK = [{"utlamnare": {"kod": kod}, "tillstand": {"kod": "OK"}} for kod in ("FK", "PM")]
WANTED = {"personnummer": "191212121212", "period": {"from": "2024-01-31", "tom": "2026-01-31"}, "ansprak": ["PM:AP"]}


@dataclass
class FakeTransport:
    reply: Reply = field(default_factory=lambda: Reply(200, "utf-8", b"{}"))
    posted: list[tuple[str, bytes]] = field(default_factory=list)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        assert headers["Content-Type"] == "application/json"
        self.posted.append((url, body))
        return self.reply


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> FakeTransport:
    made = FakeTransport()
    monkeypatch.setattr(fk_rest, "Transport", lambda _settings: made)
    return made


async def ask(
    transport: FakeTransport,
    answer: object = None,
    *,
    status: int = 200,
    wanted: dict[str, Any] | None = None,
    version: str | None = "v9",
    aktorsid: str = "TEST-01",
) -> Outcome:
    body = answer if isinstance(answer, bytes) else json.dumps({} if answer is None else answer).encode()
    transport.reply = Reply(status, "utf-8", body)
    content = WANTED if wanted is None else wanted
    # Written unlike any serialiser would, to see that it is passed on as it came.
    fraga = FkFraga(version, aktorsid, b" " + json.dumps(content, indent=3).encode(), content)
    service = fk.connect(Fk(url="https://lefi.example/api", authority="ca.pem"))
    return await service.ask(replace(question(), fk=fraga))


async def test_question_and_answer_pass_byte_for_byte(transport: FakeTransport) -> None:
    answer = b'\n{ "utlamnare" : [] , "avvikelser":[], "\\u00e5": 1.10}\t'
    outcome = await ask(transport, answer)
    assert isinstance(outcome, Data)
    assert outcome.payload == EncodedPayload("lefiJsonSvar", answer)
    ((url, body),) = transport.posted
    assert url == (
        "https://lefi.example/api/lefi-extern-formansinformation/v9/aktorer/TEST-01/formansinformation/fraga"
    )
    assert body == b" " + json.dumps(WANTED, indent=3).encode()


async def test_nothing_that_a_caller_wrote_becomes_a_step_of_the_path(transport: FakeTransport) -> None:
    await ask(transport, aktorsid="../../v8/x?y#z")
    assert transport.posted[0][0].endswith("/aktorer/..%2F..%2Fv8%2Fx%3Fy%23z/formansinformation/fraga")


@pytest.mark.parametrize("version", [None, "", "v9"])
async def test_version_9_is_meant_where_none_is_named(transport: FakeTransport, version: str | None) -> None:
    assert isinstance(await ask(transport, version=version), Data)


@pytest.mark.parametrize(
    ("version", "changes", "field_named"),
    [
        ("v8", {}, "FK/fraga/version"),
        ("../v9", {}, "FK/fraga/version"),
        ("v9", {"ansprak": []}, "ovrigInformation"),
        ("v9", {"ansprak": "PM:AP"}, "ovrigInformation"),
        ("v9", {"period": {"from": "2024-01-31", "tom": "2026-02-01"}}, "högst två år"),
        ("v9", {"period": {"from": "2026-02-01", "tom": "2026-01-31"}}, "period"),
        ("v9", {"period": {"from": "20260101", "tom": "2026-01-31"}}, "period"),
        ("v9", {"period": {"from": "2026-02-30", "tom": "2026-03-01"}}, "period"),
        ("v9", {"period": {"from": "2026-01-01"}}, "period"),
        ("v9", {"period": []}, "period"),
    ],
)
async def test_what_lefi_would_refuse_is_not_sent_and_the_field_is_named(
    transport: FakeTransport, version: str, changes: dict[str, Any], field_named: str
) -> None:
    outcome = await ask(transport, version=version, wanted=WANTED | changes)
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod, transport.posted) == ("SSBT", "OGILTIG_FRAGA", [])
    assert field_named in outcome.felmeddelande[1]


@pytest.mark.parametrize("status", [400, 403, 500, 503, 418])
async def test_lefis_refusal_is_its_own_with_its_status_and_none_of_its_text(
    transport: FakeTransport, status: int
) -> None:
    outcome = await ask(transport, {"meddelande": "191212121212 finns inte"}, status=status)
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("BT", str(status))
    assert "191212121212" not in " ".join(outcome.felmeddelande)


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"",
        b"[]",
        b'"x"',
        b'{"utlamnare": {}}',
        b'{"avvikelser": [1]}',
        b'{"ansprak": 0}',
        b'{"meddelande": "fel"}',
    ],
)
async def test_an_answer_that_is_not_lefis_is_not_handed_on(transport: FakeTransport, answer: bytes) -> None:
    outcome = await ask(transport, answer)
    assert isinstance(outcome, Failure)
    assert (outcome.kalla, outcome.felkod) == ("SSBT", "OGILTIGT_SVAR")


async def test_unknown_fields_and_codes_pass_and_are_counted(transport: FakeTransport) -> None:
    news = {
        "utlamnare": [*OK, {"utlamnare": {"kod": "NY"}, "tillstand": {"kod": "SENARE", "nytt": {"djupt": 1}}}],
        "helt": "nytt",
    }
    outcome = await ask(transport, news)
    assert isinstance(outcome, Data)
    assert outcome.unknown == 4
    known = await ask(transport, {"utlamnare": OK})
    assert isinstance(known, Data)
    assert known.unknown == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"utlamnare": OK}, {"FK": "INGET_FUNNET", "PM": "INGET_FUNNET"}),
        ({"utlamnare": OK, "avvikelser": []}, {"FK": "INGET_FUNNET", "PM": "INGET_FUNNET"}),
        ({"utlamnare": OK, "beslut": [{}]}, {"FK": "INGET_FUNNET", "PM": "SVARAT"}),
        (
            {"utlamnare": OK, "formansinformation": {"barnbidragsarende": [{}]}},
            {"FK": "SVARAT", "PM": "INGET_FUNNET"},
        ),
        ({}, {"FK": "KAN_EJ_AVGORAS", "PM": "KAN_EJ_AVGORAS"}),
        (
            {"utlamnare": [OK[0], {"utlamnare": {"kod": "PM"}, "tillstand": {"kod": "OTILLGANGLIG"}}]},
            {"FK": "INGET_FUNNET", "PM": "KAN_EJ_AVGORAS"},
        ),
        (
            {
                "utlamnare": OK,
                "avvikelser": {
                    "formansinformation": [
                        {"formansgrupp": {"kod": "FK:ABB", "beskrivning": ""}, "avvikelse": {"kod": "OBEHORIG"}}
                    ]
                },
            },
            {"FK": "INGET_FUNNET", "PM": "INGET_FUNNET", "FK:ABB": "KAN_EJ_AVGORAS"},
        ),
    ],
)
async def test_fk_and_pm_are_judged_apart(
    transport: FakeTransport, answer: dict[str, Any], expected: dict[str, str]
) -> None:
    outcome = await ask(transport, answer)
    assert isinstance(outcome, Data)
    assert {bedomning.organisation: bedomning.verdict for bedomning in outcome.bedomningar} == expected
