"""What a handläggare reads of version 1's answers about the personas.

`python tests/unit/summary/test_summary.py` writes the texts beside it anew; read what changed.
"""

from __future__ import annotations

import io
import re
import sys
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import pytest
from lxml import etree
from rich.console import Console
from unit.typed_answers import NS, PERSONAS, typed_answer

from ssbtek_gateway.cli.summary import print_summary
from ssbtek_gateway.summary import KAN_EJ_AVGORAS, Summary, is_typed, read, words

if TYPE_CHECKING:
    from lxml.etree import _Element

HERE = Path(__file__).parent
ALIASES = [alias for alias in PERSONAS if alias != "fel-i-transport"]
WHOLE = ("skyddad", "inget", "student")
LEFI = "{urn:ssbtek-gateway:lefi-online:9}"
MONTHS = "Utbetalningar per månad"
NET = (
    ".//{*}Arbetsloshetsersattning/{*}Utbetalningar/{*}NettoEfterAvdrag",
    ".//{*}formansinformation/{*}utbetalningsuppgift/{*}nettobelopp/{*}summa",
    ".//{*}formansinformation/{*}preliminarautbetalningar/{*}nettobelopp/{*}summa",
    f"{NS}FK/{NS}data/{{*}}utbetalningar/{{*}}nettobelopp",
    f"{NS}FK/{NS}data/{{*}}preliminaraUtbetalningar/{{*}}nettobelopp",
    ".//{*}UtbetalningsPlan/{*}Utbetalning/{*}totbelopp",
)


def sections(alias: str) -> _Element:
    """A copy to change."""
    (found,) = typed_answer(alias).iterfind(f"{NS}svarsdata")
    return deepcopy(found)


def one(element: _Element, path: str) -> _Element:
    found = element.find(path)
    assert found is not None, path
    return found


def in_plain(summary: Summary, width: int = 110) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    print_summary(summary, console)
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def shown(alias: str) -> str:
    return in_plain(read(sections(alias)))


