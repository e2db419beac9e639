"""The documentation agrees with the code: felkoder, reasons in the log, links, commands, and the example question."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path
from string import Template

import pytest
import typer
from unit.builders import CONTRACT, operation

from ssbtek_gateway import cli, metrics
from ssbtek_gateway.families import Counter
from ssbtek_gateway.faults import SECTION, WHOLE_QUESTION
from ssbtek_gateway.inbound import framing

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
ERRORS = DOCS / "errors"
FELKODER = sorted(WHOLE_QUESTION.keys() | SECTION.keys())
PAGES = sorted(DOCS.rglob("*.md"))
READABLE = [TOP / "README.md", *PAGES, *sorted((TOP / "examples").rglob("*.md"))]
MODULES = sorted(
    path for path in (TOP / "ssbtek_gateway").rglob("*.py") if not {"simulator", "cli", "replay"} & set(path.parts)
)

_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
# A word after the program's name where a command is shown: at the start of a line, or of a piece of code.
_COMMAND = re.compile(r"(?:^[ $]*|`)ssbtek-gateway ([a-z][a-z-]*)", re.MULTILINE)

# Which argument is the text for the log.
_PLACES = {"XmlError": 1, "JsonError": 0, "_fault": 1, "refused": 0, "SecurityError": 1}


def name_of(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    return _FENCED.sub("", read(path))


def anchors(path: Path) -> set[str]:
    """The fragments that a page's headings make: lower case, without punctuation, hyphens for spaces."""
    return {
        re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-") for heading in _HEADING.findall(prose(path))
    }


def reasons(module: Path) -> set[str]:
    """The fixed texts that the module writes for the log: by keyword, by assignment, and by place."""
    values = []
    for node in ast.walk(ast.parse(read(module))):
        if isinstance(node, ast.Call):
            values += [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            place = _PLACES.get(ast.unparse(node.func).rpartition(".")[2])
            values += node.args[place : place + 1] if place is not None else []
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "reason":
            values.append(node.value)
    found = {value.value for value in values if isinstance(value, ast.Constant)}
    return {reason for reason in found if isinstance(reason, str) and reason}


def test_there_is_something_to_test() -> None:
    assert len(FELKODER) > 15
    assert len(PAGES) > len(FELKODER)
    found = set[str]().union(*map(reasons, MODULES))
    assert {"DOCTYPE", "not JSON", "no Envelope", "ingivare is not in the register"} <= found
    assert {
        "not in the organisation's bastjanster",
        "no such base service in the configuration",
        "the question's deadline",
    } <= found


def test_every_felkod_has_a_page_and_every_page_is_of_a_felkod() -> None:
    assert sorted(path.stem for path in ERRORS.glob("*.md") if path.stem != "index") == FELKODER


@pytest.mark.parametrize("felkod", FELKODER)
def test_a_page_is_titled_by_its_felkod_linked_and_ends_with_a_line_for_operators(felkod: str) -> None:
    page = read(ERRORS / f"{felkod}.md")
    assert re.match(rf"# {felkod}\b", page)
    assert page.rstrip().rpartition("\n\n")[2].startswith("For operators: ")
    assert f"({felkod}.md)" in read(ERRORS / "index.md")


@pytest.mark.parametrize(("table", "heading"), [(WHOLE_QUESTION, "Hela frågan"), (SECTION, "Ett avsnitt")])
def test_the_index_lists_each_situation_of_a_felkod(table: dict[str, object], heading: str) -> None:
    rows = read(ERRORS / "index.md").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"\]\((\w+)\.md\)", rows)) == sorted(table)


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_reason_in_the_log_is_explained(module: Path) -> None:
    explained = " ".join(" ".join(read(path).split()) for path in ERRORS.glob("*.md"))
    # An invisible caller has no page; a reason that the log names with its field is listed under that field.
    own = {reason.removeprefix("lefiJsonFraga: ") for reason in reasons(module)} - {
        "the caller closed before the whole message had come",
    }
    assert {reason for reason in own if reason not in explained} == set()


def events() -> dict[str, set[str]]:
    """The events that the code logs, each with the names of what it says."""
    found: dict[str, set[str]] = {}
    for path in (TOP / "ssbtek_gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.Call) and re.fullmatch(r"_LOG\.\w+|observe\.point|log", ast.unparse(node.func)):
                event = node.args[0]
                if isinstance(event, ast.Constant):
                    names = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
                    found.setdefault(str(event.value), set()).update(names)
    return found


def test_every_event_in_the_log_stands_on_its_page_with_what_it_says() -> None:
    page = read(DOCS / "operate" / "log.md")
    rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}
    assert {"answered", "fault", "request-in", "spans-lost"} <= set(events())
    assert set(rows) == set(events()) | {"log-lost"}
    assert {
        (event, name) for event, names in events().items() for name in names if f"`{name}`" not in rows[event]
    } == set()


def test_every_metric_stands_on_its_page_with_its_labels_and_no_other_does() -> None:
    page = read(DOCS / "operate" / "metrics.md")
    names = {re.match(r"\| `(\w+)`", row)[1]: row for row in page.splitlines() if row.startswith("| `")}  # type: ignore[index]
    shown = {
        f"{family.name}_total" if isinstance(family, Counter) else family.name: family for family in metrics.FAMILIES
    }
    assert set(names) == set(shown)
    for name, family in shown.items():
        assert re.findall(r"`(\w+)`", names[name].split("|")[2]) == list(family.labels)
    # The alerts, too.
    used = {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"ssbtek_\w+", page)}
    assert used == set(shown)


def test_every_refusal_without_soap_is_listed() -> None:
    listed = read(ERRORS / "index.md").partition("\n## HTTP-svar utan SOAP\n")[2]
    calls = [
        node.args
        for name in ("app", "framing")
        for node in ast.walk(ast.parse(read(TOP / "ssbtek_gateway" / "inbound" / f"{name}.py")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "HttpError"
    ]
    texts = [(ast.unparse(args[0]), str(args[1].value)) for args in calls if isinstance(args[1], ast.Constant)]
    assert len(texts) > 10
    for status, text in [*texts, *framing.UNREADABLE_TEXTS.items()]:
        assert f"| {status} | {text} |" in listed


@pytest.mark.parametrize("path", READABLE, ids=name_of)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    broken = []
    for link in _LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, fragment = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (fragment and fragment not in anchors(file)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", READABLE, ids=name_of)
def test_every_command_that_is_shown_exists(path: Path) -> None:
    known = set(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined] # a group has them
    assert {"serve", "ask"} <= known
    assert set(_COMMAND.findall(read(path))) - known == set()


def test_the_example_question_follows_the_contract() -> None:
    (envelope,) = re.findall(r"<<SLUT\n(.*?)\nSLUT$", read(DOCS / "integration.md"), re.DOTALL | re.MULTILINE)
    today = date(2026, 3, 31)
    lefi = "eyJwZXJzb25udW1tZXIiOiAiMTkxMjEyMTIxMjEyIn0="  # about the same person, as the shell writes it
    element = operation(Template(envelope).substitute(FRAN=today, TOM=today, LEFI=lefi))
    CONTRACT.check_question(element)
    assert tuple(CONTRACT.read_question(element).perioder) == CONTRACT.sections
