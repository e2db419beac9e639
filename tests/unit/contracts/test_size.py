"""How large a question may be: each bound to the letter, and what a caller is told."""

from __future__ import annotations

import pytest
from unit.builders import CALLER, CONTRACT, FakeAudit, flow, operation
from vectors import make

from ssbtek_gateway.config import Limits
from ssbtek_gateway.contracts import CONTRACTS, size
from ssbtek_gateway.faults import GatewayFault

LIMITS = Limits(text_characters=100, upprepningar=3)
BITRADE = make.TEMPLATE[
    make.TEMPLATE.index("        <ssbt:personuppgiftsbitrade>") : make.TEMPLATE.index("        <ssbt:syfte>")
]
TEXTS = {
    "korrelationsid": "fråga 4711 &lt;&amp;&gt;",
    "namn": "Testkommunen",
    "handlaggare": "asa01",
    "arendeidentitet": "Ärende-17",
    "syfte": "Handläggning av ekonomiskt bistånd",
    "lagtext": "11 kap. 11 § SoL",
    "aktorsid": "TEST-01",
    "version": "v9",
}


def refused(message: str, limits: Limits = LIMITS) -> GatewayFault:
    element = operation(message)
    CONTRACT.check_question(element)
    with pytest.raises(GatewayFault) as caught:
        size.check(element, limits)
    assert (caught.value.fel.felkod, caught.value.soap) == ("FOR_STOR", "Client")
    return caught.value


@pytest.mark.parametrize("field", TEXTS)
def test_a_text_has_a_longest_length_in_characters(field: str) -> None:
    size.check(operation(make.edited(make.leaf(field, TEXTS[field], "å" * 100))), LIMITS)
    fault = refused(make.edited(make.leaf(field, TEXTS[field], "å" * 101)))
    assert fault.detalj == f"{field}: får vara högst 100 tecken. Korta texten."


def test_a_time_with_endless_digits_is_a_long_text_too() -> None:
    time = make.leaf("frageTidpunkt", "2026-02-16T08:30:00+01:00", f"2026-02-16T08:30:00.{'0' * 100}+01:00")
    assert refused(make.edited(time)).detalj.startswith("frageTidpunkt: ")


def test_the_question_to_fk_is_a_document_and_no_text() -> None:
    question = make.edited((make.lefi(make.PERSON), make.lefi(make.PERSON) + " " * 1000))
    size.check(operation(question), LIMITS)


def test_there_may_be_so_many_suppliers() -> None:
    size.check(operation(make.edited((BITRADE, BITRADE * 3))), LIMITS)
    fault = refused(make.edited((BITRADE, BITRADE * 4)))
    assert fault.detalj == (
        "personuppgiftsbitrade: får förekomma högst 3 gånger. Ta bara med de biträden som är med i frågan."
    )


def test_there_may_be_so_many_years() -> None:
    def asked(years: int) -> str:
        parts = ("foretagsinformation", "individuppgifter", "skattekonto", "skatteuppgifter", "beskattningsbilagor")
        chosen = "".join(f"<ssbt:{part}>true</ssbt:{part}>" for part in parts)
        block = f'<ssbt:SKV inkludera="true"><ssbt:fraga>{"<ssbt:ar>2025</ssbt:ar>" * years}{chosen}</ssbt:fraga>'
        question = make.edited(('<ssbt:SKV inkludera="true"/>', f"{block}</ssbt:SKV>"))
        return question.replace("ssbt/10", "ssbt/11")

    for years in (3, 4):
        CONTRACTS["11"].check_question(operation(asked(years)))
    size.check(operation(asked(3)), LIMITS)
    with pytest.raises(GatewayFault, match="FOR_STOR") as caught:
        size.check(operation(asked(4)), LIMITS)
    assert caught.value.detalj == "ar: får förekomma högst 3 gånger. Dela upp åren på flera frågor."


def test_what_published_clients_send_is_far_below() -> None:
    assert (Limits().text_characters, Limits().upprepningar) == (1000, 20)


@pytest.mark.anyio
async def test_what_is_too_large_reaches_nobody() -> None:
    audit = FakeAudit()
    question = make.edited(make.leaf("lagtext", "11 kap. 11 § SoL", "§" * 101))
    with pytest.raises(GatewayFault, match="FOR_STOR"):
        await flow(audit=audit, limits=LIMITS).hamta(CONTRACT, operation(question), CALLER, "i")
    assert audit.events == []
