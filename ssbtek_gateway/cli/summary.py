"""An answer of the typed contract on a terminal or, as plain text, in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from ssbtek_gateway.cli.common import printable
from ssbtek_gateway.summary import KAN_EJ_AVGORAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from ssbtek_gateway.summary import Line, Summary

_ALERT = "bold white on red"
_ALL_MONTHS = "alla"


def print_summary(summary: Summary, console: Console) -> None:
    """Print it in the order in which it is to be read."""
    for who in summary.skyddade:
        console.print(_text(f"!!! SKYDDADE PERSONUPPGIFTER: {who} !!!", _ALERT))
    _table(
        console,
        "Vem som har svarat",
        ("Vem", "Bedömning", "Skäl", "Kontakt"),
        [(one.vem, one.bedomning, one.skal, one.kontakt) for one in summary.bedomningar],
    )
    silent = [(_ALL_MONTHS, name, KAN_EJ_AVGORAS, KAN_EJ_AVGORAS) for name in summary.ofullstandiga]
    lacking = dict.fromkeys(summary.ofullstandiga, " (fler kan finnas)")
    months = [
        (one.manad, one.utbetalare, one.utbetalt + lacking.get(one.utbetalare, ""), one.kommande)
        for one in summary.manader
    ]
    _table(
        console,
        "Utbetalningar per månad och utbetalare, netto",
        ("Månad", "Utbetalare", "Utbetalt", "Ännu inte utbetalt"),
        silent + months,
    )
    _table(
        console,
        "Varje utbetalning",
        ("Datum", "Utbetalare", "Läge", "Avser", "Netto", "Därav och därtill"),
        [
            (one.datum, one.utbetalare, one.lage, f"{one.avser} {one.period}".strip(), one.belopp, one.ovrigt)
            for one in summary.utbetalningar
        ],
    )
    _table(
        console,
        "Beslut",
        ("Period", "Vem", "Slag", "Belopp", "Omfattning", "Anmärkning"),
        [(one.period, one.vem, one.slag, one.belopp, one.omfattning, one.anmarkning) for one in summary.beslut],
    )
    _lines(console, "Avstängningar", summary.avstangningar)
    _lines(console, "Ansökt om ersättning", summary.ansokningar)
    _lines(console, "Arbetssökande, fordon, uppehållstillstånd och skatt", summary.uppgifter)
    _lines(console, "Finns i svaret men visas inte här (antal; --output xml visar allt)", summary.ovrigt)


def _table(console: Console, title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*names, title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*(_text(cell, _ALERT if cell.startswith(KAN_EJ_AVGORAS) else "") for cell in row))
    # A heading without rows would read as an answer.
    if table.row_count:
        console.print(table)


def _lines(console: Console, title: str, lines: Sequence[Line]) -> None:
    _table(console, title, ("Vem", "Uppgift"), [(line.vem, line.text) for line in lines])


def _text(text: str, style: str = "") -> Text:
    """What an agency wrote is neither markup nor a command to the terminal."""
    return Text(printable(text), style=style)
