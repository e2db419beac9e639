"""The LEFI question inside a question: readable and about the same person, or a fault that names the field."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from ssbtek_gateway.contracts import lefi
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.model import PersonId

PERSON = PersonId("191212121212")


def refused(text: str) -> GatewayFault:
    with pytest.raises(GatewayFault) as raised:
        lefi.content(lefi.decoded(text), PERSON)
    fault = raised.value
    assert fault.fel.felkod == "OGILTIG_FRAGA"
    assert fault.detalj.startswith("lefiJsonFraga: ")
    return fault


def sent(value: object) -> str:
    return b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize("number", ["191212121212", "1212121212"])
def test_the_same_person_with_or_without_century(number: str) -> None:
    text = sent({"personnummer": number, "okänt": [1]})
    wrapped = f"\n  {text[:9]}\n  {text[9:]} "
    assert lefi.decoded(wrapped) == json.dumps({"personnummer": number, "okänt": [1]}).encode()
    assert lefi.content(lefi.decoded(text), PERSON)["personnummer"] == number


@pytest.mark.parametrize(
    "value",
    [
        {"personnummer": "199006022397"},
        {"personnummer": "201212121212"},
        {"personnummer": "9006022397"},
    ],
)
def test_another_person_is_refused_and_not_named(value: dict[str, str]) -> None:
    fault = refused(sent(value))
    assert "personidentitet" in fault.detalj
    assert value["personnummer"] not in fault.detalj + fault.reason


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        "1212121212",
        None,
        {"personnummer": None},
        {"personnummer": 191212121212},
        {"personnummer": "2"},
        {"personnummer": "12121212-1212"},
        {"personnummer": "١٩١٢١٢١٢١٢١٢"},
        {"personnummer": ""},
    ],
)
def test_a_question_about_nobody_is_refused(value: object) -> None:
    assert "personnummer" in refused(sent(value)).detalj


@pytest.mark.parametrize(
    "text", ["***", "e30", "e30=!", "e3 0=é", b64encode(b"{").decode(), b64encode(b"\xff").decode()]
)
def test_what_is_not_base64_of_json_is_refused(text: str) -> None:
    assert "base64" in refused(text).detalj


def test_a_number_given_twice_is_refused() -> None:
    twice = b'{"personnummer": "191212121212", "personnummer": "199006022397"}'
    refused(b64encode(twice).decode())
