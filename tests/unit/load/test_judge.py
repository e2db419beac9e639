"""What counts as a right answer."""

from __future__ import annotations

import pytest

from ssbtek_gateway.load.judge import failures

SSBT = "http://schema.forsakringskassan.se/integration/ssbt/11"
NOTHING = "<error><kalla>BT</kalla><felkod>404</felkod></error>"
TIMEOUT = "<error><kalla>SSBT</kalla><felkod>TIMEOUT</felkod></error>"
BAD = f"<AF>{TIMEOUT}</AF><SKV><data/></SKV>"
KNOWN_TO_AF = f"<AF><data/></AF><SKV><skattekonto>{NOTHING}</skattekonto><foretag>{NOTHING}</foretag></SKV>"
GOOD = f"<AF><data/></AF><SKV><skattekonto><data/></skattekonto><skatteuppgifter>{TIMEOUT}</skatteuppgifter></SKV>"
FAULT = "<s:Fault><faultcode>s:Client</faultcode>{}</s:Fault>"


def envelope(body: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'.encode()
    )


def answer(sections: str, mark: str = "<korrelationsid>m</korrelationsid>") -> bytes:
    name = "hamtaBastjanstInformationResponse"
    return envelope(f'<{name} xmlns="{SSBT}">{mark}<svarsdata>{sections}</svarsdata></{name}>')


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (200, answer(GOOD), []),
        (200, answer(BAD), ["AF SSBT TIMEOUT"]),
        (200, answer(KNOWN_TO_AF), []),
        (200, answer(KNOWN_TO_AF.replace(NOTHING, TIMEOUT, 1)), ["SKV SSBT TIMEOUT"]),
        (200, answer(f"<AF>{NOTHING}</AF><SKV><data/></SKV>"), ["AF BT 404"]),
        (200, answer(""), ["AF is missing", "SKV is missing"]),
        (200, answer("<AF/><SKV><data/></SKV>"), ["AF"]),
        (200, answer(GOOD, "<korrelationsid>n</korrelationsid>"), ["an answer to another question"]),
        (200, answer(GOOD, ""), ["an answer to another question"]),
        (500, envelope(FAULT.format("<detail><felkod>FOR_MANGA</felkod></detail>")), ["fault FOR_MANGA"]),
        (500, envelope(FAULT.format("")), ["fault s:Client"]),
        (200, b"<html/>", ["fault without felkod"]),
        (500, envelope(FAULT.format(f"<detail><felkod>{'x' * 100}</felkod></detail>")), [f"fault {'x' * 54}"]),
        (200, b"Sorry", ["HTTP 200 without XML"]),
        (503, answer(GOOD), ["HTTP 503"]),
    ],
)
def test_an_answer_is_right_or_has_its_failures_named(status: int, body: bytes, found: list[str]) -> None:
    assert list(failures(status, "utf-8", body, ["AF", "SKV"], "m")) == found
