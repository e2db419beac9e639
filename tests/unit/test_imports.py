"""The shape of the package: what may import what, where XML is parsed, and how long a module may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "ssbtek_gateway"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
LONGEST = 400

# Imports point one way (design.md): a part may import what stands on its own line or above, never below. The first two
# lines are values and helpers that know nothing of a question's way.
LAYERS = [
    ["model", "__version__"],
    [
        "faults",
        "background",
        "xmlgate",
        "jsongate",
        "json_xml",
        "resources",
        "tls",
        "config",
        "connection",
        "devpki",
        "families",
        "metrics",
        "observe",
        "postgresql_url",
        "revocation",
        "sockets",
        "certificates",
    ],
    [
        "contracts",
        "services",
        "authorisation",
        "admission",
        "rates",
        "redis_pool",
        "closing",
        "fanout",
        "assembly",
        "audit",
        "resilience",
        "wssecurity",
        "health",
    ],
    ["oversikt", "telemetry", "summary"],
    ["flow"],
    ["inbound"],
    ["materials"],
    ["gateway", "client", "tracing"],
    ["supervisor", "worker"],
    ["cli", "__main__"],
]
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
# Not on a question's way; what they may import is said below.
BESIDE = {"simulator", "recording", "replay", "soapui", "load", "testing", "lefi_xml", "__init__"}
SIMULATOR_MAY = {"model", "xmlgate", "resources", "tls", "simulator"}
PARSING = {
    "XMLParser",
    "HTMLParser",
    "XMLPullParser",
    "iterparse",
    "parse",
    "fromstring",
    "fromstringlist",
    "XML",
    "HTML",
    "XMLID",
}
XML_MODULES = ("lxml", "xml.etree", "xml.sax", "xml.dom", "xml.parsers", "defusedxml")


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


@cache
def imported(module: str) -> frozenset[str]:
    """The dotted names that a module imports, under TYPE_CHECKING too: `from a import b` gives `a.b`."""
    names = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def part(name: str) -> str:
    """The part of the package that a dotted name or a path lies in: `ssbtek_gateway.audit.store` is in `audit`."""
    return name.removeprefix("ssbtek_gateway.").removesuffix(".py").replace("/", ".").partition(".")[0]


def parts_imported(module: str) -> set[str]:
    return {part(name) for name in imported(module) if name.startswith("ssbtek_gateway.")}


def imports(module: str, library: str) -> bool:
    return any(name == library or name.startswith(f"{library}.") for name in imported(module))


def test_the_modules_are_found() -> None:
    assert {"model.py", "inbound/soap.py", "services/soap.py"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    own = part(module)
    if own in BESIDE:
        return
    assert own in RANK, f"{own} has no layer: give it one in LAYERS"
    allowed = {other for other, rank in RANK.items() if rank <= RANK[own]} | (BESIDE if own == "cli" else set())
    assert parts_imported(module) <= allowed


def test_the_model_imports_nothing_of_ours() -> None:
    assert parts_imported("model.py") == set()
    assert parts_imported("faults.py") == {"model"}


@pytest.mark.parametrize(
    ("library", "where"),
    [
        ("spyne", {"inbound/soap.py"}),
        ("zeep", {"services/soap.py", "client.py"}),
        ("uvicorn", {"inbound/server.py", "inbound/protocol.py", "simulator/server.py"}),
        ("aiohttp", {"services/transport.py"}),
        ("redis", {"redis_pool.py", "rates.py", "materials.py"}),
        ("prometheus_client", {"families.py", "metrics.py"}),
        ("opentelemetry", {"tracing.py"}),
        ("typer", {module for module in MODULES if module.startswith("cli/")}),
        ("psycopg", {"audit/backend.py"}),
        ("alembic", {module for module in MODULES if module.startswith("audit/migra")}),
        ("rich", {module for module in MODULES if module.startswith("cli/")}),
    ],
)
def test_each_library_is_imported_in_its_place_only(library: str, where: set[str]) -> None:
    shims = {module for module in MODULES if module.startswith(f"inbound/_{library}")}
    assert {module for module in MODULES if imports(module, library)} <= where | shims


@pytest.mark.parametrize("module", MODULES)
def test_xml_is_parsed_in_the_gate_only(module: str) -> None:
    aliases = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (node.module or "" if isinstance(node, ast.ImportFrom) else alias.name).startswith(XML_MODULES)
    }
    called = {
        f"{node.attr} in line {node.lineno}"
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and node.attr in PARSING
        if isinstance(node.value, ast.Name) and node.value.id in aliases
    }
    if module == "xmlgate.py":
        assert any(name.startswith("XMLParser") for name in called)
    else:
        assert called | (aliases & PARSING) == set()


# The plugin is loaded by every run of pytest wherever this is installed.
@pytest.mark.parametrize(
    ("module", "needed", "there"), [("supervisor.__main__", "asyncio", "sys"), ("testing", "subprocess", "pytest")]
)
def test_what_must_be_small_imports_the_standard_library_only(module: str, needed: str, there: str) -> None:
    # What this interpreter loads by itself, an editable installation among it, does not count.
    code = (
        f"import sys, {there}; own = set(sys.modules) - {{{needed!r}}}; import ssbtek_gateway.{module}; "
        "print(*set(sys.modules) - own)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in printed.split()}
    assert needed in loaded
    assert loaded - sys.stdlib_module_names == {"ssbtek_gateway"}


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("cli/")])
def test_the_command_line_is_imported_by_the_entry_point_only(module: str) -> None:
    assert module == "__main__.py" or "cli" not in parts_imported(module)


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("simulator/")])
def test_the_simulator_is_no_mirror_of_what_it_tests(module: str) -> None:
    assert parts_imported(module) <= SIMULATOR_MAY


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_long(module: str) -> None:
    assert len((PACKAGE / module).read_text(encoding="utf-8").splitlines()) <= LONGEST