@pytest.mark.parametrize("alias", WHOLE)
def test_the_whole_text(alias: str) -> None:
    assert shown(alias) == (HERE / f"{alias}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("alias", ALIASES)
def test_protected_identity_stands_first_and_nowhere_else(alias: str) -> None:
    text = shown(alias)
    assert text.startswith("!!! SKYDDADE PERSONUPPGIFTER: personen") == (alias == "skyddad")
    assert ("SKYDDADE" in text) == (alias == "skyddad")


@pytest.mark.parametrize("agency", ["Arbetsförmedlingen", "Centrala studiestödsnämnden", "Försäkringskassan"])
def test_each_agency_that_marks_a_protected_identity_is_enough(agency: str) -> None:
    svarsdata = sections("skyddad")
    for section in svarsdata:
        if agency not in section.findtext(f"{NS}oversikt/{NS}agare", ""):
            svarsdata.remove(section)
    assert [who.startswith(f"personen ({agency}") for who in read(svarsdata).skyddade] == [True]


def test_somebody_else_who_is_protected_is_told_without_name() -> None:
    svarsdata = sections("allt")
    one(svarsdata, f".//{LEFI}generellPersoninformation/{LEFI}barn/{LEFI}skyddad").text = "1"
    assert read(svarsdata).skyddade == ["någon annan i svaret (barn) (Försäkringskassan och Pensionsmyndigheten)"]
    assert in_plain(read(svarsdata)).startswith("!!! SKYDDADE PERSONUPPGIFTER: någon annan")
    assert "Elvan" not in in_plain(read(svarsdata))


def test_a_mark_that_lefis_schema_does_not_know_is_a_mark() -> None:
    svarsdata = sections("allt")
    skyddad = one(svarsdata, f".//{LEFI}generellPersoninformation/{LEFI}skyddad")
    person = one(svarsdata, f".//{LEFI}generellPersoninformation")
    person.remove(skyddad)
    okant = etree.SubElement(person, f"{LEFI}okant")
    fn = "{http://www.w3.org/2005/xpath-functions}"
    etree.SubElement(etree.SubElement(okant, f"{fn}map"), f"{fn}string", key="skyddad").text = "ja"
    assert read(svarsdata).skyddade == ["personen (Försäkringskassan och Pensionsmyndigheten)"]


def test_a_silent_a_kassa_is_told_before_the_amounts_and_never_as_zero() -> None:
    before, _, after = in_plain(read(sections("arbetslos")), 300).partition(MONTHS)
    (line,) = (line for line in before.splitlines() if line.startswith(" Exempelkassan"))
    assert KAN_EJ_AVGORAS in line
    assert "StatusSvarandeOrganisation: Kan inte svara" in line
    assert "den a-kassa det gäller, www.sverigesakassor.se" in line
    summary = read(sections("arbetslos"))
    assert summary.ofullstandiga == ["Exempelkassan"]
    assert not [row for row in summary.manader if row.utbetalare == "Exempelkassan"]
    assert re.search(rf"alla +Exempelkassan +{KAN_EJ_AVGORAS}", after)
    assert [verdict.vem for verdict in summary.bedomningar if "Provkassan" in verdict.vem] == [
        "Provkassan, Försökskassan"
    ]


def test_nobody_who_could_not_answer_is_left_out() -> None:
    summary = read(sections("fel-i-svar"))
    undecided = [verdict for verdict in summary.bedomningar if verdict.bedomning == KAN_EJ_AVGORAS]
    assert undecided == summary.bedomningar
    assert all(verdict.skal and verdict.kontakt for verdict in undecided)
    who = " ".join(verdict.vem for verdict in undecided)
    for name in ("Arbetsf", "CSN studiehjälp", "Pensionsm", "FK:BOB", "SKV skattekonto", "Exempelk", "Transp", "Migr"):
        assert name in who
    assert summary.ofullstandiga == ["CSN", "Försäkringskassan", "Pensionsmyndigheten", "Exempelkassan"]
    assert (summary.manader, summary.beslut) == ([], [])


def test_what_an_uncertain_answer_says_is_marked() -> None:
    vem = {line.vem for line in read(sections("fel-i-svar")).uppgifter}
    assert vem == {f"Arbetsförmedlingen ({KAN_EJ_AVGORAS})"}


def test_a_deviation_makes_only_its_own_list_uncertain() -> None:
    summary = read(sections("skyddad"))
    assert "FK:SKUP" in " ".join(verdict.vem for verdict in summary.bedomningar)
    assert summary.ofullstandiga == []
    svarsdata = sections("skyddad")
    for skal in svarsdata.iterfind(f"{NS}FK/{NS}oversikt/{NS}svarande/{NS}skal"):
        skal.text = "avvikelse i preliminaraUtbetalningar"
    summary = read(svarsdata)
    assert summary.ofullstandiga == ["Försäkringskassan"]
    assert re.search(r"1100,00 kr \(fler kan finnas\)", in_plain(summary))


def test_a_section_that_is_an_error_says_why_and_leaves_its_payers_open() -> None:
    svarsdata = sections("allt")
    one(svarsdata, f"{NS}FK").remove(one(svarsdata, f"{NS}FK/{NS}data"))
    for svarande in svarsdata.findall(f"{NS}FK/{NS}oversikt/{NS}svarande"):
        one(svarande, f"{NS}bedomning").text = "KAN_EJ_AVGORAS"
        etree.SubElement(svarande, f"{NS}skal").text = "SSBT TIMEOUT"
    error = etree.SubElement(one(svarsdata, f"{NS}FK"), f"{NS}error")
    etree.SubElement(error, f"{NS}felmeddelande").text = "Svarade inte i tid."
    summary = read(svarsdata)
    assert summary.ofullstandiga == ["Försäkringskassan", "Pensionsmyndigheten"]
    first = summary.bedomningar[0]
    assert first.vem == "Försäkringskassan och Pensionsmyndigheten"
    assert first.skal == "SSBT TIMEOUT: Svarade inte i tid."
    assert "0771-17 90 00" in first.kontakt


def test_whoever_was_not_asked_is_told() -> None:
    (svarsdata,) = typed_answer("allt", ("SO",)).iterfind(f"{NS}svarsdata")
    told = {verdict.vem: verdict.bedomning for verdict in read(svarsdata).bedomningar}
    assert told["Provkassan"] == "SVARAT"
    assert [vem for vem, bedomning in told.items() if bedomning == "INTE TILLFRÅGAD"] == [
        "Arbetsförmedlingen",
        "Centrala studiestödsnämnden",
        "Försäkringskassan och Pensionsmyndigheten",
        "Skatteverket",
        "Transportstyrelsen",
        "Migrationsverket",
    ]


@pytest.mark.parametrize("alias", ALIASES)
def test_no_amount_is_lost_in_the_sums_or_among_the_payments(alias: str) -> None:
    svarsdata = sections(alias)
    sent = sorted(Decimal(found.text or "") for path in NET for found in svarsdata.iterfind(path))
    summary = read(svarsdata)
    assert sorted(payment.netto for payment in summary.utbetalningar if payment.netto is not None) == sent
    summed = [
        kronor for row in summary.manader for kronor in re.findall(r"(-?\d+,\d+) kr", row.utbetalt + row.kommande)
    ]
    assert sum(Decimal(kronor.replace(",", ".")) for kronor in summed) == sum(sent)
    printed = in_plain(summary, 300).partition("Varje utbetalning")[2]
    assert [kronor for kronor in summed if f"{kronor} kr" not in in_plain(summary, 300)] == []
    assert [payment.belopp for payment in summary.utbetalningar if payment.belopp not in printed] == []


def test_what_is_paid_is_told_from_what_is_preliminary_or_planned() -> None:
    rows = {(row.manad, row.utbetalare): (row.utbetalt, row.kommande) for row in read(sections("allt")).manader}
    assert rows["2026-03", "Försäkringskassan"] == ("5144,00 kr", "1250,00 kr (preliminär)")
    assert rows["2026-04", "CSN"] == ("", "2120,00 kr (planerad)")
    assert rows["2026-03", "Pensionsmyndigheten"] == ("9838,00 kr", "")
    assert rows["2026-03", "Provkassan"] == ("7740,50 kr", "")


def test_a_payment_without_a_number_or_a_day_or_in_another_currency_is_in_no_sum_but_told() -> None:
    svarsdata = sections("allt")
    first, second = svarsdata.findall(f".//{LEFI}utbetalningsuppgift")
    first.remove(one(first, f"{LEFI}nettobelopp"))
    assert "1900,00 kr + 1 utan nettobelopp" in {row.utbetalt for row in read(svarsdata).manader}
    assert "nettobelopp saknas" in in_plain(read(svarsdata))
    one(second, f"{LEFI}nettobelopp/{LEFI}valuta").text = "EUR"
    second.remove(one(second, f"{LEFI}datum"))
    rows = {(row.manad, row.utbetalare): row.utbetalt for row in read(svarsdata).manader}
    assert rows["okänd månad", "Försäkringskassan"] == "1900,00 EUR"
    assert rows["2026-03", "Försäkringskassan"] == "1 utan nettobelopp"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("7740.50", "7740,50 kr"),
        ("1250.0", "1250,00 kr"),
        ("-12", "-12,00 kr"),
        ("0.125", "0,125 kr"),
        ("12345678901234567890123456789012.3", "12345678901234567890123456789012,30 kr"),
        ("tolv", "tolv"),
        ("", ""),
    ],
)
def test_amounts_are_as_exact_as_they_were_sent(sent: str, said: str) -> None:
    assert words.money(sent) == said
    assert words.amount("NaN") is None
    assert words.kronor(words.total([Decimal("1e40"), Decimal("1e-20")])) == f"1{'0' * 40},{'0' * 19}1 kr"


