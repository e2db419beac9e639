"""Makes `xsd/services/fk/lefi-9.schema.json` from `facts/lefi-9.yaml`: `python tests/contract/lefi_schema.py`.

The schema judges what goes to and comes from LEFI without standing in the way of what is new there: it asks for types,
required properties, patterns and numbers of items, and lets unknown properties and unknown codes pass. The codes that
the facts enumerate stand under `x-kanda-koder`, an annotation, so that a reader can count those that are not there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Schema: TypeAlias = dict[str, Any]

FACTS = Path(__file__).parent / "facts" / "lefi-9.yaml"
SCHEMA = Path(__file__).parents[2] / "xsd" / "services" / "fk" / "lefi-9.schema.json"
KNOWN_CODES = "x-kanda-koder"

DESCRIPTION = (
    "LEFI version 9: fråga, svar och felsvar. Namn, typer, obligatoriska egenskaper, mönster, antal och koder följer "
    "det publicerade gränssnittet; texterna är projektets egna. Okända egenskaper och okända koder släpps igenom, i "
    f"fråga som i svar; {KNOWN_CODES} räknar upp de koder som är kända. Filen skrivs av "
    "tests/contract/lefi_schema.py."
)

# Declared an object, and seen as an empty array where there is nothing to tell.
OBJECT_OR_EMPTY_ARRAY = {"LefiExternFormansinformationAvvikelser"}
# JSON Schema's format is an annotation to most tools. The question is ours to check before it is sent, so its dates are
# held to a pattern; LefiPeriod itself is not, for it stands in answers too.
QUESTION = "LefiExternFormansinformationFraga"
DATE = {"pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}

# LefiXArende and so on, where X is a kind of benefit.
BENEFITS = {
    "Aktivitetsstod": "aktivitetsstöd",
    "Allmanpension": "allmän pension",
    "Arbetsskadelivranta": "arbetsskadelivränta",
    "ArbetsskadelivrantaEfterlevande": "arbetsskadelivränta till efterlevande",
    "ArbetsskadelivrantaEgen": "egen arbetsskadelivränta",
    "Barnbidrag": "barnbidrag",
    "Bostadsbidrag": "bostadsbidrag",
    "Bostadstillagg": "bostadstillägg",
    "Efterlevandepension": "efterlevandepension",
    "Foraldrapenning": "föräldrapenning",
    "ForebyggandeSjukpenning": "förebyggande sjukpenning",
    "Graviditetspenning": "graviditetspenning",
    "Handikappersattning": "handikappersättning",
    "Merkostnadsersattning": "merkostnadsersättning",
    "MottagareAvBarnbidrag": "mottagare av barnbidrag",
    "Narstaendepenning": "närståendepenning",
    "Omvardnadsbidrag": "omvårdnadsbidrag",
    "Programersattning": "programersättning",
    "Rehabersattning": "rehabersättning",
    "SjukOchAktivitetsersattning": "sjuk- och aktivitetsersättning",
    "Sjukpenning": "sjukpenning",
    "Smittbararersattning": "smittbärarersättning",
    "TillfalligForaldrapenning": "tillfällig föräldrapenning",
    "Totalforsvarspliktspenning": "totalförsvarspliktspenning",
    "Underhallsstod": "underhållsstöd",
    "Vardbidrag": "vårdbidrag",
    "Yrkesskadelivranta": "yrkesskadelivränta",
    "YrkesskadelivrantaEfterlevande": "yrkesskadelivränta till efterlevande",
    "YrkesskadelivrantaEgen": "egen yrkesskadelivränta",
}
ROLES = {
    "Arende": "Ett ärende om {}, med dess beslut.",
    "Uppgifter": "Grunduppgifter i ett ärende om {}.",
    "Beslut": "Ett beslut om {}.",
    "Underlag": "Underlag för ett beslut om {}.",
}

# Objects of a code and its description; X's codes are XKod.
CODED = {
    "LefiAvvikelse": "skälet till att en efterfrågad grupp eller typ inte lämnades",
    "LefiTillstand": "utlämnarens tillstånd",
    "LefiFkFormanGrupp": "förmånsgrupp hos Försäkringskassan",
    "LefiPmFormanGrupp": "förmånsgrupp hos Pensionsmyndigheten",
    "LefiExternFormanGrupp": "förmånsgrupp hos Försäkringskassan eller Pensionsmyndigheten",
    "LefiExternOvrigInformationTyp": "typ av övrig information från Försäkringskassan eller Pensionsmyndigheten",
    "LefiPmOvrigInformationTyp": "typ av övrig information från Pensionsmyndigheten",
    "LefiPmFormanBeslutStatus": "status för Pensionsmyndighetens beslut",
    "LefiPmFormanBeslutUtfall": "utfall av Pensionsmyndighetens beslut",
    "LefiPmFormanBeslutatBeloppFrekvens": "hur ofta ett beslutat belopp gäller",
    "LefiPmFormanBeslutadErsattningTyp": "typ av beslutad ersättning",
    "LefiPmFormanSamordningTyp": "typ av samordning",
    "LefiPmCivilstand": "civilstånd som Pensionsmyndigheten har använt",
    "LefiPmFormanUtbetalningAvdragTyp": "typ av avdrag på en utbetalning",
    "LefiPmFormanUtbetalningBeloppTyp": "typ av belopp i en utbetalningsrad",
    "LefiPmUtbetalningForman": "förmån i en utbetalningsrad",
    "LefiPmLevnadsintygStatus": "levnadsintygets status",
    "LefiPmPensionKontoTyp": "typ av pensionskonto",
    "LefiPmPensionKontoHandelseTyp": "typ av händelse på ett pensionskonto",
    "LefiPmPensionKontoTransaktionTyp": "typ av transaktion på ett pensionskonto",
}

OTHERS = {
    "LefiExternFormansinformationFraga": (
        "Frågan om en person och en period. Minst en grupp eller typ måste anges och perioden får vara högst två år; "
        "annars avvisar LEFI hela anropet med 400, vilket schemat inte prövar."
    ),
    "LefiExternFormansinformationAvvikelser": (
        "Grupper och typer som efterfrågades men inte kunde lämnas; de är okända, inte noll. En tom lista betyder att "
        "det inte finns några avvikelser."
    ),
    "LefiExternFormansinformationSvar": (
        "Svaret. Läs utlamnare och avvikelser före uppgifterna. Försäkringskassans uppgifter står under "
        "formansinformation, Pensionsmyndighetens på översta nivån."
    ),
    "LefiExternTillgangligaInformationstyper": "Vad aktören får fråga efter.",
    "LefiFelsvar": "Svaret när hela anropet avvisas eller misslyckas.",
    "LefiPersonnummer": "Personnummer eller samordningsnummer, tolv eller tio siffror.",
    "LefiPeriod": "En period med första och sista dag.",
    "LefiPeriodMedValfrittTom": "En period med första dag och, om den är känd, sista dag.",
    "LefiFranTill": "En period som text, från och till.",
    "LefiFkAvvikelseFormanGrupp": "En förmånsgrupp hos Försäkringskassan som inte lämnades, och varför.",
    "LefiPmAvvikelseFormanGrupp": "En förmånsgrupp hos Pensionsmyndigheten som inte lämnades, och varför.",
    "LefiExternAvvikelseFormanGrupp": "En förmånsgrupp hos någon av utlämnarna som inte lämnades, och varför.",
    "LefiExternAvvikelseOvrigInformationTyp": "En typ av övrig information som inte lämnades, och varför.",
    "LefiUtlamnareTillstand": "En utlämnare och dess tillstånd; är det inte OK är uppgifterna okända, inte noll.",
    "LefiUtlamnare": "En myndighet som lämnar ut uppgifter.",
    "LefiUtlamnareKod": "Kod för utlämnaren: FK för Försäkringskassan, PM för Pensionsmyndigheten.",
    "LefiFormansinformation": "Försäkringskassans uppgifter, en lista för varje slag.",
    "LefiPersoninformation": "Generella uppgifter om personen.",
    "LefiPerson": "En person, till exempel ett barn eller en medsökande.",
    "LefiAdress": "En adress och dess roller.",
    "LefiLand": "Ett land, med kod och namn.",
    "LefiSifferkod": "En kod i siffror, med beskrivning; kodlistorna är inte publicerade.",
    "LefiBokstavskod": "En kod i bokstäver, med beskrivning; kodlistorna är inte publicerade.",
    "LefiArbetsstalle": "Personens arbetsställe.",
    "LefiArbetsgivare": "En arbetsgivare.",
    "LefiKontaktuppgifter": "Kontaktuppgifter: namn, telefon och e-post.",
    "LefiOmfattning": "En omfattning som bråk, täljare och nämnare.",
    "LefiBelopp": "Ett belopp och dess valuta.",
    "LefiFolkbokforingsuppgift": "Län och kommun för folkbokföring.",
    "LefiMedborgarskap": "Ett medborgarskap.",
    "LefiMottagareAvBarnbidragInstitution": "En institution vid institutionsplacering.",
    "LefiForaldrapenningErsattningsdag": "En dag med ersättning i ett beslut om föräldrapenning.",
    "LefiForaldrapenningAnspraksdag": "En dag som föräldrapenning begärs för.",
    "LefiForebyggandeSjukpenningDag": "En dag i ett beslut om förebyggande sjukpenning.",
    "LefiRehabersattningDag": "En dag i ett beslut om rehabersättning.",
    "LefiSjukpenningDag": "En dag i ett beslut om sjukpenning.",
    "LefiProgramersattningDag": "En dag i ett beslut om programersättning.",
    "LefiTillfalligForaldrapenningDag": "En dag som har bedömts för tillfällig föräldrapenning.",
    "LefiMerkostnadsersattningPeriodbeslut": "En period i ett beslut om merkostnadsersättning.",
    "LefiOmvardnadsbidragPeriodBeslut": "En period i ett beslut om omvårdnadsbidrag.",
    "LefiProgramanvisning": "En anvisning till ett program.",
    "LefiProgramjobdagar": "Förbrukade programjobdagar.",
    "LefiSjukOchAktivitetsersattningSteglosAvrakning": "Ett års steglösa avräkning av sjuk- och aktivitetsersättning.",
    "LefiSjukpenninggrundandeInkomstUppgift": "En uppgift om sjukpenninggrundande inkomst.",
    "LefiSkatteuppgift": "En skatteuppgift.",
    "LefiStudiemedelAvisering": "En avisering om studiemedel.",
    "LefiLevnadsintygUppgift": "En uppgift om levnadsintyg från Försäkringskassan.",
    "LefiUnderhallsskuld": "En underhållsskuld.",
    "LefiUtbetalningUppgift": "En utbetalning från Försäkringskassan, preliminär eller gjord.",
    "LefiUtbetalningDetalj": "En del av en utbetalning från Försäkringskassan.",
    "LefiIntjanandeBehallning": "Intjänad behållning.",
    "LefiIntjanandeUppgift": "Intjänade pensionsuppgifter för ett år.",
    "LefiIntjanandeUnderlag": "Underlag för intjänade pensionsuppgifter.",
    "LefiIntjanandeBehallningUnderlag": "Underlag för intjänad behållning.",
    "LefiIntjanandePensionUnderlag": "Underlag för intjänad pension.",
    "LefiIntjanandePoangUnderlag": "Underlag för intjänade poäng.",
    "LefiIntjanandeForandring": "En förändring av pensionsbehållningen.",
    "LefiIntjanandeGrund": "Ett belopp och dess typ.",
    "LefiIntjanandePoang": "Poäng och deras typ.",
    "LefiIntjanandePgbForPlikt": "Pensionsgrundande belopp för plikttjänst.",
    "LefiIntjanandePgbForStudier": "Pensionsgrundande belopp för studier.",
    "LefiIntjanandePgbForBarn": "Pensionsgrundande belopp för barn.",
    "LefiIntjanandePgbForSa": "Pensionsgrundande belopp för sjuk- och aktivitetsersättning.",
    "LefiIntjanandePgbForSaManadsunderlag": "En månads underlag för belopp för sjuk- och aktivitetsersättning.",
    "LefiIntjanandePgbForAntagandepoang": "Pensionsgrundande belopp för antagandepoäng.",
    "LefiIntjanandeBarnBeslut": "Ett beslut om intjänande för barn.",
    "LefiPmFormanAnsprak": "Ett anspråk på en förmån hos Pensionsmyndigheten.",
    "LefiPmFormanBeslut": "Ett beslut om en förmån hos Pensionsmyndigheten.",
    "LefiPmFormanBeslutadErsattning": "En ersättning som Pensionsmyndigheten har beslutat.",
    "LefiPmFormanBeslutatBelopp": "Ett beslutat belopp och hur ofta det gäller.",
    "LefiPmFormanBeslutadErsattningUnderlag": "Underlag för en beslutad ersättning, ett för varje slag.",
    "LefiPmFormanBeslutadErsattningUnderlagLivranta": "Underlag för livränta.",
    "LefiPmFormanBeslutadErsattningUnderlagSamordning": "Underlag för samordning av en beslutad ersättning.",
    "LefiPmFormanBeslutTillagg": "Tillägg till ett beslut, ett för varje förmånsområde.",
    "LefiPmFormanBeslutTillaggAllmanpension": "Tillägg till ett beslut om allmän pension.",
    "LefiPmFormanBeslutTillaggBostadsInkomststod": "Tillägg till ett beslut om bostads- och inkomststöd.",
    "LefiPmFormanBeslutTillaggBostadsInkomststodBerakningsunderlag": "Beräkningsunderlag för bostads- och inkomststöd.",
    "LefiPmFormanBeslutTillaggEfterlevandeformaner": "Tillägg till ett beslut om förmåner till efterlevande.",
    "LefiPmFormanBeslutTillaggEfterlevandeformanerAvliden": "En avliden som förmåner till efterlevande grundas på.",
    "LefiPmFormanBeslutTillaggEfterlevandeFormanderOvrigBerattigadEfterlevande": (
        "En annan efterlevande med rätt till förmåner."
    ),
    "LefiPmFormanUtbetalning": "En utbetalning från Pensionsmyndigheten, preliminär eller gjord.",
    "LefiPmFormanUtbetalningAvdrag": "Ett avdrag på en utbetalning.",
    "LefiPmFormanUtbetalningRad": "En rad i en utbetalning.",
    "LefiPmOvrigInformation": "Övrig information från Pensionsmyndigheten, av den typ som informationstyp anger.",
    "LefiPmLevnadsintyg": "En uppgift om levnadsintyg från Pensionsmyndigheten.",
    "LefiPmPensionBehallning": "Pensionsbehållning, konto för konto.",
    "LefiPmPensionKonto": "Ett pensionskonto och dess värden.",
    "LefiPmPensionKontoVarde": "Ett värde på ett pensionskonto.",
    "LefiPmPensionKontoHandelse": "En händelse på ett pensionskonto.",
    "LefiPmPensionKontoTransaktion": "En transaktion på ett pensionskonto.",
    "LefiPmPensionUnderlag": "Pensionsunderlag, år för år.",
    "LefiPmPensionUnderlagIntjanandeAr": "Ett intjänandeår och dess pensionsgrundande belopp.",
}

# Their names end in abbreviations that no source of ours spells out.
UNEXPLAINED = {
    f"LefiPmFormanBeslutadErsattningUnderlag{name}"
    for name in ("Ankep", "Bp", "Garp", "GarpAp37", "GarpEp", "Ip", "Op", "Tp")
}


def made() -> str:
    """The schema file's text, from the facts."""
    return json.dumps(schema(yaml.safe_load(FACTS.read_text(encoding="utf-8"))), ensure_ascii=False, indent=2) + "\n"


