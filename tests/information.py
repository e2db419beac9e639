"""What each section of an answer must be able to carry, and where it stands: plain data, for tests and documentation.

`BULLETS` names for every piece of information a persona of the simulator whose answer has it, and the place. `MISSING`
names what no public element or code can carry. Both follow the list in the general description of SSBTEK.

`path` is the place in what the agency itself answers. In XML it is an ElementPath of lxml from the answer's own
element, `{*}` being any namespace; in Skatteverket's answer of version 10 it is in the document inside the string
`svar`. In JSON it is names with dots, `[*]` for every item of an array, and at the end `=VALUE` where the value matters
(Skatteverket's of version 11 begins with the part). `typed` is the place in the typed contract, from `data`.

`python tests/information.py` writes docs/information.md from it; a test fails where the page and this file differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "information.md"

AF, SO, CSN, FK, SKV10, SKV11, TNS, MIV = "AF", "SO", "CSN", "FK", "SKV v10", "SKV v11", "TNS", "MIV"
# Where versions 10 and 11 hide what the typed contract has as elements.
HIDDEN = {
    CSN: "the same, in the XML in base64 in `svar`",
    FK: "`{}` in the JSON in base64 in `lefiJsonSvar`",
    SKV10: "version 10: the same, in the XML in the text `svar`",
    SKV11: "version 11: `{}` in the JSON in base64 in each part's `data`",
}


@dataclass(frozen=True)
class Bullet:
    """One piece of information: `section` is whose, `codes` what LEFI is asked for; `assumed` where no list says so."""

    section: str
    information: str
    persona: str
    service: str
    path: str
    codes: tuple[str, ...] = ()
    note: str = ""

    @property
    def typed(self) -> str:
        """An ElementPath from `data` in the typed contract: XML stands there as it is, a name in JSON is an element."""
        if self.service not in {FK, SKV11}:
            return self.path
        names, _, value = self.path.partition("=")
        steps = [f"{{*}}{name.removesuffix('[*]')}" for name in names.split(".")]
        if self.service == SKV11:
            steps.insert(1, "{*}data")
        return "/".join(steps) + (f"[.='{value}']" if value else "")

    @property
    def terms(self) -> tuple[str, ...]:
        """The Swedish words for it, as a caller would look for them."""
        return tuple(re.split(r" \(|, ", self.information)[0].split("/"))


@dataclass(frozen=True)
class Missing:
    """What `service` cannot carry: no name or code of its contract holds `word` (lower case), nor does any answer."""

    section: str
    information: str
    service: str
    word: str
    reason: str


_AKASSOR, _AF, _CSN, _SKV = "a-kassorna", "Arbetsförmedlingen", "CSN", "Skatteverket"
_FK, _PM, _TNS, _MIV = "Försäkringskassan", "Pensionsmyndigheten", "Transportstyrelsen", "Migrationsverket"
_F = "formansinformation"
_UTBETALNINGSFORMAN = "utbetalningar[*].utbetalningsrader[*].utbetalningsforman.kod"

BULLETS: tuple[Bullet, ...] = (
    Bullet(_AKASSOR, "utbetalningar", "allt", SO, ".//{*}Utbetalningar/{*}NettoEfterSkatt"),
    Bullet(_AKASSOR, "avstängningar", "allt", SO, ".//{*}Avstangningar/{*}AvstangdFrom"),
    Bullet(_AKASSOR, "ansökt om ersättning", "allt", SO, ".//{*}AnsoktOmErsattning/{*}AnsokanOmUtbetalningInlamnad"),
    Bullet(
        _AKASSOR,
        "ansökt om ersättning, ännu inte beslutad",
        "arbetslos",
        SO,
        ".//{*}AnsoktOmErsattning/{*}BeslutOmRattTillErsattning[@{http://www.w3.org/2001/XMLSchema-instance}nil='true']",
    ),
    Bullet(_AF, "arbetssökandeinformation", "allt", AF, ".//{*}ArbetssokandeInfo/{*}Arbetssokande"),
    Bullet(_AF, "ekonomiska beslut", "allt", AF, ".//{*}EkonomiskaBeslut/{*}Beslut/{*}ErsattningTyp"),
    Bullet(_AF, "a-kassetillhörighet", "allt", AF, ".//{*}Akassetillhorighet"),
    Bullet(
        _AF,
        "datum för senast inlämnade aktivitetsrapport",
        "allt",
        AF,
        ".//{*}AktivetetsRapportDatum/{*}SenasteAktivitetsRapportDatum",
    ),
    Bullet(_CSN, "studiehjälp", "student", CSN, ".//{*}Studiehjalp//{*}stodform[.='SH']"),
    Bullet(_CSN, "studiemedel", "student", CSN, ".//{*}Studiemedel//{*}stodform[.='GRUND']"),
    Bullet(_CSN, "studiestartsstöd", "student", CSN, ".//{*}Studiestartsstod//{*}stodform[.='SSSTÖD']"),
    Bullet(_CSN, "hemutrustningslån", "student", CSN, ".//{*}HemutrustningsLan//{*}stodform[.='HUT']"),
    Bullet(
        _CSN,
        "omställningsstudiestöd",
        "student",
        CSN,
        ".//{*}Omstallningsstudiestod//{*}stodform[.='OSS']",
        note="since Kommunfråga 4.0",
    ),
    Bullet(_SKV, "kapitaluppgifter", "allt", SKV10, ".//{*}Kapitaluppgift/{*}OverskottPaKapital"),
    Bullet(
        _SKV,
        "kapitaluppgifter",
        "allt",
        SKV11,
        "skatteuppgifter.beslutadeSkatteuppgifter[*].uppgifter.sumKapital",
        note="the part's shape is second-hand",
    ),
    Bullet(
        _SKV,
        "skattekontouppgifter",
        "allt",
        SKV11,
        "skattekonto.utbetaltBelopp",
        note="the part's shape is second-hand",
    ),
    Bullet(_FK, "personinformation (GEPI)", "allt", FK, f"{_F}.generellPersoninformation[*].namn", ("FK:GEPI",)),
    Bullet(
        _FK,
        "sjukpenninggrundande inkomst (SGI)",
        "allt",
        FK,
        f"{_F}.sjukpenninggrundandeInkomstuppgift[*].faststalldes",
        ("FK:SGI",),
    ),
    Bullet(_FK, "sjukpenning (SJP)", "allt", FK, f"{_F}.sjukpenningarende[*].beslut[*].dagar", ("FK:SJP",)),
    Bullet(
        _FK,
        "sjukpenning, förebyggande (FSJP)",
        "allt",
        FK,
        f"{_F}.forebyggandeSjukpenningsarende[*].beslut[*].dagar",
        ("FK:FSJP",),
    ),
    Bullet(_FK, "rehabpenning (RBE)", "allt", FK, f"{_F}.rehabersattningsarende[*].beslut[*].dagar", ("FK:RBE",)),
    Bullet(_FK, "föräldrapenning (FP)", "allt", FK, f"{_F}.foraldrapenningarende[*].beslut[*].dagar", ("FK:FP",)),
    Bullet(
        _FK,
        "tillfällig föräldrapenning (TFP)",
        "allt",
        FK,
        f"{_F}.tillfalligForaldrapenningarende[*].beslut[*].dagar",
        ("FK:TFP",),
    ),
    Bullet(_FK, "graviditetspenning (GP)", "allt", FK, f"{_F}.graviditetspenningsarende[*].avslaget", ("FK:GP",)),
    Bullet(_FK, "närståendepenning (NP)", "allt", FK, f"{_F}.narstaendepenningarende[*].beslut[*].dagar", ("FK:NP",)),
    Bullet(
        _FK,
        "smittbärarersättning (SBP)",
        "allt",
        FK,
        f"{_F}.smittbararersattningsarende[*].beslut[*].dagar",
        ("FK:SBP",),
    ),
    Bullet(
        _FK,
        "dagpenning till totalförsvarspliktiga (DPE)",
        "allt",
        FK,
        f"{_F}.totalforsvarspliktsarende[*].beslut[*].dagar",
        ("FK:DPE",),
    ),
    Bullet(
        _FK,
        "aktivitetsstöd/etablerings-/utvecklingsersättning (AS)",
        "allt",
        FK,
        f"{_F}.aktivitetsstodsarende[*].beslut[*].ersattning",
        ("FK:AS",),
    ),
    Bullet(
        _FK,
        "aktivitetsstöd/etablerings-/utvecklingsersättning (PROG)",
        "allt",
        FK,
        f"{_F}.programersattningsarende[*].beslut[*].ersattningsdagar",
        ("FK:PROG",),
    ),
    Bullet(_PM, "pension", "pensionar", FK, "beslut[*].formansgrupp.kod=PM:AP", ("PM:AP",)),
    Bullet(_PM, "ÅP-37", "pensionar", FK, f"{_UTBETALNINGSFORMAN}=PM:AP37", ("PM:AP",), "inside a payment"),
    Bullet(_PM, "ÅP-38", "pensionar", FK, f"{_UTBETALNINGSFORMAN}=PM:AP38", ("PM:AP",), "inside a payment"),
    Bullet(
        _PM,
        "premiepension, utbetald (PREP)",
        "pensionar",
        FK,
        f"{_UTBETALNINGSFORMAN}=PM:PREP",
        ("PM:AP",),
        "inside a payment",
    ),
    Bullet(
        _PM,
        "premiepension, behållning (PBH)",
        "pensionar",
        FK,
        "ovrigInformation[*].pensionsbehallning.pensionskonton[*].kontotyp.kod=PREP",
        ("PM:PBH",),
    ),
    Bullet(
        _PM,
        "intjänandeuppgifter (PU)",
        "pensionar",
        FK,
        "ovrigInformation[*].pensionsunderlag.intjanandear[*].pensionsgrundandeInkomst",
        ("PM:PU",),
    ),
    Bullet(
        _PM, "bostadstillägg till pensionärer (BTI)", "pensionar", FK, "beslut[*].formansgrupp.kod=PM:BTI", ("PM:BTI",)
    ),
    Bullet(
        _FK,
        "bostadstillägg till pensionärer (BTI), äldre",
        "pensionar",
        FK,
        f"{_F}.bostadstillaggsarende[*].beslut[*].fattades",
        ("FK:BTI",),
    ),
    Bullet(_PM, "efterlevandepension (EF)", "pensionar", FK, "beslut[*].formansgrupp.kod=PM:EF", ("PM:EF",)),
    Bullet(
        _FK,
        "sjuk- och aktivitetsersättning (SA)",
        "allt",
        FK,
        f"{_F}.sjukOchAktivitetsersattningsarende[*].beslut[*].beslutatBruttobelopp",
        ("FK:SA",),
    ),
    Bullet(
        _FK,
        "yrkesskadelivränta (YL)",
        "allt",
        FK,
        f"{_F}.yrkesskadeegenlivrantearende[*].beslut[*].fattades",
        ("FK:YL",),
    ),
    Bullet(
        _FK,
        "handikappersättning (HE)",
        "allt",
        FK,
        f"{_F}.handikappersattningsarende[*].beslut[*].fattades",
        ("FK:HE",),
    ),
    Bullet(
        _FK,
        "handikappersättning, numera merkostnadsersättning (MEK)",
        "allt",
        FK,
        f"{_F}.merkostnadsersattningsarende[*].beslut.fattades",
        ("FK:MEK",),
    ),
    Bullet(_FK, "vårdbidrag (VB)", "allt", FK, f"{_F}.vardbidragsarende[*].beslut[*].fattades", ("FK:VB",)),
    Bullet(
        _FK,
        "vårdbidrag, numera omvårdnadsbidrag (OMV)",
        "allt",
        FK,
        f"{_F}.omvardnadsbidragsarende[*].beslut.fattades",
        ("FK:OMV",),
    ),
    Bullet(
        _FK,
        "bostadsbidrag (BOB)",
        "allt",
        FK,
        f"{_F}.bostadsbidragsarende[*].beslut[*].beslutatBruttobelopp",
        ("FK:BOB",),
    ),
    Bullet(_FK, "barnbidrag (ABB)", "allt", FK, f"{_F}.barnbidragsarende[*].grunduppgifter.barn", ("FK:ABB",)),
    Bullet(
        _FK,
        "barnbidrag, mottagare (MABB)",
        "allt",
        FK,
        f"{_F}.mottagareavbarnbidrag[*].beslut[*].underlag",
        ("FK:MABB",),
    ),
    Bullet(
        _FK,
        "underhållsstöd (US)",
        "allt",
        FK,
        f"{_F}.underhallsstodsmottag[*].beslut[*].beslutatBruttobelopp",
        ("FK:US",),
    ),
    Bullet(
        _PM,
        "levnadsintyg (LINT)",
        "pensionar",
        FK,
        "ovrigInformation[*].levnadsintyg.senastUppdaterad",
        ("PM:LINT",),
        "of its status only the codes' numbers are public",
    ),
    Bullet(
        _FK,
        "utbetalningsinformation, utbetalt",
        "allt",
        FK,
        f"{_F}.utbetalningsuppgift[*].nettobelopp",
        ("FK:SJP", "FK:BOB"),
    ),
    Bullet(
        _FK,
        "utbetalningsinformation, preliminärt",
        "allt",
        FK,
        f"{_F}.preliminarautbetalningar[*].nettobelopp",
        ("FK:ABB",),
    ),
    Bullet(
        _PM,
        "utbetalningsinformation, utbetalt",
        "pensionar",
        FK,
        "utbetalningar[*].nettobelopp",
        ("PM:AP", "PM:BTI", "PM:EF"),
    ),
    Bullet(
        _PM,
        "utbetalningsinformation, preliminärt",
        "pensionar",
        FK,
        "preliminaraUtbetalningar[*].nettobelopp",
        ("PM:AP",),
        "in a period that reaches into the days ahead",
    ),
    Bullet(_TNS, "fordonsinnehav", "allt", TNS, ".//{*}fordonsinnehav/{*}fordon/{*}regnr"),
    Bullet(_MIV, "uppehålls- och arbetstillstånd", "allt", MIV, "response/svarCollection/svar/beslutsTypNamn"),
)

MISSING: tuple[Missing, ...] = (
    Missing(
        _AF,
        "utbetalningar",
        AF,
        "utbetalning",
        "the general description lists it, AFLI's schema has no such element: the a-kassor's section has it",
    ),
    Missing(
        _AF,
        "avstängningar",
        AF,
        "avstang",
        "the general description lists it, AFLI's schema has no such element: the a-kassor's section has it",
    ),
    Missing(
        _AF,
        "ansökt om ersättning",
        AF,
        "ansok",
        "the general description lists it, AFLI's schema has no such element: the a-kassor's section has it",
    ),
    Missing(
        _SKV,
        "skattekontouppgifter",
        SKV10,
        "skattekonto",
        "the names of their elements in version 10's inner document are not public",
    ),
    Missing(_FK, "pensionsprognos", FK, "prognos", "LEFI version 9 has no code and no key for it"),
    Missing(
        _FK,
        "arbetsskadelivränta",
        FK,
        "arbetsskade",
        "LEFI version 9 has keys for it in the answer, but no known code asks for them",
    ),
)


def page() -> str:
    """docs/information.md."""
    lines = [
        "# What an answer can tell, and where",
        "",
        "Made by `python tests/information.py`; each row is a test on the simulator's persona. Both columns of paths",
        "begin at the `data` of the section, `{*}` being any namespace. In the",
        "[typed contract](integration.md#9-det-typade-kontraktet) every piece of information is an element, which its",
        "schema describes with the Swedish word; versions 10 and 11 hide most of it in base64 or in a text. In the",
        "typed contract Skatteverket answers in parts where the question has `SKV/fraga`, else with the document.",
        "",
        "| whose | information | section | LEFI codes | typed contract | versions 10 and 11 | persona | note |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for bullet in BULLETS:
        codes = " ".join(f"`{code}`" for code in bullet.codes)
        hidden = HIDDEN.get(bullet.service, "the same").format(bullet.path)
        lines.append(
            f"| {bullet.section} | {bullet.information} | {bullet.service.partition(' ')[0]} | {codes} "
            f"| `{bullet.typed}` | {hidden} | {bullet.persona} | {bullet.note} |"
        )
    lines += [
        "",
        "## Not expressible",
        "",
        "What the general description lists but no public element or code can carry. No code is invented for it; a",
        "test asserts that it is absent.",
        "",
        "| whose | information | section | why |",
        "|---|---|---|---|",
        *(f"| {item.section} | {item.information} | {item.service} | {item.reason} |" for item in MISSING),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
