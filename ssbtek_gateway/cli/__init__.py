"""The command line: one module for each group of commands. Imported only by `__main__`."""

from __future__ import annotations

import typer

from ssbtek_gateway.cli import (
    ask,
    audit,
    demo,
    explain,
    fixtures,
    load,
    personas,
    ping,
    pki,
    purge,
    record,
    replay,
    serve,
    simulate,
    usage,
)

app = typer.Typer(
    help="SSBTEK: en fråga om en person, ett samlat svar. One question about one person, one combined answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command()(serve.serve)
app.command()(serve.check_config)
app.command()(ping.ping)
app.command()(explain.explain)
app.command()(simulate.simulate)
app.command()(ask.ask)
app.command()(replay.replay)
app.command()(record.record)
app.command()(load.load)
app.command()(demo.demo)
audit.app.command()(purge.purge)
app.add_typer(audit.app, name="audit")
app.add_typer(fixtures.app, name="fixtures")
app.add_typer(personas.app, name="personas")
app.command()(usage.usage)
app.command()(pki.dev_pki)