def schema(facts: Schema) -> Schema:
    """The JSON Schema of *facts*; only `$defs`, so its user says which of them a document is to be held to."""
    explained = descriptions()
    definitions: dict[str, Schema] = {}
    for name, fact in facts["schemas"].items():
        definitions[name] = ({"description": explained[name]} if name in explained else {}) | _schema(fact)
    for name in OBJECT_OR_EMPTY_ARRAY:
        definitions[name] |= {"type": ["object", "array"], "maxItems": 0}
    properties = definitions[QUESTION]["properties"]
    properties["period"] = {"allOf": [properties["period"], {"properties": {"from": DATE, "tom": DATE}}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": DESCRIPTION,
        "$defs": definitions,
    }


def descriptions() -> dict[str, str]:
    """What each definition is, in Swedish, by its name."""
    out = dict(OTHERS)
    for benefit, words in BENEFITS.items():
        out |= {f"Lefi{benefit}{role}": text.format(words) for role, text in ROLES.items()}
    for name, words in CODED.items():
        out[name] = f"{words[0].upper()}{words[1:]}, med kod och beskrivning."
        out[f"{name}Kod"] = f"Kod för {words}."
    return out


def _schema(fact: Any) -> Schema:  # noqa: ANN401 - plain data of any shape
    match fact:
        case str() if fact.startswith("Lefi"):
            return {"$ref": f"#/$defs/{fact}"}
        case str():
            kind, _, form = fact.partition(" ")
            return {"type": kind} | ({"format": form.strip("()")} if form else {})
        case {"array of": item}:
            return {"type": "array", "items": _schema(item)} | _without(fact, "array of")
        case {"properties": dict(properties)}:
            own = {name: _schema(inner) for name, inner in properties.items()}
            return {"type": "object", "properties": own} | _without(fact, "properties")
        case {"enum": list(codes)}:
            (kind,) = {"integer" if isinstance(code, int) else "string" for code in codes}
            return {"type": kind, KNOWN_CODES: codes}
        case {"type": "string", "pattern": pattern}:
            return {"type": "string", "pattern": pattern}
        case _:
            raise ValueError(f"unknown form of fact: {fact}")


def _without(fact: Schema, key: str) -> Schema:
    return {name: value for name, value in fact.items() if name != key}


if __name__ == "__main__":
    SCHEMA.write_text(made(), encoding="utf-8")
