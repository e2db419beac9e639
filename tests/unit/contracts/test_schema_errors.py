"""What the sender of a question is told about a schema error, and what never is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.builders import CONTRACT, PERSON, operation
from vectors import make
from vectors.make import edited, leaf

from ssbtek_gateway.contracts import schema_errors
from ssbtek_gateway.faults import GatewayFault

MISPLACED = "elementen saknas eller står i fel ordning."
LEAVES = re.findall(r"<ssbt:(\w+)>([^<\n]+)</ssbt:", make.TEMPLATE)
# Texts that no field with a rule admits and that no sentence of ours holds.
SECRETS = st.text(alphabet="XYZ0123456789'\"{}(),. :-é", min_size=4, max_size=40).map(lambda text: f"{text}QWZX{text}")


def detalj(message: str) -> str:
    with pytest.raises(GatewayFault) as caught:
        CONTRACT.check_question(operation(message))
    assert caught.value.fel.felkod == "OGILTIG_FRAGA"
    assert re.fullmatch(r"schema: SCHEMAV_[A-Z0-9_]+", caught.value.reason)
    return caught.value.detalj


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (make.person("19121212121"), "personidentitet: ska vara tolv siffror (ÅÅÅÅMMDDNNNN), utan bindestreck."),
        (
            edited(leaf("organisationsnummer", make.KOMMUN, "2021004748")),
            "organisationsnummer: ska vara tolv siffror: 16 följt av organisationsnumrets tio, utan bindestreck.",
        ),
        (edited(leaf("handlaggare", "asa01", "")), "handlaggare: ska vara minst ett tecken."),
        (edited(('<ssbt:AF inkludera="true"/>', '<ssbt:AF inkludera="ja"/>')), "inkludera: ska vara true eller false."),
        (
            edited(('<ssbt:AF inkludera="true"/>', "<ssbt:AF/>")),
            "AF: ett obligatoriskt attribut saknas. Ange inkludera.",
        ),
        (
            edited(("<ssbt:syfte>", "<ssbt:avsikt>"), ("</ssbt:syfte>", "</ssbt:avsikt>")),
            f"avsikt: {MISPLACED} Här ska personuppgiftsbitrade eller syfte stå, i tjänstens namnrymd.",
        ),
        (
            edited(("        <ssbt:lagtext>11 kap. 11 § SoL</ssbt:lagtext>\n", "")),
            f"generellaFrageparametrar: {MISPLACED} Här ska lagtext stå, i tjänstens namnrymd.",
        ),
        (
            edited(('<ssbt:MIV inkludera="true"/>', '<ssbt:MIV inkludera="true"/><ssbt:PM/>')),
            "PM: elementet ska inte finnas här. Ta bort det.",
        ),
    ],
)
def test_field_rule_and_what_would_pass(message: str, said: str) -> None:
    assert detalj(message) == said


def test_an_element_that_the_contract_lacks() -> None:
    assert detalj(make.TEMPLATE.replace("hamtaB", "hittaB")).startswith("Elementet i Body finns inte i kontraktet.")


@pytest.mark.parametrize("name", ["x" * 61, "å", "personnummer_ö", f"p{PERSON}"])
def test_a_name_that_is_not_plain_is_not_repeated(name: str) -> None:
    said = detalj(edited(('<ssbt:MIV inkludera="true"/>', f'<ssbt:MIV inkludera="true"/><ssbt:{name}/>')))
    assert said == "ett element: elementet ska inte finnas här. Ta bort det."


@pytest.mark.parametrize("uri", [f"urn:{PERSON}", "urn:Expected.is(QWZX).", "urn:,attribute'QWZX'"])
def test_a_namespace_is_not_repeated(uri: str) -> None:
    said = detalj(edited(("<ssbt:syfte>", f'<x:a xmlns:x="{uri}"/><ssbt:syfte>')))
    assert PERSON not in said
    assert "QWZX" not in said


@settings(max_examples=150, deadline=None)
@given(field=st.sampled_from(LEAVES), secret=SECRETS)
def test_no_value_is_ever_repeated(field: tuple[str, str], secret: str) -> None:
    name, old = field
    value = secret.replace("&", "&amp;").replace("<", "&lt;")
    message = make.TEMPLATE.replace(f">{old}</ssbt:{name}>", f">{value}</ssbt:{name}>", 1)
    said = ""
    try:
        CONTRACT.check_question(operation(message))
    except GatewayFault as fault:
        said = " ".join((*fault.felmeddelande("x"), fault.reason, str(fault)))
    assert "QWZX" not in said


@pytest.mark.parametrize("field", ["syfte", "okand"])
def test_a_field_without_a_rule_of_its_own(field: str) -> None:
    assert schema_errors.rule(field) == f"{field}: värdet är inte tillåtet."
