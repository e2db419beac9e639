"""The published schemas and WSDLs agree with the contract facts, explain themselves in Swedish, and load in tools."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
import zeep
from contract import typed_xsd
from contract.contract_model import XS, differences, model
from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "tests" / "contract" / "facts"
# Not an XML Schema (lefi-9, see test_lefi_schema.py) and no schema (wsdl).
NO_SCHEMA_FACTS = {"lefi-9", "wsdl"}
SCHEMA_FACTS = sorted(path.stem for path in FACTS.glob("*.yaml") if path.stem not in NO_SCHEMA_FACTS)
SCHEMAS = sorted((ROOT / "xsd").rglob("*.xsd"))
# Made by a script, with the published names however long and as often as they stand: what they say of each is in TERMS.
MADE = {typed_xsd.XSD / file for file in typed_xsd.FILES}
# Where what stands in a type is told by the names of types.
BY_TYPE = {*MADE, ROOT / "xsd" / "json" / "xpath-functions.xsd"}
# Of no agency and no published contract.
OURS = {*BY_TYPE, ROOT / "xsd" / "ssbtek" / "1" / "ssbtek.xsd"}
COMBINED_WSDLS = sorted((ROOT / "wsdl" / "ssbt").rglob("*.wsdl"))
# LEFI Online over SOAP: no element of it is published, so it stands in no facts, and its shape is that of its REST.
LEFI_WSDL = ROOT / "wsdl" / "services" / "lefi_online.wsdl"
SERVICE_WSDLS = sorted(path for path in (ROOT / "wsdl" / "services").glob("*.wsdl") if path != LEFI_WSDL)
TYPED_WSDL = ROOT / "wsdl" / "ssbtek" / "1" / "ssbtek.wsdl"
WSDLS = [*COMBINED_WSDLS, TYPED_WSDL, *SERVICE_WSDLS, LEFI_WSDL]

COMBINED_VERSIONS = [path.parent.name for path in COMBINED_WSDLS]

NS = {
    "e": "http://schemas.xmlsoap.org/soap/envelope/",
    "w": "http://schemas.xmlsoap.org/wsdl/",
    "s": "http://schemas.xmlsoap.org/wsdl/soap/",
    "x": XS,
}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NAMED = "/x:schema/x:element | //x:complexType[@name] | //x:simpleType[@name] | /x:schema"
DOCUMENTED = "//x:element[@name] | //x:attribute[@name] | //x:complexType[@name] | //x:simpleType[@name] | /x:schema"

# What stands in the SKV section of version 11, and whether the schema takes it.
DATA = "<data>e30=</data>"
ERROR = "<error><kalla>BT</kalla><felkod>404</felkod><felmeddelande>Inget funnet</felmeddelande></error>"
SKV_ANSWERS_11 = [
    ("", True),
    (f"<skattekonto>{DATA}</skattekonto>", True),
    (f"<foretagsinformation>{ERROR}</foretagsinformation><skatteuppgifter>{DATA}</skatteuppgifter>", True),
    (f"<beskattningsbilagor>{DATA}</beskattningsbilagor>{ERROR}", True),
    (ERROR, True),
    ("<skattekonto/>", False),
    (f"<skattekonto>{DATA}{ERROR}</skattekonto>", False),
    (f"<skatteuppgifter>{DATA}</skatteuppgifter><skattekonto>{DATA}</skattekonto>", False),
    ("<data><svar>x</svar></data>", False),
]
# For each base service whose schema we build a question from: the content as zeep takes it, and the children's tags.
QUESTIONS: dict[str, tuple[str, dict[str, object], list[str]]] = {
    "skv": ("beskattningsuppgifter.xsd", {"forfragan": "<inre/>"}, ["forfragan"]),
    "tns": (
        "hamtauppgifter.xsd",
        {"identifikation": {"sekel": "19", "personnummer": "1212121212"}},
        [
            "{http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1}identifikation",
            "{http://schema.transportstyrelsen.se/ssbtek/person/1}sekel",
            "{http://schema.transportstyrelsen.se/ssbtek/person/1}personnummer",
        ],
    ),
    "miv": (
        "ssbtek.xsd",
        {"query": {"personnummer": "191212121212", "ingivare": {"handlaggare": "asa01"}}},
        ["query", "personnummer", "ingivare", "handlaggare"],
    ),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def facts(stem: str) -> Any:  # noqa: ANN401 - plain data of any shape
    return yaml.safe_load((FACTS / f"{stem}.yaml").read_text(encoding="utf-8"))


def root_of(path: Path) -> etree._Element:
    return etree.parse(path, etree.XMLParser(no_network=True, resolve_entities=False)).getroot()


def find(node: etree._Element, path: str) -> list[Any]:
    found = node.xpath(path, namespaces=NS)
    assert isinstance(found, list)
    return found


def schema_of(version: str) -> Path:
    return ROOT / "xsd" / "ssbt" / version / "sammansatt_bastjanst.xsd"


def wsdl_of(version: str) -> Path:
    return ROOT / "wsdl" / "ssbt" / version / "sammansatt_bastjanst.wsdl"


def compiled(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(path, etree.XMLParser(no_network=True)))


def part_elements(wsdl: etree._Element) -> Iterator[tuple[str, str, str]]:
    """Message name, part name and the part's element as {namespace}local."""
    for part in find(wsdl, "w:message/w:part"):
        prefix, local = part.get("element").split(":")
        yield part.getparent().get("name"), part.get("name"), f"{{{part.nsmap[prefix]}}}{local}"