def test_decisions_suspensions_applications_and_the_rest_have_their_lines() -> None:
    summary = read(sections("allt"))
    decided = {(one.vem, one.slag): one for one in summary.beslut}
    aktivitetsstod = decided["Arbetsförmedlingen", "Aktivitetsstöd"]
    assert (aktivitetsstod.period, aktivitetsstod.omfattning) == ("2026-02-19 till 2026-05-20", "100 %")
    assert decided["Försäkringskassan", "Underhållsstöd"].belopp == "brutto 1673,00 kr, månadsvis"
    assert "avslaget" in decided["Försäkringskassan", "Graviditetspenning (GP)"].anmarkning
    assert "inte definitivt" in decided["Försäkringskassan", "Bostadsbidrag"].anmarkning
    assert "avslag" in decided["Pensionsmyndigheten", "Bostadstillägg"].anmarkning
    assert decided["CSN", "Studiemedel"].period == "2026 v. 07 till 2026 v. 25"
    assert [line.text for line in summary.avstangningar] == ["avstängd 2026-03-01 till 2026-03-05"]
    assert {line.vem for line in summary.ansokningar} == {"CSN", "Pensionsmyndigheten", "Provkassan"}
    told = " ".join(line.text for line in summary.uppgifter)
    for text in ("fordon ABC12A", "PERMANENT UPPEHÅLLSTILLSTÅND", "sumKapital 1210", "saldo 312", "arbetssökande: ja"):
        assert text in told


