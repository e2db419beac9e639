"""`personas`: the made-up people whom the simulated agencies know."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from lxml import etree

from ssbtek_gateway.cli.common import FAILED, USAGE, fail
from ssbtek_gateway.recording import persons
from ssbtek_gateway.simulator import personas
from ssbtek_gateway.simulator.dates import today_in_sweden

if TYPE_CHECKING:
    from datetime import date

    from ssbtek_gateway.simulator.personas import Persona

app = typer.Typer(help="The made-up people whom the simulated agencies know.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--personas", help="A folder of personas, instead of ours.")]
Today = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day to count from, instead of today.")]


def _day(today: datetime | None) -> date:
    return today.date() if today is not None else today_in_sweden()


def _load(folder: Path, today: datetime | None) -> dict[str, Persona]:
    try:
        return personas.load(folder, _day(today))
    except personas.PersonaError as error:
        fail(str(error))


def _named(known: dict[str, Persona], alias: str) -> Persona:
    if alias not in known:
        fail(f"there is no {alias}, only {', '.join(known)}", USAGE)
    return known[alias]


@app.command("list")
def list_(folder: Folder = personas.FOLDER) -> None:
    """List alias, personidentitet (a test number), which agencies know them, and who they are.

    Exit codes: 0 listed, 1 a persona cannot be used.

    Example: `ssbtek-gateway personas list`
    """
    known = _load(folder, None)
    width = max(map(len, known))
    for alias, persona in known.items():
        agencies = " ".join([*persona.held, *(f"{code}={fault}" for code, fault in persona.faults.items())])
        typer.echo(f"{alias:{width}}  {persona.person.reveal()}  {persona.beskrivning} [{agencies}]")


@app.command()
def show(
    alias: Annotated[str, typer.Argument(help="Whom.")], folder: Folder = personas.FOLDER, today: Today = None
) -> None:
    """Show what each agency knows about them, as XML, with days and other people's numbers filled in.

    Exit codes: 0 shown, 1 a persona cannot be used, 2 there is no such persona.

    Example: `ssbtek-gateway personas show sambo-ett --today 2026-03-31`
    """
    persona = _named(_load(folder, today), alias)
    for code in persona.held:
        held = persona.known_to(code, _day(today))
        if held is not None:
            held.tail = None
            typer.echo(etree.tostring(held, encoding="unicode"))


@app.command()
def validate(
    folder: Annotated[Path, typer.Argument(help="A folder of personas.")] = personas.FOLDER, today: Today = None
) -> None:
    """Check every persona against the agencies' schemas; a flaw is told with file, line and rule.

    Exit codes: 0 all can be used, 1 one cannot.

    Example: `ssbtek-gateway personas validate my-personas --today 2026-03-31`
    """
    typer.echo(f"{folder}: {len(_load(folder, today))} personas can be used")


@app.command()
def new(
    alias: Annotated[str, typer.Argument(help="What they shall be called: a-z, digits and hyphens.")],
    out: Annotated[Path, typer.Option(help="Your folder of personas.", show_default=False)],
    like: Annotated[str, typer.Option(help="The persona of ours to begin from.")] = "inget",
    born: Annotated[int | None, typer.Option(help="About which year they were born.")] = None,
) -> None:
    """Write ALIAS.xml, a persona to go on from, with a test number that nobody in that folder has.

    Exit codes: 0 written, 1 it cannot be written, 2 there is no such persona to begin from.

    Example: `ssbtek-gateway personas new anna --out my-personas --like student --born 1985`
    """
    if not alias.replace("-", "").isalnum() or not alias.isascii() or alias != alias.lower():
        fail("an alias is a-z, digits and hyphens", USAGE)
    model = _named(_load(personas.FOLDER, None), like)
    file = out / f"{alias}.xml"
    try:
        out.mkdir(parents=True, exist_ok=True)
        taken = {personas.read(other, other.read_bytes()).person.reveal() for other in out.glob("*.xml")}
        free = [number for number in persons.read() if number not in taken]
        year = born if born is not None else int(model.person.reveal()[:4])
        number = min(free, key=lambda one: abs(int(one[:4]) - year))
        text = model.file.read_text(encoding="utf-8").replace(f'alias="{like}"', f'alias="{alias}"', 1)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text.replace(model.person.reveal(), number))
    except personas.PersonaError as error:
        fail(str(error), FAILED)
    except OSError as error:
        fail(f"{file}: {error.strerror}", FAILED)
    typer.echo(f"{file}: {number}")
