"""Signed questions to a base service and signed answers of it: what of an answer is read, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError
from unit.builders import AF, OTHER_PERSON, PERSON, af_answer, question
from unit.services.harness import ADDRESS, enveloped, harness
from unit.wssecurity.signers import NOW
from unit.wssecurity.test_sign import issued, written
from vectors import wss_cases
from vectors.wss import Draft

from ssbtek_gateway import xmlgate
from ssbtek_gateway.config import Af, Fk
from ssbtek_gateway.model import Data, Failure, XmlPayload
from ssbtek_gateway.wssecurity import trust
from ssbtek_gateway.wssecurity.timestamp import Window
from ssbtek_gateway.wssecurity.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from unit.services.harness import Harness

    from ssbtek_gateway.model import Outcome

pytestmark = pytest.mark.anyio
OURS, AGENCY, STRANGER = issued(), issued(), issued()
FAULT = "<faultcode>s:Server</faultcode><faultstring>nej</faultstring>"


def sealed(content: str = "", party: object = AGENCY, **changes: object) -> str:
    """A signed answer."""
    body = f'<soapenv:Body wsu:Id="body">{content or af_answer()}</soapenv:Body>'
    return Draft(party, datetime.now(UTC)).but(body=body, **changes).sealed()  # type: ignore[arg-type]


@pytest.fixture(params=["kravs", "tillaten"])
def af(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Harness:
    return connected(request.param, monkeypatch, tmp_path)


def connected(svar: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Harness:
    certificate, key = written(folder, OURS)
    believed = folder / "agency.pem"
    believed.write_bytes(AGENCY.certificate.public_bytes(Encoding.PEM))
    signering = {"certificate": certificate, "key": key, "svar": svar, "svar_certifikat": [believed] * (svar != "av")}
    return harness("AF", monkeypatch, Af.model_validate(ADDRESS | {"signering": signering}))


async def outcome(af: Harness, body: str, status: int = 200) -> Outcome:
    af.answers(body, status)
    return await af.service.ask(question())


async def test_the_question_is_signed_and_whoever_cannot_verify_must_refuse_it(af: Harness) -> None:
    await outcome(af, sealed())
    ((posted, _),) = af.transport.posted
    assert b'mustUnderstand="1"' in posted
    verified = verify(xmlgate.parse_agency(posted, None), Window(), trust.one_of([OURS.certificate]))
    assert PERSON.encode() in verified.body


async def test_a_signed_answer_is_data(af: Harness) -> None:
    found = await outcome(af, sealed())
    assert isinstance(found, Data)
    assert isinstance(found.payload, XmlPayload)
    assert b"StatusSokandeinformationKod" in found.payload.content


async def test_a_signed_fault_is_the_agencys(af: Harness) -> None:
    found = await outcome(af, sealed(f"<soapenv:Fault>{FAULT}</soapenv:Fault>"), 500)
    assert isinstance(found, Failure)
    assert (found.kalla, found.felkod) == ("BT", "FAULT")


async def test_an_unsigned_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain = enveloped(af_answer())
    assert isinstance(await outcome(connected("av", monkeypatch, tmp_path), plain), Data)
    assert isinstance(await outcome(connected("tillaten", monkeypatch, tmp_path), plain), Data)
    af = connected("kravs", monkeypatch, tmp_path)
    for status, content in ((200, af_answer()), (500, f"<s:Fault>{FAULT}</s:Fault>")):
        found = await outcome(af, enveloped(content), status)
        assert isinstance(found, Failure)
        assert (found.kalla, found.felkod) == ("SSBT", "OGILTIGT_SVAR")
        assert found.reason.startswith("signature: not one Security header")


async def test_other_answers_are_told_as_ever(af: Harness) -> None:
    for status, body, kalla in ((503, "<html/>", "BT"), (302, "", "SSBT"), (200, "junk", "SSBT"), (500, "junk", "BT")):
        found = await outcome(af, body, status)
        assert isinstance(found, Failure)
        assert found.kalla == kalla
        assert "signature" not in found.reason


@pytest.mark.parametrize("name", wss_cases.wrapped(Draft(AGENCY, NOW)))
async def test_a_wrapped_answer_is_no_answer(name: str, af: Harness) -> None:
    text, _ = wss_cases.wrapped(Draft(AGENCY, datetime.now(UTC)))[name]
    found = await outcome(af, text)
    assert isinstance(found, Failure)
    assert (found.kalla, found.felkod) == ("SSBT", "OGILTIGT_SVAR")
    # One that stands where nobody looks for it is none, and what is left is no answer either.
    assert found.reason.startswith("signature: ") or name == "security-in-body"


async def test_a_wrapped_answer_about_somebody_else_is_no_answer(af: Harness) -> None:
    text = sealed()
    start, end = text.index("<soapenv:Body"), text.index("</soapenv:Envelope>")
    body = text[start:end]
    forged = body.replace(PERSON, OTHER_PERSON).replace('"body"', '"forged"')
    wrapped = text.replace(body, forged).replace("</soapenv:Header>", f"<x>{body}</x></soapenv:Header>")
    found = await outcome(af, wrapped)
    assert isinstance(found, Failure)
    assert found.reason == "signature: not exactly the Body and the Timestamp are signed"


async def test_an_answer_that_is_signed_by_another_or_changed_or_old(af: Harness) -> None:
    then = datetime.now(UTC) - timedelta(minutes=10)
    old = {"created": f"{then:%Y-%m-%dT%H:%M:%SZ}", "expires": f"{then + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"}
    for text, reason in (
        (sealed(party=STRANGER), "signature: the signer's certificate is not one of the configured"),
        (sealed().replace("</Svar>", "<x/></Svar>"), "signature: the Body or the Timestamp is not what was signed"),
        (sealed(**old), "signature: the message has expired"),
    ):
        found = await outcome(af, text)
        assert isinstance(found, Failure)
        assert found.reason == reason


async def test_what_is_not_signed_is_not_handed_on(af: Harness) -> None:
    text = sealed().replace("<StatusSokandeinformationKod>0", "<StatusSokandeinformationKod><!-- 1 -->0")
    found = await outcome(af, text)
    assert isinstance(found, Data)
    assert isinstance(found.payload, XmlPayload)
    carried = xmlgate.parse_agency(found.payload.content, None)
    assert next(carried.iter(f"{{{AF}}}StatusSokandeinformationKod")).text == "0"
    # A prefix that only a value uses, declared where nothing is signed: it might as well be another.
    typed = af_answer().replace("<Svar>", '<Svar xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="q:Svar">')
    around = sealed(typed).replace("<soapenv:Envelope", f'<soapenv:Envelope xmlns:q="{AF}"')
    found = await outcome(af, around)
    assert isinstance(found, Failure)
    assert found.felkod == "OGILTIGT_SVAR"


async def test_a_refused_answer_costs_its_connection(af: Harness) -> None:
    dropped: list[str] = []
    af.answers(sealed(party=STRANGER))
    assert not isinstance(af.transport.reply, Exception)
    object.__setattr__(af.transport.reply, "drop", lambda: dropped.append("dropped"))
    await af.service.ask(question())
    assert dropped == ["dropped"]


@pytest.mark.parametrize(
    "signering",
    [
        {"certificate": "c", "key": "k", "svar": "kravs"},
        {"certificate": "c", "key": "k", "svar_certifikat": ["a"]},
        {"certificate": "c", "svar": "av"},
        {"key": "k"},
    ],
)
def test_half_a_configuration_is_none(signering: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Af.model_validate(ADDRESS | {"signering": signering})


def test_what_is_not_soap_is_not_signed() -> None:
    signed = ADDRESS | {"signering": {"certificate": "c", "key": "k"}}
    with pytest.raises(ValidationError, match="signering goes with transport = 'soap'"):
        Fk.model_validate(signed)
    assert Fk.model_validate(signed | {"transport": "soap"}).signering is not None
