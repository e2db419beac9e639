"""The JSON Schema for LEFI is what its script makes, agrees with the facts, and tells right from wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from contract import lefi_schema
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMA = json.loads(lefi_schema.SCHEMA.read_text(encoding="utf-8"))
DEFINITIONS = SCHEMA["$defs"]
FACTS = yaml.safe_load(lefi_schema.FACTS.read_text(encoding="utf-8"))["schemas"]
PERSON = "191212121212"
# What a reader that counts what is unknown must follow, and the annotations and assertions it meets on the way.
FOLLOWED = {"$ref", "properties", "items", "allOf"}
MET = {"description", "type", "required", "pattern", "format", "minItems", "maxItems", "x-kanda-koder"}


def subschemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("allOf", ())]
    for below in inner + ([schema["items"]] if "items" in schema else []):
        yield from subschemas(below)


def errors(definition: str, document: object) -> list[str]:
    """Where *document* is not what the definition says: the paths, and the keywords that refuse."""
    validator = Draft202012Validator(SCHEMA | {"$ref": f"#/$defs/{definition}"})
    return sorted(f"{error.json_path}: {error.validator}" for error in validator.iter_errors(document))


def unknown_codes(document: Any, schema: dict[str, Any]) -> Iterator[object]:  # noqa: ANN401 - plain data of any shape
    """The codes in a valid *document* that the schema does not list: proof that they can be counted."""
    if "$ref" in schema:
        schema = DEFINITIONS[schema["$ref"].removeprefix("#/$defs/")]
    if document not in schema.get("x-kanda-koder", [document]):
        yield document
    if isinstance(document, dict):
        for name in document.keys() & schema.get("properties", {}).keys():
            yield from unknown_codes(document[name], schema["properties"][name])
    if isinstance(document, list) and "items" in schema:
        for item in document:
            yield from unknown_codes(item, schema["items"])


def question() -> dict[str, Any]:
    return {
        "personnummer": PERSON,
        "period": {"from": "2026-01-01", "tom": "2026-01-31"},
        "formansinformation": ["FK:SJP", "FK:FP"],
        "utbetalningar": ["FK:SJP", "PM:AP"],
        "ovrigInformation": ["FK:GEPI"],
    }


def answer() -> dict[str, Any]:
    beslut = {
        "fattades": "2026-01-02",
        "definitivt": True,
        "forman": {"id": "SJP", "beskrivning": "Sjukpenning"},
        "omfattning": {"taljare": 1, "namnare": 2},
        "dagar": 14,
        "ersattningsdagar": [
            {"ersattningsdatum": "2026-01-02", "ersattningsbelopp": {"summa": 512.5, "valuta": "SEK"}},
        ],
    }
    grupp = {"kod": "PM:AP", "beskrivning": "Allmän pension"}
    return {
        "utlamnare": [
            {"utlamnare": {"kod": "FK", "namn": "Försäkringskassan"}, "tillstand": {"kod": "OK"}},
            {"utlamnare": {"kod": "PM", "namn": "Pensionsmyndigheten"}, "tillstand": {"kod": "OTILLGANGLIG"}},
        ],
        "avvikelser": {
            "beslut": [
                {"avvikelse": {"kod": "INTERNT_FEL", "beskrivning": "Internt fel"}, "formansgrupp": dict(grupp)}
            ],
        },
        "formansinformation": {
            "generellPersoninformation": [{"personnummer": PERSON, "namn": "Test Person", "avled": []}],
            "sjukpenningarende": [{"startades": "2026-01-02", "aktivt": True, "beslut": [beslut]}],
        },
        "utbetalningar": [
            {
                "utbetalningsdatum": "2026-01-19",
                "utbetalningsperiod": {"from": "2026-01-01", "tom": "2026-01-31"},
                "bruttobelopp": 12000,
                "utbetalningsrader": [{"formansgrupp": grupp, "belopp": 12000}],
            },
        ],
        "ovrigInformation": [
            {
                "informationstyp": {"kod": "PM:LINT", "beskrivning": "Levnadsintyg"},
                "levnadsintyg": {"levnadsintygsstatus": {"kod": 1, "beskrivning": "Test"}},
            },
        ],
    }


def test_the_file_is_what_the_script_makes() -> None:
    assert lefi_schema.SCHEMA.read_text(encoding="utf-8") == lefi_schema.made()


def test_the_script_refuses_a_fact_that_it_does_not_know() -> None:
    facts = {"schemas": {"LefiNy": {"one of": ["LefiLand", "string"]}}}
    with pytest.raises(ValueError, match="unknown form of fact"):
        lefi_schema.schema(facts)


def test_it_is_a_json_schema_that_only_defines() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA.keys() == {"$schema", "description", "$defs"}
    assert errors("LefiExternFormansinformationSvar", {}) == []


def test_every_schema_of_the_facts_is_defined() -> None:
    assert list(DEFINITIONS) == list(FACTS)
    assert len(DEFINITIONS) == 213
    for name, fact in FACTS.items():
        assert list(DEFINITIONS[name].get("properties", {})) == list(fact.get("properties", {}))
        assert DEFINITIONS[name].get("required") == fact.get("required")
        assert DEFINITIONS[name].get("x-kanda-koder") == fact.get("enum")


def test_references_lead_somewhere_and_nothing_refuses_what_is_new() -> None:
    for definition in DEFINITIONS.values():
        for schema in subschemas(definition):
            assert schema.keys() <= FOLLOWED | MET
            assert schema.get("$ref", "#/$defs/LefiLand").removeprefix("#/$defs/") in DEFINITIONS
            assert "$ref" not in schema or len(schema) == 1


def test_definitions_are_explained_once_or_known_to_be_unexplained() -> None:
    said = {name: own["description"] for name, own in DEFINITIONS.items() if "description" in own}
    assert DEFINITIONS.keys() - said.keys() == lefi_schema.UNEXPLAINED
    assert len(set(said.values())) == len(said)
    assert all(text.endswith(".") for text in said.values())
    assert (lefi_schema.OTHERS.keys() | lefi_schema.CODED.keys()) <= said.keys()


def test_a_question_and_an_answer_pass() -> None:
    assert errors("LefiExternFormansinformationFraga", question()) == []
    assert errors("LefiExternFormansinformationSvar", answer()) == []
    assert list(unknown_codes(answer(), DEFINITIONS["LefiExternFormansinformationSvar"])) == []
    assert errors("LefiFelsvar", {"meddelande": "Okänd aktör", "timestamp": "2026-01-02T03:04:05Z"}) == []


def test_deviations_may_be_an_empty_array() -> None:
    assert errors("LefiExternFormansinformationSvar", answer() | {"avvikelser": []}) == []
    assert errors("LefiExternFormansinformationSvar", answer() | {"avvikelser": {}}) == []
    assert errors("LefiExternFormansinformationSvar", answer() | {"avvikelser": [{}]}) == ["$.avvikelser: maxItems"]
    assert errors("LefiExternFormansinformationSvar", answer() | {"formansinformation": []}) == [
        "$.formansinformation: type"
    ]


def test_what_is_unknown_passes_and_can_be_counted() -> None:
    new = answer() | {"nytt": {"kod": 1}}
    new["utlamnare"][0] = {"utlamnare": {"kod": "XM", "ny": 1}, "tillstand": {"kod": "SEGT"}}
    new["avvikelser"]["beslut"][0]["avvikelse"]["kod"] = "NY"
    new["utbetalningar"][0]["utbetalningsrader"][0]["formansgrupp"]["kod"] = "PM:NY"
    new["ovrigInformation"][0]["levnadsintyg"]["levnadsintygsstatus"]["kod"] = 99
    assert errors("LefiExternFormansinformationSvar", new) == []
    found = sorted(map(str, unknown_codes(new, DEFINITIONS["LefiExternFormansinformationSvar"])))
    assert found == ["99", "NY", "PM:NY", "SEGT", "XM"]
    assert errors("LefiExternFormansinformationFraga", question() | {"ansprak": ["PM:NY"], "nytt": 1}) == []


ANSWER_FLAWS: dict[str, tuple[Callable[[dict[str, Any]], object], list[str]]] = {
    "a number as text": (
        lambda svar: svar["utbetalningar"][0].update(bruttobelopp="12000"),
        ["$.utbetalningar[0].bruttobelopp: type"],
    ),
    "half a krona where whole ones are declared": (
        lambda svar: svar["utbetalningar"][0].update(bruttobelopp=0.5),
        ["$.utbetalningar[0].bruttobelopp: type"],
    ),
    "null": (lambda svar: svar.update(beslut=None), ["$.beslut: type"]),
    "an object where a list is declared": (lambda svar: svar.update(utlamnare={}), ["$.utlamnare: type"]),
    "a state that is a number": (
        lambda svar: svar["utlamnare"][0]["tillstand"].update(kod=0),
        ["$.utlamnare[0].tillstand.kod: type"],
    ),
    "a group without code": (
        lambda svar: svar["utbetalningar"][0]["utbetalningsrader"][0]["formansgrupp"].pop("kod"),
        [
            "$.utbetalningar[0].utbetalningsrader[0].formansgrupp: required",
        ],
    ),
    "a period without first day": (
        lambda svar: svar["utbetalningar"][0]["utbetalningsperiod"].pop("from"),
        ["$.utbetalningar[0].utbetalningsperiod: required"],
    ),
    "a personnummer with a hyphen": (
        lambda svar: svar["formansinformation"]["generellPersoninformation"][0].update(personnummer="121212-1212"),
        ["$.formansinformation.generellPersoninformation[0].personnummer: pattern"],
    ),
    "two persons": (
        lambda svar: svar["formansinformation"].update(generellPersoninformation=[{}, {}]),
        ["$.formansinformation.generellPersoninformation: maxItems"],
    ),
    "too few days": (
        lambda svar: svar["formansinformation"].update(foraldrapenningarende=[{"beslut": [{"ersattningsdagar": []}]}]),
        ["$.formansinformation.foraldrapenningarende[0].beslut[0].ersattningsdagar: minItems"],
    ),
}


@pytest.mark.parametrize(("spoil", "found"), ANSWER_FLAWS.values(), ids=ANSWER_FLAWS)
def test_a_flawed_answer_fails(spoil: Callable[[dict[str, Any]], object], found: list[str]) -> None:
    svar = answer()
    spoil(svar)
    assert errors("LefiExternFormansinformationSvar", svar) == found


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"personnummer": None}, ["$.personnummer: type"]),
        ({"personnummer": "19121212-1212"}, ["$.personnummer: pattern"]),
        ({"period": {"from": "2026-01-01"}}, ["$.period: required"]),
        ({"period": {"from": "2026-1-1", "tom": "2026-01-31"}}, ["$.period.from: pattern"]),
        ({"period": {"from": "2026-01-01", "tom": "2026-13-31"}}, ["$.period.tom: pattern"]),
        ({"period": {"from": 20260101, "tom": "2026-01-31"}}, ["$.period.from: type"]),
        ({"formansinformation": "FK:SJP"}, ["$.formansinformation: type"]),
        ({"beslut": [1]}, ["$.beslut[0]: type"]),
    ],
    ids=str,
)
def test_a_flawed_question_fails(change: dict[str, Any], found: list[str]) -> None:
    assert errors("LefiExternFormansinformationFraga", question() | change) == found


@pytest.mark.parametrize("name", ["personnummer", "period"])
def test_a_question_without_what_is_required_fails(name: str) -> None:
    fraga = question()
    del fraga[name]
    assert errors("LefiExternFormansinformationFraga", fraga) == ["$: required"]