def test_there_is_something_to_test() -> None:
    assert len(SCHEMA_FACTS) == 8
    assert len(SCHEMAS) == 23
    assert {path.stem.upper() for path in SERVICE_WSDLS} == facts("wsdl")["upstream"].keys()
    assert [path.parent.name for path in COMBINED_WSDLS] == ["10", "11"]


@pytest.mark.parametrize("stem", SCHEMA_FACTS)
def test_schemas_agree_with_the_facts(stem: str) -> None:
    have = model([path for path in SCHEMAS if path not in OURS])
    assert [line for ns, want in facts(stem).items() for line in differences(want, have.get(ns, {}), ns)] == []


def test_the_comparison_sees_what_differs() -> None:
    want: dict[str, object] = {"a": {"occurs": "0..1"}, "b": ["x", "y"], "c": "1"}
    have: dict[str, object] = {"a": {}, "b": ["y", "x"], "d": "1"}
    assert list(differences(want, have)) == [
        "missing: a / occurs",
        "differs: b [1]: wanted x, have y",
        "differs: b [2]: wanted y, have x",
        "missing: c",
        "extra: d",
    ]


@pytest.mark.parametrize("path", SCHEMAS + WSDLS, ids=name_of)
def test_files_are_utf8_and_state_how_elements_are_qualified(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    assert path in MADE or max(map(len, text.splitlines())) < 140
    schemas = list(root_of(path).iter(f"{{{XS}}}schema"))
    assert schemas
    assert {schema.get("elementFormDefault") for schema in schemas} <= {"qualified", "unqualified"}


@pytest.mark.parametrize("path", SCHEMAS, ids=name_of)
def test_every_component_is_explained_once_in_swedish(path: Path) -> None:
    said = []
    for node in find(root_of(path), NAMED if path in BY_TYPE else DOCUMENTED):
        where = f"{path.name}:{node.sourceline} {node.get('name')}"
        texts = [doc for doc in find(node, "x:annotation/x:documentation") if doc.get(LANG) == "sv"]
        assert len(texts) == 1, where
        sentence = " ".join("".join(texts[0].itertext()).split())
        assert len(sentence.split()) > 1, where
        assert sentence.endswith("."), where
        said.append(sentence)
    assert [sentence for sentence, times in Counter(said).items() if times > 1] == []


@pytest.mark.parametrize("path", SCHEMAS, ids=name_of)
def test_schemas_compile_from_local_files_alone(path: Path) -> None:
    for location in find(root_of(path), "x:import/@schemaLocation | x:include/@schemaLocation"):
        assert "://" not in location
        assert (path.parent / location).resolve().is_relative_to(ROOT / "xsd")
    compiled(path)


@pytest.mark.parametrize("path", WSDLS, ids=name_of)
def test_no_two_schemas_are_imported_by_the_same_words(path: Path) -> None:
    # gSOAP's wsdl2h takes a schemaLocation that it has seen for the schema that it led to before, wherever it stands.
    led, waiting = dict[str, Path](), [path]
    while waiting:
        at = waiting.pop()
        for location in find(root_of(at), "//x:import/@schemaLocation | //x:include/@schemaLocation"):
            target = (at.parent / location).resolve()
            if location not in led:
                waiting.append(target)
            assert led.setdefault(location, target) == target
    assert led


@pytest.mark.parametrize("path", [*COMBINED_WSDLS, TYPED_WSDL], ids=name_of)
def test_combined_wsdl_agrees_with_the_facts(path: Path) -> None:
    want = facts("wsdl")["ssbt-N"]
    wsdl = root_of(path)
    # The typed contract is ours but for its namespace: what reads the one can read the other.
    published = want["targetNamespace"].removesuffix("N") + path.parent.name
    namespace = "urn:ssbtek-gateway:1" if path == TYPED_WSDL else published
    assert wsdl.get("targetNamespace") == namespace
    messages: dict[str, dict[str, str]] = {}
    for message, part, element in part_elements(wsdl):
        messages.setdefault(message, {})[part] = element.removeprefix(f"{{{namespace}}}")
    assert messages == want["messages"]
    for operations in ("w:portType/w:operation", "w:binding/w:operation"):
        named = {op.get("name"): find(op, "(w:input|w:output|w:fault)/@name") for op in find(wsdl, operations)}
        assert named == want["operations"]
    for op in find(wsdl, "w:portType/w:operation"):
        used = [name.partition(":")[2] for name in find(op, "(w:input|w:output|w:fault)/@message")]
        assert used == [f"{op.get('name')}{role}" for role in ("Request", "Response", "Fault")]
    assert find(wsdl, "w:portType/@name") == [want["portType"]]
    assert find(wsdl, "w:binding/@name") == [want["binding"]]
    assert find(wsdl, "w:service/@name") == [want["service"]]
    assert find(wsdl, "w:service/w:port/@name") == [want["port"]]


@pytest.mark.parametrize("version", COMBINED_VERSIONS)
def test_a_version_speaks_of_its_own_namespace_alone(version: str) -> None:
    for path in (schema_of(version), wsdl_of(version)):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"/ssbt/([0-9]+)", text)) == {version}, path
        assert f"ekonomiskt bistånd, version {version}" in text


