"""What the elements of LEFI's answer are, in Swedish, where the name of their type does not say it: by type and name.

Code-to-name pairs other than ABB, FP, SJP, YL, AP, EF, BTI, GEPI, PU, LINT and PBH are inferred (docs/assumptions.md).
"""

TERMS: dict[tuple[str, str], str] = {}


def _of(owner: str, texts: dict[str, str]) -> None:
    TERMS.update({(owner, name): text for name, text in texts.items()})


_of(
    "LefiExternFormansinformationSvar",
    {
        "utlamnare": "Försäkringskassans och Pensionsmyndighetens tillstånd; läs dem före uppgifterna.",
        "avvikelser": "Grupper och typer som inte kunde lämnas; de är okända, inte noll.",
        "formansinformation": "Försäkringskassans uppgifter.",
        "ansprak": "Anspråk på pension och andra förmåner hos Pensionsmyndigheten.",
        "beslut": (
            "Pensionsmyndighetens beslut: pension (PM:AP), bostadstillägg till pensionärer (PM:BTI) och "
            "efterlevandepension (PM:EF)."
        ),
        "preliminaraUtbetalningar": "Utbetalningsinformation från Pensionsmyndigheten: preliminära utbetalningar.",
        "utbetalningar": (
            "Utbetalningsinformation från Pensionsmyndigheten: gjorda utbetalningar, bland dem ÅP-37 (PM:AP37), ÅP-38"
            " (PM:AP38) och premiepension (PM:PREP)."
        ),
        "ovrigInformation": (
            "Levnadsintyg (PM:LINT), premiepension och annan pensionsbehållning (PM:PBH) och intjänandeuppgifter "
            "(PM:PU)."
        ),
    },
)
_of(
    "LefiFormansinformation",
    {
        "generellPersoninformation": "Personinformation (GEPI).",
        "aktivitetsstodsarende": "Aktivitetsstöd, etablerings- och utvecklingsersättning (AS).",
        "allmanpensionsarende": "Pension: ärenden om allmän pension hos Försäkringskassan (AP).",
        "arbetsskadeefterlevandearende": "Arbetsskadelivränta till efterlevande; ingen känd kod frågar efter den.",
        "arbetsskadeegenlivrantearende": "Arbetsskadelivränta; ingen känd kod frågar efter den.",
        "barnbidragsarende": "Barnbidrag (ABB).",
        "bostadsbidragsarende": "Bostadsbidrag (BOB).",
        "bostadstillaggsarende": "Bostadstillägg till pensionärer (BTI).",
        "efterlevandepensionsarende": "Efterlevandepension hos Försäkringskassan; ingen känd kod frågar efter den.",
        "mottagareavbarnbidrag": "Barnbidrag: mottagare (MABB).",
        "foraldrapenningarende": "Föräldrapenning (FP).",
        "forebyggandeSjukpenningsarende": "Sjukpenning i förebyggande syfte (FSJP).",
        "handikappersattningsarende": "Handikappersättning (HE), numera merkostnadsersättning.",
        "graviditetspenningsarende": "Graviditetspenning (GP).",
        "intjanandebehallning": "Intjänad pensionsbehållning; ingen känd kod frågar efter den.",
        "intjanandeuppgift": "Intjänandeuppgifter hos Försäkringskassan; ingen känd kod frågar efter dem.",
        "levnadsintygsuppgift": "Levnadsintyg hos Försäkringskassan; ingen känd kod frågar efter det.",
        "merkostnadsersattningsarende": "Merkostnadsersättning (MEK), tidigare handikappersättning.",
        "narstaendepenningarende": "Närståendepenning (NP).",
        "omvardnadsbidragsarende": "Omvårdnadsbidrag (OMV), tidigare vårdbidrag.",
        "preliminarautbetalningar": "Utbetalningsinformation: preliminära utbetalningar.",
        "programanvisning": "Anvisning till program hos Arbetsförmedlingen (PANV).",
        "programersattningsarende": "Aktivitetsstöd, etablerings- och utvecklingsersättning i program (PROG).",
        "programjobdagar": "Förbrukade dagar i program (PJOB).",
        "rehabersattningsarende": "Rehabpenning (RBE).",
        "sjukOchAktivitetsersattningsarende": "Sjuk- och aktivitetsersättning (SA).",
        "sjukOchAktivitetsersattningSteglosAvrakningHistorik": "Sjuk- och aktivitetsersättning: avräkning förr.",
        "sjukOchAktivitetsersattningSteglosAvrakningNulage": "Sjuk- och aktivitetsersättning: avräkning nu.",
        "sjukpenningarende": "Sjukpenning (SJP).",
        "sjukpenninggrundandeInkomstuppgift": "Sjukpenninggrundande inkomst (SGI).",
        "skatteuppgift": "Skatteuppgift (SKUP).",
        "smittbararersattningsarende": "Smittbärarersättning (SBP).",
        "studiemedelsavisering": "Avisering om studiemedel (STAV).",
        "tillfalligForaldrapenningarende": "Tillfällig föräldrapenning (TFP).",
        "totalforsvarspliktsarende": "Dagpenning till totalförsvarspliktiga (DPE).",
        "underhallsskuld": "Underhållsstöd (US): skuld.",
        "underhallsstodskrav": "Underhållsstöd (US): krav på den som ska betala.",
        "underhallsstodsmottag": "Underhållsstöd (US): det som tas emot.",
        "utbetalningsuppgift": "Utbetalningsinformation: gjorda utbetalningar.",
        "vardbidragsarende": "Vårdbidrag (VB), numera omvårdnadsbidrag.",
        "yrkesskadeefterlevandearende": "Yrkesskadelivränta till efterlevande (YL).",
        "yrkesskadeegenlivrantearende": "Yrkesskadelivränta (YL).",
    },
)
_of(
    "LefiPersoninformation",
    {
        "skyddad": "true om personen har skyddade personuppgifter.",
        "avled": "Dag för dödsfall, när personen är avliden.",
        "samhorig": "Personer som personen hör ihop med, till exempel make eller sambo.",
    },
)
_of("LefiPerson", {"skyddad": "true om personen har skyddade personuppgifter."})
_of("Skattekonto", {"utbetaltBelopp": "Senaste utbetalning till kontohavaren.", "bokforingsdag": "Dess bokföringsdag."})
_of("Uppgifter", {"sumKapital": "Kapitaluppgifter: summan av kapital."})
