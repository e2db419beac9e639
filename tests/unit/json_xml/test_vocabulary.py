"""JSON to XML and back: nothing is lost, what is written is valid, and what is new is told."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from contract import typed_xsd
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ssbtek_gateway import jsongate
from ssbtek_gateway.json_xml import LEFI, SKV_DELAR, dumps, w3c
from ssbtek_gateway.json_xml.vocabulary import KNOWN_CODES
from ssbtek_gateway.simulator import personas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from ssbtek_gateway.json_xml import Vocabulary

VOCABULARIES = {"services/fk/lefi_online.xsd": LEFI, "services/skv/delar.xsd": SKV_DELAR}
TYPES = [
    (path, name) for path, one in VOCABULARIES.items() for name, of in one.definitions.items() if "properties" in of
]
SVAR = "LefiExternFormansinformationSvar"
PERSONAS = personas.load()
# What JSON can say: also texts that XML cannot hold, and numbers that no decimal should be.
TEXTS = st.text(max_size=8) | st.sampled_from(["\x00", "a\rb\r\n", "\ud800", "\\u0041", " ", "<&\"'>", "\ufffe"])
NUMBERS = st.integers(-(2**70), 2**70) | st.decimals(allow_nan=False, allow_infinity=False)
ANY = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def scalar(definition: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What the JSON Schema lets pass: new codes too, and days that no calendar has."""
    codes = st.sampled_from(definition.get(KNOWN_CODES, ("",)))
    match definition["type"]:
        case [*_]:
            return TEXTS | NUMBERS | st.booleans()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(-(2**70), 2**70) | (codes if KNOWN_CODES in definition else st.nothing())
        case "number":
            return NUMBERS
        case _ if "pattern" in definition:
            return st.from_regex(definition["pattern"])
        case _ if "format" in definition:
            return st.dates().map(str) | st.datetimes().map(lambda day: day.isoformat() + "Z") | st.just("2026-02-30")
        case _:
            return codes | TEXTS


@st.composite
def document(draw: st.DrawFn, vocabulary: Vocabulary, definition: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    definition = vocabulary.resolved(definition)
    if "items" in definition:
        items = document(vocabulary, definition["items"])
        return draw(st.lists(items, max_size=min(2, definition.get("maxItems", 2))))
    if "properties" not in definition:
        return draw(scalar(definition))
    names = list(definition["properties"])
    some = draw(st.lists(st.sampled_from(names), unique=True, max_size=4)) if names else []
    chosen = {*some, *definition.get("required", ())}
    known = {name: draw(document(vocabulary, definition["properties"][name])) for name in names if name in chosen}
    return known | draw(st.just({}) | st.dictionaries(TEXTS.filter(lambda text: text not in names), ANY, max_size=1))


@cache
def schema(path: str) -> etree.XMLSchema:
    """The schema with an element for each of its types, named as the type is."""
    vocabulary = VOCABULARIES[path]
    elements = "".join(f'<xs:element name="{name}" type="v:{name}"/>' for at, name in TYPES if at == path)
    text = (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:v="{vocabulary.namespace}">'
        f'<xs:import namespace="{vocabulary.namespace}" schemaLocation="{(typed_xsd.XSD / path).as_uri()}"/>'
        f"{elements}</xs:schema>"
    )
    return etree.XMLSchema(etree.fromstring(text))


def written(vocabulary: Vocabulary, value: object, name: str) -> _Element:
    return etree.fromstring(vocabulary.written(value, name, name))


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - JSON
    """Equal as JSON: `True` is no number. A number's digits count, but 1.0 may come back as the integer that it is."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, str) == isinstance(other, str) and bool(one == other)


@pytest.mark.parametrize("path", typed_xsd.FILES)
def test_the_schemas_are_what_the_script_makes(path: str) -> None:
    assert (typed_xsd.XSD / path).read_text(encoding="utf-8") == typed_xsd.made(path)


@pytest.mark.parametrize(("path", "name"), TYPES)
def test_nothing_is_lost_and_all_is_valid(path: str, name: str) -> None:
    vocabulary = VOCABULARIES[path]

    @settings(max_examples=15, deadline=None, database=None)
    @given(document(vocabulary, vocabulary.definitions[name]))
    def both_ways(value: Any) -> None:  # noqa: ANN401 - JSON
        element = written(vocabulary, value, name)
        # A question needs its person and its period; all else can be new without a place of its own.
        if "required" not in vocabulary.definitions[name]:
            schema(path).assertValid(element)
        if path.startswith("services/fk"):  # Skatteverket is never asked in XML: of its values the types are not known
            back = vocabulary.read(element, name)
            assert same(back, value)
            again = jsongate.parse(dumps(back), unique=True, exact=True)
            assert vocabulary.written(again, name, name) == vocabulary.written(back, name, name)

    both_ways()


@given(ANY)
def test_any_json_survives_as_the_w3c_writes_it(value: Any) -> None:  # noqa: ANN401 - JSON
    assert same(w3c.read(etree.fromstring(w3c.written(value))), value)
    assert same(json.loads(dumps(value), parse_float=Decimal), value)


@pytest.mark.parametrize("alias", sorted(PERSONAS))
def test_all_that_a_persona_has_at_forsakringskassan_comes_back(alias: str) -> None:
    held = PERSONAS[alias].known_to("FK", date(2026, 3, 31))
    document = jsongate.parse((held.text or "{}").encode() if held is not None else b"{}", unique=True, exact=True)
    element = written(LEFI, document, SVAR)
    schema("services/fk/lefi_online.xsd").assertValid(element)
    assert element.find(".//{*}okant") is None
    assert same(LEFI.read(element, SVAR), document)


def test_an_empty_list_is_not_a_missing_one() -> None:
    element = written(LEFI, {"beslut": [], "avvikelser": [], "utbetalningar": [{}]}, SVAR)
    assert element.get("tomma") == "avvikelser beslut"
    assert LEFI.read(element, SVAR) == {"beslut": [], "avvikelser": [], "utbetalningar": [{}]}
    assert "tomma" not in written(LEFI, {}, SVAR).attrib


def test_what_is_new_is_kept_where_it_stands() -> None:
    value = {
        "nytt": {"a": [1, None]},
        "beslut": [{"formansgrupp": {"kod": "PM:NY", "beskrivning": "Ny"}, "beslutsid": "1"}],
        "utbetalningar": [{"utbetalningsdatum": "2026-02-30", "bruttobelopp": 10**20}],
    }
    element = written(LEFI, value, SVAR)
    places = element.iter(f"{{{LEFI.namespace}}}okant")
    assert [[child.get("key") for child in place[0]] for place in places] == [
        ["formansgrupp"],
        ["utbetalningsdatum", "bruttobelopp"],
        ["nytt"],
    ]
    assert element.findtext("{*}beslut/{*}beslutsid") == "1"
    assert element.findtext("{*}beslut/{*}okant/{*}map/{*}map/{*}string[@key='kod']") == "PM:NY"
    assert LEFI.read(element, SVAR) == value


def test_digits_are_kept() -> None:
    sent = b'{"formansinformation":{"underhallsskuld":[{"belopp":{"summa":12.50}},{"belopp":{"summa":1E+2}}]}}'
    element = written(LEFI, jsongate.parse(sent, unique=True, exact=True), SVAR)
    assert [str(summa.text) for summa in element.iter("{*}summa")] == ["12.50", "100"]
    assert dumps(LEFI.read(element, SVAR)) == sent.replace(b"1E+2", b"100")