def test_the_typed_contract_is_no_version_of_the_published_one() -> None:
    for path in (TYPED_WSDL, ROOT / "xsd" / "ssbtek" / "1" / "ssbtek.xsd"):
        text = path.read_text(encoding="utf-8")
        assert "/ssbt/" not in text
        assert "projektets eget" in " ".join(text.split())
        assert "base64" not in text


@pytest.mark.parametrize("name", ["Skatteverket", "SkatteverketFraga", "SkatteverketDelSvar", "SkatteverketSvar"])
def test_version_11_says_that_the_types_of_skatteverket_are_second_hand(name: str) -> None:
    (said,) = find(root_of(schema_of("11")), f"x:complexType[@name='{name}']/x:annotation/x:documentation/text()")
    assert "i andra hand" in said


@pytest.mark.parametrize(("skv", "valid"), SKV_ANSWERS_11)
def test_version_11_answers_part_by_part(skv: str, valid: bool) -> None:  # noqa: FBT001 - a column of the table
    namespace = facts("wsdl")["ssbt-N"]["targetNamespace"].removesuffix("N") + "11"
    name = "hamtaBastjanstInformationResponse"
    text = f'<{name} xmlns="{namespace}"><svarsdata><SKV>{skv}</SKV></svarsdata></{name}>'
    assert compiled(schema_of("11")).validate(etree.fromstring(text)) is valid


@pytest.mark.parametrize("path", SERVICE_WSDLS, ids=name_of)
def test_service_wsdl_carries_the_published_elements(path: Path) -> None:
    want = facts("wsdl")["upstream"][path.stem.upper()]
    wsdl = root_of(path)
    (operation,) = find(wsdl, "w:portType/w:operation")
    elements = {message: element for message, _, element in part_elements(wsdl)}
    roles = {"request": "w:input", "response": "w:output", "fault": "w:fault"}
    used = {role: find(operation, f"{tag}/@message") for role, tag in roles.items()}
    have = {role: elements[names[0].partition(":")[2]] for role, names in used.items() if names}
    assert have == want
    assert wsdl.get("targetNamespace") == f"urn:ssbtek-gateway:bastjanst:{path.stem}"
    assert find(wsdl, "w:service/w:port/@name")[0].endswith("Port")
    assert find(wsdl, "w:service/w:port/s:address/@location") == [f"https://127.0.0.1:8450/{path.stem}"]
    assert "projektets egen" in " ".join(find(wsdl, "w:documentation")[0].text.split())