def test_skatteverkets_document_is_told() -> None:
    (svarsdata,) = typed_answer("allt", dokument=True).iterfind(f"{NS}svarsdata")
    (line,) = (line for line in read(svarsdata).uppgifter if line.vem == "Skatteverket")
    assert line.text.startswith("kapitaluppgifter: Taxeringsar")


def test_what_has_no_line_is_counted_by_name() -> None:
    svarsdata = sections("allt")
    etree.SubElement(one(svarsdata, ".//{*}ArbetssokandeInfo"), "{urn:ny}Nytt").text = "x"
    etree.SubElement(one(svarsdata, ".//{*}Utbetalning"), "{urn:ny}Nytt").set("belopp", "17")
    # Where it is a list of days it is not how many there are.
    etree.SubElement(
        one(svarsdata, f".//{LEFI}programersattningsarende/{LEFI}beslut"), f"{LEFI}dagar"
    ).text = "2026-03-01"
    others = {line.vem: line.text for line in read(svarsdata).ovrigt}
    assert "Nytt: 1" in others["Arbetsförmedlingen"]
    assert "Nytt: 1" in others["Centrala studiestödsnämnden"]
    assert "dagar: 1" in others["Försäkringskassan och Pensionsmyndigheten"]
    assert "Sjukpenninggrundande inkomst (SGI): 1" in others["Försäkringskassan och Pensionsmyndigheten"]
    assert "Levnadsintyg: 1" in " ".join(line.text for line in read(sections("pensionar")).ovrigt)
    assert "efter skatt, före avdrag 8240,00 kr" in in_plain(read(svarsdata), 300)


def test_no_name_number_or_address_of_a_person_is_shown() -> None:
    text = in_plain(read(sections("allt")), 300)
    for confidential in ("Tolvan", "Elvan", "Provgatan", "201701012393"):
        assert confidential not in text


def test_what_an_agency_writes_is_no_command_to_the_terminal() -> None:
    svarsdata = sections("allt")
    for name in svarsdata.iterfind(".//{*}SvarandeOrganisation"):
        name.text = "Kassan\u202e[red]"
    assert "Kassan\ufffd[red]" in in_plain(read(svarsdata))


def test_only_the_typed_contract_is_read_so() -> None:
    assert is_typed(sections("allt"))
    assert not is_typed([etree.Element("{http://schema.forsakringskassan.se/integration/ssbt/10}AF")])
    assert not is_typed([])


def test_nothing_of_it_is_printed_by_accident() -> None:
    summary = read(sections("allt"))
    told = (summary, summary.utbetalningar, summary.beslut, summary.manader, summary.uppgifter, summary.bedomningar)
    assert "Sjukpenning" not in repr(told)
    assert "kr" not in repr(told)


if __name__ == "__main__":
    for name in WHOLE:
        (HERE / f"{name}.txt").write_text(shown(name), encoding="utf-8")
