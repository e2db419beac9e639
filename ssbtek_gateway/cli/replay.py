"""`replay`."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ssbtek_gateway.cli.common import FAILED, USAGE, fail
from ssbtek_gateway.cli.options import Authority, Certificate, Key  # noqa: TC001 - typer reads them at run time
from ssbtek_gateway.connection import SetupError
from ssbtek_gateway.replay import ignores as ignoring
from ssbtek_gateway.replay.compare import Result, judge
from ssbtek_gateway.replay.fixtures import FixtureError, read
from ssbtek_gateway.replay.send import Sender, SendError

if TYPE_CHECKING:
    from ssbtek_gateway.replay.fixtures import Fixture
    from ssbtek_gateway.replay.ignores import Ignore
    from ssbtek_gateway.replay.walk import Difference

# How much of a long value is shown, and how much of it from before the first difference.
_SHOWN, _BEFORE = 120, 30


def replay(
    folder: Annotated[
        Path, typer.Argument(help="Where NAME.request.xml and NAME.response.xml are, folders in it included.")
    ],
    url: Annotated[str, typer.Option(help="Where the questions are sent.")] = "https://127.0.0.1:8443/ssbt/10",
    ca: Authority = Path("certs/dev/ca.pem"),
    cert: Certificate = Path("certs/dev/client.pem"),
    key: Key = Path("certs/dev/client.key"),
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
) -> None:
    """Send stored questions again and compare the answers with the stored ones.

    Answers are compared as canonical XML: prefixes, the order of attributes and white space between elements do not
    matter. Left out are a fault's händelse-id, what `--ignore` says, and what an `ignore.txt` beside the files says.

    **The output shows values from the answers: replay questions about test persons only.**

    Exit codes: 0 all equal, 1 some differ or got no answer, 2 a mistake in the call or in the folder.

    Example: `ssbtek-gateway replay tests/conformance/questions/10/client --url https://127.0.0.1:8443/ssbt/10`
    """
    try:
        ignores = (*ignoring.DEFAULT, *ignoring.compiled(ignore or (), ignoring.namespaces(namespace or ())))
        fixtures = read(folder)
        with Sender(url, ca, cert, key) as sender:
            results = [_told(_replayed(fixture, sender, ignores)) for fixture in fixtures]
    except ignoring.IgnoreError as error:
        fail(f"ignore: {error}", USAGE)
    except (FixtureError, SetupError) as error:
        fail(str(error), USAGE)
    words = Counter(map(_word, results))
    typer.echo(
        f"{len(results)} questions: {words['ok']} ok, {words['differs']} differ, {words['error']} without answer"
    )
    if not all(result.equal for result in results):
        raise typer.Exit(FAILED)


def _replayed(fixture: Fixture, sender: Sender, ignores: tuple[Ignore, ...]) -> Result:
    try:
        reply = sender.post(fixture.request, fixture.charset)
    except SendError as error:
        return Result(fixture.name, error=str(error))
    return judge(fixture, reply, ignores)


def _word(result: Result) -> str:
    if result.error is not None:
        return "error"
    return "ok" if result.equal else "differs"


def _told(result: Result) -> Result:
    typer.echo(f"{_word(result):8} {result.name}{f': {result.error}' if result.error else ''}")
    for difference in result.differences:
        stored, answered = _clipped(difference)
        typer.echo(f"         {difference.location}\n           stored   {stored}\n           answered {answered}")
    return result


def _clipped(difference: Difference) -> tuple[str, str]:
    """Both values round the first place where they differ, control characters escaped."""
    both = zip(difference.stored or "", difference.answered or "", strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
    start = max(0, same - _BEFORE)

    def clipped(value: str | None) -> str:
        if value is None:
            return "(nothing)"
        part = value[start : start + _SHOWN]
        return f"{'…' if start else ''}{part!r}{'…' if start + _SHOWN < len(value) else ''}"

    return clipped(difference.stored), clipped(difference.answered)