def test_the_wsdl_of_lefi_online_has_the_operations_of_its_rest() -> None:
    wsdl, namespace = root_of(LEFI_WSDL), "urn:ssbtek-gateway:lefi-online:9"
    assert wsdl.get("targetNamespace") == namespace
    elements = {message: element for message, _, element in part_elements(wsdl)}
    operations = find(wsdl, "w:portType/w:operation")
    assert {operation.get("name") for operation in operations} == facts("lefi-9")["operations"].keys()
    for operation in operations:
        used = [elements[name.partition(":")[2]] for name in find(operation, "(w:input|w:output|w:fault)/@message")]
        name = f"{{{namespace}}}{operation.get('name')}"
        assert used == [name, f"{name}Response", f"{{{namespace}}}lefiFel"]
    assert find(wsdl, "w:service/w:port/s:address/@location") == ["https://127.0.0.1:8450/fk"]
    said = " ".join(find(wsdl, "w:documentation")[0].text.split())
    assert "projektets egen" in said
    assert "inte publikt" in said


@pytest.mark.parametrize("path", WSDLS, ids=name_of)
def test_wsdl_is_soap11_document_literal_with_empty_action(path: Path) -> None:
    wsdl = root_of(path)
    assert find(wsdl, "w:binding/s:binding/@style") == ["document"]
    assert find(wsdl, "w:binding/s:binding/@transport") == ["http://schemas.xmlsoap.org/soap/http"]
    assert set(find(wsdl, "w:binding/w:operation/s:operation/@soapAction")) == {""}
    assert set(find(wsdl, "w:binding//s:operation/@style")) <= {"document"}
    assert {node.get("use") for node in find(wsdl, "w:binding//s:body | w:binding//s:fault")} == {"literal"}
    for role in ("input", "output", "fault"):
        bound = find(wsdl, f"w:binding/w:operation/w:{role}/@name")
        assert bound == find(wsdl, f"w:portType/w:operation/w:{role}/@name")
        assert role != "fault" or bound == find(wsdl, "w:binding/w:operation/w:fault/s:fault/@name")
    assert find(wsdl, "w:service/w:port/s:address/@location")[0].startswith("https://127.0.0.1:")


@pytest.mark.parametrize("path", WSDLS, ids=name_of)
def test_zeep_loads_the_wsdl(path: Path) -> None:
    client = zeep.Client(str(path))  # type: ignore[no-untyped-call]
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    assert set(port.binding.all()) == set(find(root_of(path), "w:portType/w:operation/@name"))


@pytest.mark.parametrize("path", WSDLS, ids=name_of)
def test_zeep_knows_the_faults(path: Path) -> None:
    client: Any = zeep.Client(str(path))  # type: ignore[no-untyped-call]
    wsdl = root_of(path)
    elements = {message: element for message, _, element in part_elements(wsdl)}
    (binding,) = client.wsdl.bindings.values()
    for op in find(wsdl, "w:portType/w:operation"):
        want = {fault.get("name"): elements[fault.get("message").partition(":")[2]] for fault in find(op, "w:fault")}
        faults = binding.get(op.get("name")).faults
        have = {name: next(iter(fault.abstract.parts.values())).element.qname.text for name, fault in faults.items()}
        assert have == want


@pytest.mark.parametrize("service", QUESTIONS)
def test_zeep_builds_a_question_that_the_schema_takes(service: str) -> None:
    schema, content, tags = QUESTIONS[service]
    client: Any = zeep.Client(str(ROOT / "wsdl" / "services" / f"{service}.wsdl"))  # type: ignore[no-untyped-call]
    (operation,) = dict(client.service)
    envelope = client.create_message(client.service, operation, **content)
    # Written and read, as it travels: what counts is the namespaces that a reader sees.
    (question,) = find(etree.fromstring(etree.tostring(envelope)), "e:Body/*")
    assert question.tag == facts("wsdl")["upstream"][service.upper()]["request"]
    assert [element.tag for element in question.iterdescendants()] == tags
    compiled(ROOT / "xsd" / "services" / service / schema).assertValid(question)
