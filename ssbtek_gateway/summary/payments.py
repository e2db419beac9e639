"""Payments of Försäkringskassan, Pensionsmyndigheten, CSN and the a-kassor in one shape, and their sums by month.

Net is what was paid out: after tax and deductions. A sum is of one payer's payments in one month, and of one currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ssbtek_gateway.summary.words import amount, day, joined, kronor, money, month, period, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from decimal import Decimal

    from ssbtek_gateway.summary.section import Section

UTBETALD, PRELIMINAR, PLANERAD = "utbetald", "preliminär", "planerad"
_CSN_PAID = {"Utbetald", "UTBETALAD"}
_FK = {"utbetalningsuppgift": UTBETALD, "preliminarautbetalningar": PRELIMINAR}
_PM = {"utbetalningar": UTBETALD, "preliminaraUtbetalningar": PRELIMINAR}


@dataclass(frozen=True, slots=True, repr=False)
class Payment:
    """One payment. `netto` is None where no number says it; `ovrigt` has the other amounts."""

    datum: str
    utbetalare: str
    lage: str
    avser: str
    period: str
    netto: Decimal | None
    valuta: str
    ovrigt: str

    @property
    def belopp(self) -> str:
        """Net, in words of money."""
        return "nettobelopp saknas" if self.netto is None else kronor(self.netto, self.valuta)


@dataclass(frozen=True, slots=True, repr=False)
class MonthOfPayer:
    """What one payer pays in a month: made, and not made yet (preliminary or planned), in words of money."""

    manad: str
    utbetalare: str
    utbetalt: str
    kommande: str


def payments(section: Section) -> list[Payment]:
    """Every payment in a section."""
    match section.kod:
        case "FK":
            return [*_of_fk(section), *_of_pm(section)]
        case "CSN":
            return list(_of_csn(section))
        case "SO":
            return list(_of_so(section))
        case _:
            return []


def by_month(all_payments: Iterable[Payment]) -> list[MonthOfPayer]:
    """Sums, a row for each month and payer."""

    def key(payment: Payment) -> tuple[str, str]:
        return month(payment.datum), payment.utbetalare

    rows = []
    for (manad, utbetalare), group in groupby(sorted(all_payments, key=key), key):
        of_payer = list(group)
        made = [payment for payment in of_payer if payment.lage == UTBETALD]
        coming = [payment for payment in of_payer if payment.lage != UTBETALD]
        lagen = ", ".join(dict.fromkeys(payment.lage for payment in coming))
        kommande = f"{_sums(coming)} ({lagen})" if coming else ""
        rows.append(MonthOfPayer(manad, utbetalare, _sums(made), kommande))
    return rows


def _sums(of_payer: Sequence[Payment]) -> str:
    """The sum in each currency; payments without a number are counted beside it."""
    currencies = dict.fromkeys(payment.valuta for payment in of_payer if payment.netto is not None)
    parts = [
        kronor(total(one.netto for one in of_payer if one.netto is not None and one.valuta == valuta), valuta)
        for valuta in currencies
    ]
    without = sum(payment.netto is None for payment in of_payer)
    return " + ".join([*parts, f"{without} utan nettobelopp"] if without else parts)


def _of_fk(section: Section) -> Iterator[Payment]:
    for name, lage in _FK.items():
        for one in section.each(f"{{*}}formansinformation/{{*}}{name}"):
            others = {
                "brutto": section.money(one, "bruttobelopp"),
                "skatt": section.money(one, "skattebelopp"),
                "avdrag": section.money(one, "avdragsbelopp"),
            }
            yield Payment(
                section.text(one, "{*}datum"),
                "Försäkringskassan",
                lage,
                section.coded(one, "formansfamilj"),
                period(section.text(one, "{*}period/{*}fran"), section.text(one, "{*}period/{*}till")),
                amount(section.text(one, "{*}nettobelopp/{*}summa")),
                section.text(one, "{*}nettobelopp/{*}valuta"),
                _listed(others),
            )


def _of_pm(section: Section) -> Iterator[Payment]:
    for name, lage in _PM.items():
        for one in section.each(f"{{*}}{name}"):
            rows = [
                (
                    section.coded(row, "formansgrupp"),
                    section.coded(row, "utbetalningsforman"),
                    section.coded(row, "beloppstyp"),
                    money(section.text(row, "{*}belopp")),
                )
                for row in one.iterfind("{*}utbetalningsrader")
            ]
            others = [
                _listed({"brutto": money(section.text(one, "{*}bruttobelopp"))}),
                *(" ".join(dict.fromkeys(row[1:])) for row in rows),
                *(
                    f"avdrag {section.coded(row, 'avdragstyp')} {money(section.text(row, '{*}belopp'))}"
                    for row in one.iterfind("{*}avdrag")
                ),
            ]
            yield Payment(
                section.text(one, "{*}utbetalningsdatum"),
                "Pensionsmyndigheten",
                lage,
                ", ".join(dict.fromkeys(group for group, *_ in rows)),
                period(
                    section.text(one, "{*}utbetalningsperiod/{*}from"),
                    section.text(one, "{*}utbetalningsperiod/{*}tom"),
                ),
                amount(section.text(one, "{*}nettobelopp")),
                "SEK",
                joined(*others),
            )


def _of_csn(section: Section) -> Iterator[Payment]:
    for case in section.each(".//{*}Arende"):
        form = section.first(case, "{*}klartext", "{*}stodform")
        for one in case.iterfind("{*}UtbetalningsPlan/{*}Utbetalning"):
            status = section.text(one, "{*}utbetstatus")
            parts = {
                section.first(part, "{*}klartext", "{*}beloppstyp"): money(section.text(part, "{*}totbelopp"))
                for part in one.iterfind(".//{*}Belopp")
            }
            yield Payment(
                day(section.text(one, "{*}utbetdatum")),
                "CSN",
                UTBETALD if status in _CSN_PAID else status.lower(),
                form,
                "",
                amount(section.text(one, "{*}totbelopp")),
                "SEK",
                _listed(parts),
            )


def _of_so(section: Section) -> Iterator[Payment]:
    for kassa in section.each(".//{*}Arbetsloshetsersattning"):
        for one in kassa.iterfind("{*}Utbetalningar"):
            others = {
                "efter skatt, före avdrag": money(section.text(one, "{*}NettoEfterSkatt")),
                "ersättningsdagar": section.text(one, "{*}Ersattningsdagar"),
            }
            yield Payment(
                section.text(one, "{*}Utbetalningsdatum"),
                section.text(kassa, "{*}SvarandeOrganisation"),
                UTBETALD,
                "ersättning",
                period(section.text(one, "{*}AvserFrom"), section.text(one, "{*}AvserTom")),
                amount(section.text(one, "{*}NettoEfterAvdrag")),
                "SEK",
                _listed(others),
            )


def _listed(texts: dict[str, str]) -> str:
    return joined(*(f"{name} {text}" for name, text in texts.items() if text))
