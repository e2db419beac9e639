"""`record`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

from ssbtek_gateway import gateway, materials, observe
from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.cli.common import USAGE, fail, run
from ssbtek_gateway.cli.serve import ConfigFile, load
from ssbtek_gateway.recording import persons
from ssbtek_gateway.recording.listening import listening
from ssbtek_gateway.recording.recorder import Recorder, RecordingError
from ssbtek_gateway.services.service import today


def record(
    config_file: ConfigFile,
    out: Annotated[Path, typer.Option(help="A folder for the fixtures: empty, or not there yet.", show_default=False)],
    test_numbers: Annotated[
        Path, typer.Option(help="Skatteverket's list of test numbers; a line begins with twelve digits.")
    ] = persons.SHIPPED,
) -> None:
    """Answer questions as `serve` does, in one process, and keep questions and answers of both sides as fixtures.

    Nothing is written before personal numbers have become Skatteverket's test numbers and names, addresses, accounts
    and registration numbers others; a question in which an original would survive is not written at all. Refused where
    `miljo` is "produktion". A report says what was replaced.

    Exit codes: 0 stopped, 1 it cannot listen, open the audit or write, 2 the configuration, list or folder cannot be
    used.

    Example: `ssbtek-gateway record --config examples/development.toml --out recorded`
    """
    settings = load(config_file)
    try:
        recorder = Recorder(settings, out, persons.read(test_numbers), today())
    except (RecordingError, persons.NumbersError) as error:
        fail(f"record: {error}", USAGE)
    observe.configure(four_points=settings.log.points)
    typer.echo(f"recording to {out}; Ctrl-C ends it", err=True)
    try:
        run(gateway.serve(settings, recorded=listening(settings, recorder)))
    except (materials.SetupError, AuditError) as error:
        fail(f"{config_file}: {error}")
    finally:
        told = recorder.report()
    typer.echo(f"{told['questions']} questions in {out}")
    for part in ("replaced", "refused"):
        for what, count in told[part].items():
            typer.echo(f"  {part:9} {count:6}  {what}")
