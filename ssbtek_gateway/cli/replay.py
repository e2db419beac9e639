"""`replay`."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track

from ssbtek_gateway import connection
from ssbtek_gateway.cli.common import FAILED, USAGE, fail, printable
from ssbtek_gateway.cli.options import Authority, Certificate, Key  # noqa: TC001 - typer reads them at run time
from ssbtek_gateway.cli.table import print_table
from ssbtek_gateway.load import target
from ssbtek_gateway.replay import ignores as ignoring
from ssbtek_gateway.replay import junit, report, told, update
from ssbtek_gateway.replay.fixtures import RESPONSE, Fixture, FixtureError, read
from ssbtek_gateway.replay.run import Target, replayed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ssbtek_gateway.replay.compare import Result
    from ssbtek_gateway.replay.ignores import Ignore

_REPORTS = "Reports"
_UPDATE = "Stored answers"


def replay(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Where NAME.request.xml, NAME.response.xml and NAME.toml are, folders in it included.",
            show_default=False,
        ),
    ],
    url: Annotated[str, typer.Option(help="Where the questions are sent.")] = "https://127.0.0.1:8443/ssbt/10",
    ca: Authority = Path("certs/dev/ca.pem"),
    cert: Certificate = Path("certs/dev/client.pem"),
    key: Key = Path("certs/dev/client.key"),
    at_once: Annotated[int, typer.Option(help="Questions under way at once.", min=1, max=64)] = 4,
    allow_host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Ask this host although it says that it is production.")
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="XPATH",
            help="Leave this out of the comparison: an element or attribute wherever it is, or the value of a text. "
            "Repeat for several.",
        ),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(metavar="PREFIX=URI", help="A prefix that the XPaths of `--ignore` use. Repeat for several."),
    ] = None,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", help="Write JUnit XML here.", rich_help_panel=_REPORTS)
    ] = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", help="Write one HTML page here, answers side by side.", rich_help_panel=_REPORTS),
    ] = None,
    rewrite: Annotated[
        bool,
        typer.Option(
            "--update", help="Store the answers that came, after showing what changes.", rich_help_panel=_UPDATE
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before `--update` writes.", rich_help_panel=_UPDATE)
    ] = False,
) -> None:
    """Send stored questions again and compare the answers with the stored ones, at any endpoint of SSBTEK.

    Answers are compared as canonical XML: prefixes, the order of attributes and white space between elements do not
    matter. Documents within them, in base64 or as text, are opened. Left out are a fault's händelse-id, and what
    `--ignore`, an `ignore.txt` beside the files and a fixture's NAME.toml say.

    **Output, reports and stored answers show values: replay questions about test persons only.** A service that says
    that it is production (`miljo`, a header of its WSDL) is refused, unless `--allow-host` repeats its name.

    Exit codes: 0 all equal, or stored now; 1 some differ or got no answer; 2 a mistake in the call or in the folder.

    Examples: `ssbtek-gateway replay tests/conformance/questions/10/client`,
    `ssbtek-gateway replay fixtures --url https://test.example/ssbt/11 --ca ca.pem --cert our.pem --key our.key
    --junit replay.xml --html replay.html`,
    `ssbtek-gateway replay fixtures --update`
    """
    try:
        ignores = (
            *ignoring.DEFAULT,
            *ignoring.compiled(ignore or (), ignoring.namespaces(namespace or ()), "--ignore"),
        )
        fixtures = read(folder, unanswered=rewrite)
        connection.context(url, ca, cert, key)
        _demand_allowed(url, ca, cert, key, allow_host)
        coming = replayed(fixtures, Target(url, ca, cert, key), ignores, at_once)
        results = sorted(_watched(coming, len(fixtures)), key=lambda result: result.name)
    except ignoring.IgnoreError as error:
        fail(f"ignore: {error}", USAGE)
    except (FixtureError, connection.SetupError, target.ProductionError) as error:
        fail(str(error), USAGE)
    _tell(results)
    shown = printable(str(folder))
    if junit_file:
        _write(junit_file, junit.document(results, printable(folder.resolve().name)))
    if html_file:
        now = datetime.now().astimezone().isoformat(" ", "seconds")
        _write(html_file, report.page(results, shown, printable(url), now))
    unequal = [result for result in results if not result.equal]
    if unequal and rewrite:
        unequal = _stored(folder, fixtures, unequal, ignores, yes=yes)
    if unequal:
        raise typer.Exit(FAILED)


def _demand_allowed(url: str, ca: Path, cert: Path, key: Path, allow_host: str | None) -> None:
    """Raise `ProductionError` where the service says that it is production. Other implementations say nothing."""
    try:
        named = target.environment(url, ca, cert, key)
    except target.TargetError:
        return  # each question will tell why it cannot be reached
    if named == "produktion":
        target.demand_allowed(url, named, allow_host)


def _watched(coming: Iterator[Result], total: int) -> Iterator[Result]:
    """The same with a progress bar, where somebody watches."""
    console = Console(stderr=True)
    return iter(track(coming, "asking", total, console=console, transient=True, disable=not console.is_terminal))


def _tell(results: Sequence[Result]) -> None:
    rows = [
        (
            told.word(result),
            result.name,
            f"{1000 * result.seconds:.0f}",
            str(len(result.differences)),
            str(len(result.ignored)),
        )
        for result in results
    ]
    print_table([("result", "question", "ms", "differences", "rules used"), *rows], Console())
    for result in results:
        if not result.equal:
            typer.echo(f"{told.word(result)}: {result.name}")
            for line in told.details(result):
                typer.echo(f"  {line}")
    used = Counter((ignored.expression, ignored.source) for result in results for ignored in result.ignored)
    if used:
        typer.echo("left out of the comparison:")
    for (expression, source), number in used.items():
        typer.echo(f"  in {number} of {len(results)} answers: {printable(expression)} ({source})")
    typer.echo(told.summary(results))


def _write(path: Path, content: bytes) -> None:
    try:
        update.write(path, content)
    except OSError as error:
        fail(f"{path}: {error.strerror}", USAGE)


def _stored(
    folder: Path, fixtures: Sequence[Fixture], unequal: Sequence[Result], ignores: Sequence[Ignore], *, yes: bool
) -> list[Result]:
    """Write the answers that came, if wanted; those that remain unequal."""
    by_name = {fixture.name: fixture for fixture in fixtures}
    content = {
        result.name: update.acceptable(by_name[result.name], result.reply, ignores)
        for result in unequal
        if result.reply is not None
    }
    writable = {name: each for name, each in content.items() if each is not None}
    for result in unequal:
        if result.name not in writable:
            typer.echo(f"cannot be stored: {result.name}")
    if not writable or not (yes or typer.confirm(f"Write {len(writable)} stored answers?")):
        return list(unequal)
    for name, each in writable.items():
        _write(folder / f"{name}{RESPONSE}", each)
    typer.echo(f"{len(writable)} stored answers written")
    return [result for result in unequal if result.name not in writable]
