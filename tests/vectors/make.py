"""Writes `questions/`: SOAP messages named by what they are or by their flaw, all from one template.

`python tests/vectors/make.py` writes the folder anew; a test fails where the folder and this script differ. `VALID` and
`FLAWED` say what the gateway owes each of them. Persons are Skatteverket's test numbers, organisations test ones.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssbtek_gateway.contracts.contract import Contract

FOLDER = Path(__file__).parent / "questions"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
SSBT = "http://schema.forsakringskassan.se/integration/ssbt/10"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

PERSON = "191212121212"
# Whom a question of that name in VALID is about. The wrong check digit is in a public client's own tests.
OTHER_PERSONS = {
    "samordningsnummer": "191212721219",
    "samordningsnummer-without-month": "191500722390",
    "check-digit-wrong": "199001011234",
}
KOMMUN, BITRADE = "162021004748", "165560000167"


def arabic(text: str) -> str:
    """`text` with Arabic-Indic digits, which XML Schema's `\\d` and Python's `int` take for digits too."""
    return text.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})


def fullwidth(text: str) -> str:
    """`text` with the fullwidth digits of East Asian typography."""
    return text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})


def lefi(person: str) -> str:
    """A question to Försäkringskassan about `person`, as it stands in `lefiJsonFraga`."""
    return b64encode(f'{{"personnummer": "{person}", "formansgrupper": ["FP"]}}'.encode()).decode()


TEMPLATE = f"""\
<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:ssbt="{SSBT}">
  <soapenv:Header/>
  <soapenv:Body>
    <ssbt:hamtaBastjanstInformation>
      <ssbt:generellaFrageparametrar>
        <ssbt:frageTidpunkt>2026-02-16T08:30:00+01:00</ssbt:frageTidpunkt>
        <ssbt:korrelationsid>fråga 4711 &lt;&amp;&gt;</ssbt:korrelationsid>
        <ssbt:fraganSkallInkluderasISvaret>false</ssbt:fraganSkallInkluderasISvaret>
        <ssbt:ingivare>
          <ssbt:organisationsnummer>{KOMMUN}</ssbt:organisationsnummer>
          <ssbt:namn>Testkommunen</ssbt:namn>
          <ssbt:handlaggare>asa01</ssbt:handlaggare>
        </ssbt:ingivare>
        <ssbt:personidentitet>{PERSON}</ssbt:personidentitet>
        <ssbt:arendeidentitet>Ärende-17</ssbt:arendeidentitet>
        <ssbt:tidsperiod>
          <ssbt:fromDatum>2026-01-01</ssbt:fromDatum>
          <ssbt:tomDatum>2026-01-31</ssbt:tomDatum>
        </ssbt:tidsperiod>
        <ssbt:personuppgiftsbitrade>
          <ssbt:ordningsnummer>1</ssbt:ordningsnummer>
          <ssbt:organisationsnummer>{BITRADE}</ssbt:organisationsnummer>
          <ssbt:namn>Testbolaget</ssbt:namn>
        </ssbt:personuppgiftsbitrade>
        <ssbt:syfte>Handläggning av ekonomiskt bistånd</ssbt:syfte>
        <ssbt:lagtext>11 kap. 11 § SoL</ssbt:lagtext>
      </ssbt:generellaFrageparametrar>
      <ssbt:specifikaFrageparametrar>
        <ssbt:AF inkludera="true"/>
        <ssbt:CSN inkludera="true"/>
        <ssbt:FK inkludera="true">
          <ssbt:fraga>
            <ssbt:version>v9</ssbt:version>
            <ssbt:aktorsid>TEST-01</ssbt:aktorsid>
            <ssbt:lefiJsonFraga>{lefi(PERSON)}</ssbt:lefiJsonFraga>
          </ssbt:fraga>
        </ssbt:FK>
        <ssbt:SKV inkludera="true"/>
        <ssbt:SO inkludera="true">
          <ssbt:tidsperiod>
            <ssbt:fromDatum>2025-12-01</ssbt:fromDatum>
            <ssbt:tomDatum>2026-01-15</ssbt:tomDatum>
          </ssbt:tidsperiod>
        </ssbt:SO>
        <ssbt:TNS inkludera="true"/>
        <ssbt:MIV inkludera="true"/>
      </ssbt:specifikaFrageparametrar>
    </ssbt:hamtaBastjanstInformation>
  </soapenv:Body>
</soapenv:Envelope>
"""

_SECTION = re.compile(r'<ssbt:(AF|CSN|FK|SKV|SO|TNS|MIV) inkludera="true"(?:/>|>.*?</ssbt:\1>)', re.DOTALL)


@dataclass(frozen=True)
class Flaw:
    """What a flawed message must end in: `felkod`, and texts that say `says` but never repeat `value`."""

    content: bytes
    felkod: str
    says: str
    value: str = ""
    soap: str = "Client"


def edited(*edits: tuple[str, str]) -> str:
    """The template with each `old` (which must stand there exactly once) replaced by its `new`."""
    text = TEMPLATE
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"stands {text.count(old)} times in the template: {old}")
        text = text.replace(old, new)
    return text


def only(*koder: str) -> str:
    """The template with only these base services included, over the general period."""
    return _SECTION.sub(lambda m: f'<ssbt:{m[1]} inkludera="{str(m[1] in koder).lower()}"/>', TEMPLATE)


def leaf(name: str, old: str, new: str) -> tuple[str, str]:
    """An edit that gives the element `name` the content `new`."""
    return f"<ssbt:{name}>{old}</ssbt:{name}>", f"<ssbt:{name}>{new}</ssbt:{name}>"


def person(new: str) -> str:
    return edited(leaf("personidentitet", PERSON, new))


def about(new: str) -> bytes:
    """The whole question about another person."""
    return _sent(edited(leaf("personidentitet", PERSON, new), leaf("lefiJsonFraga", lefi(PERSON), lefi(new))))


def _header(attributes: str) -> tuple[str, str]:
    """An edit that gives the header one block."""
    return "<soapenv:Header/>", f'<soapenv:Header><x:block xmlns:x="urn:x" {attributes}/></soapenv:Header>'


def _declared(encoding: str, text: str = TEMPLATE) -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'.encode(encoding)


def _sent(text: str) -> bytes:
    return text.encode()


_ADDRESSING = "".join(
    f'<a:{name} xmlns:a="http://www.w3.org/2005/08/addressing"><a:Address>http://127.0.0.1:9/</a:Address></a:{name}>'
    for name in ("To", "From", "ReplyTo", "FaultTo")
)
_SCHEMA_LOCATION = (
    f'x:schemaLocation="{SSBT} http://127.0.0.1:9/a.xsd" x:noNamespaceSchemaLocation="http://127.0.0.1:9/b.xsd"'
)
# A line and a header of its own, a log4j lookup, formats, the end of CDATA, a C1 control that some terminals obey.
HOSTILE_TEXT = "a&#13;&#10;X-Header: b ${jndi:ldap://127.0.0.1:9/c} %s%n%00 ]]&gt;&lt;d/&gt; \x9b31m \u202e"
_PERSON_ELEMENT = f"<ssbt:personidentitet>{PERSON}</ssbt:personidentitet>"
_INGIVARE_NUMBER = leaf("organisationsnummer", KOMMUN, KOMMUN)[0]
_BITRADE_ELEMENT = TEMPLATE[
    TEMPLATE.index("        <ssbt:personuppgiftsbitrade>") : TEMPLATE.index("        <ssbt:syfte>")
]
_BODY = TEMPLATE[TEMPLATE.index("  <soapenv:Body>") : TEMPLATE.index("</soapenv:Envelope>")]
_OPERATION = _BODY.removeprefix("  <soapenv:Body>\n").removesuffix("  </soapenv:Body>\n")

VALID: dict[str, bytes] = {
    "everything": _sent(TEMPLATE),
    **{f"only-{kod.lower()}": _sent(only(kod)) for kod in ("AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV")},
    "without-what-is-optional": _sent(
        edited(
            ("  <soapenv:Header/>\n", ""),
            ("        <ssbt:frageTidpunkt>2026-02-16T08:30:00+01:00</ssbt:frageTidpunkt>\n", ""),
            ("        <ssbt:korrelationsid>fråga 4711 &lt;&amp;&gt;</ssbt:korrelationsid>\n", ""),
            (_BITRADE_ELEMENT, ""),
        )
    ),
    "question-wanted-back": _sent(edited(leaf("fraganSkallInkluderasISvaret", "false", "true"))),
    "question-wanted-back-empty-is-no": _sent(edited(leaf("fraganSkallInkluderasISvaret", "false", ""))),
    "two-bitraden-out-of-order": _sent(
        edited(
            (
                _BITRADE_ELEMENT,
                _BITRADE_ELEMENT.replace("r>1<", "r>2<").replace(BITRADE, "162120009994") + _BITRADE_ELEMENT,
            )
        )
    ),
    "white-space-round-tokens": _sent(
        edited(
            leaf("personidentitet", PERSON, f"\n          {PERSON}\t"),
            (_INGIVARE_NUMBER, f"<ssbt:organisationsnummer>\n{KOMMUN} </ssbt:organisationsnummer>"),
        )
    ),
    "dates-with-time-zone": _sent(
        edited(leaf("fromDatum", "2026-01-01", "2026-01-01Z"), leaf("tomDatum", "2026-01-31", "2026-01-31+01:00"))
    ),
    **{name: about(number) for name, number in OTHER_PERSONS.items()},
    "cdata": _sent(edited(leaf("personidentitet", PERSON, f"<![CDATA[{PERSON}]]>"))),
    "character-references": _sent(person("".join(f"&#{ord(digit)};" for digit in PERSON))),
    "default-namespace": _sent(TEMPLATE.replace("<ssbt:", "<").replace("</ssbt:", "</").replace("xmlns:ssbt", "xmlns")),
    "header-block-for-another-actor": _sent(edited(_header('soapenv:actor="urn:somebody" soapenv:mustUnderstand="1"'))),
    "header-block-that-may-be-ignored": _sent(edited(_header(""))),
    "header-block-for-no-actor-and-no-must": _sent(edited(_header('soapenv:actor="" soapenv:mustUnderstand="0"'))),
    "addressing": _sent(edited(("<soapenv:Header/>", f"<soapenv:Header>{_ADDRESSING}</soapenv:Header>"))),
    "schema-location": _sent(
        edited(
            ("<ssbt:hamtaBastjanstInformation>", f'<ssbt:hamtaBastjanstInformation xmlns:x="{XSI}" {_SCHEMA_LOCATION}>')
        )
    ),
    "xml-base": _sent(edited(("<soapenv:Envelope ", '<soapenv:Envelope xml:base="http://127.0.0.1:9/" '))),
    "hostile-texts": _sent(
        edited(
            leaf("fraganSkallInkluderasISvaret", "false", "true"),
            leaf("korrelationsid", "fråga 4711 &lt;&amp;&gt;", HOSTILE_TEXT),
            leaf("handlaggare", "asa01", HOSTILE_TEXT),
            leaf("arendeidentitet", "Ärende-17", HOSTILE_TEXT),
            leaf("lagtext", "11 kap. 11 § SoL", HOSTILE_TEXT),
        )
    ),
    "byte-order-mark": b"\xef\xbb\xbf" + _sent(TEMPLATE),
    "utf-16": _declared("utf-16"),
    "iso-8859-1": _declared("iso-8859-1"),
}


def _invalid(says: str, *edits: tuple[str, str], value: str = "") -> Flaw:
    return Flaw(_sent(edited(*edits)), "OGILTIG_FRAGA", says, value)


def _unreadable(says: str, content: bytes | str, value: str = "") -> Flaw:
    return Flaw(_sent(content) if isinstance(content, str) else content, "OGILTIGT_MEDDELANDE", says, value)


_NOT_XML = "inte välformad XML"
_BEYOND = "för många, för långa eller för djupt nästlade"
_ENCODING = "Teckenkodningen stöds inte"
_COMMENT = "kommentar eller processinstruktion"
_CHILDREN = "högst en Header följd av exakt en Body"
_ONE = "Body ska innehålla exakt ett element"
_NUMBER = "organisationsnummer: ska vara tolv siffror"
_TWELVE = "personidentitet: ska vara tolv siffror"
_BORN = "personidentitet: ska börja med ett födelsedatum"
_DATE = "ett datum på formen ÅÅÅÅ-MM-DD"
_TWICE = f'{{"personnummer": "{PERSON}", "personnummer": "194408139089"}}'
_MANY_ATTRIBUTES = " ".join(f'a{n}=""' for n in range(2_001))
_MANY_NAMESPACES = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(201))
_BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))


def _huge() -> str:
    return f'{{"personnummer": "{PERSON}", "x": {"9" * 5_000}}}'


def _deep() -> str:
    return f'{{"personnummer": "{PERSON}", "x": {"[" * 2_000}{"]" * 2_000}}}'


_XML_FLAWS: dict[str, Flaw] = {
    "empty": _unreadable(_NOT_XML, b""),
    "json": _unreadable(_NOT_XML, f'{{"personidentitet": "{PERSON}"}}'),
    "html": _unreadable(_NOT_XML, "<html><body><p>Inloggning<br></body></html>"),
    "truncated": _unreadable(_NOT_XML, TEMPLATE[:-20]),
    "two-roots": _unreadable(_NOT_XML, TEMPLATE + TEMPLATE),
    "text-after-envelope": _unreadable(_NOT_XML, f"{TEMPLATE}trailing"),
    "not-utf-8": _unreadable(_NOT_XML, TEMPLATE.encode("iso-8859-1")),
    "nul": _unreadable(_NOT_XML, TEMPLATE.replace("asa01", "asa\x0001")),
    "overlong-utf-8": _unreadable(_NOT_XML, _sent(TEMPLATE).replace(b"asa01", b"asa\xc0\xaf01")),
    "cesu-8": _unreadable(_NOT_XML, _sent(TEMPLATE).replace(b"asa01", b"asa\xed\xa0\xbd\xed\xb8\x8001")),
    "character-reference-to-nul": _unreadable(_NOT_XML, TEMPLATE.replace("asa01", "asa&#0;01")),
    "character-reference-to-surrogate": _unreadable(_NOT_XML, TEMPLATE.replace("asa01", "asa&#xD800;01")),
    "xml-id-twice": _unreadable(
        _NOT_XML,
        edited(
            ('<ssbt:AF inkludera="true"/>', '<ssbt:AF xml:id="a"/>'), ("<ssbt:ingivare>", '<ssbt:ingivare xml:id="a">')
        ),
    ),
    "character-reference-to-nothing": _unreadable(_NOT_XML, TEMPLATE.replace("asa01", "asa&#1;01")),
    "duplicate-attribute": _unreadable(
        _NOT_XML, edited(('<ssbt:AF inkludera="true"/>', '<ssbt:AF inkludera="true" inkludera="true"/>'))
    ),
    "unbound-prefix": _unreadable(
        _NOT_XML, edited(("<ssbt:syfte>", "<nowhere:syfte>"), ("ssbt:syfte>", "nowhere:syfte>"))
    ),
    "undefined-entity": _unreadable(_NOT_XML, person("&okand;")),
    "deep": _unreadable(_BEYOND, person("<a>" * 100 + "</a>" * 100)),
    "deeper-than-the-parser-goes": _unreadable(_BEYOND, person("<a>" * 500 + "</a>" * 500)),
    "many-attributes": _unreadable(_BEYOND, edited(("<ssbt:AF ", f"<ssbt:AF {_MANY_ATTRIBUTES} "))),
    "many-elements": _unreadable(_BEYOND, person("<a/>" * 4_001)),
    "many-namespaces": _unreadable(_BEYOND, edited(("<ssbt:AF ", f"<ssbt:AF {_MANY_NAMESPACES} "))),
    "doctype": _unreadable("DOCTYPE", f"<!DOCTYPE Envelope>{TEMPLATE}"),
    "doctype-with-empty-subset": _unreadable("DOCTYPE", f"<!DOCTYPE Envelope []>{TEMPLATE}"),
    "doctype-iso-8859-1": _unreadable("DOCTYPE", _declared("iso-8859-1", f"<!DOCTYPE Envelope>{TEMPLATE}")),
    "doctype-utf-16": _unreadable("DOCTYPE", _declared("utf-16", f"<!DOCTYPE Envelope>{TEMPLATE}")),
    "doctype-external": _unreadable("DOCTYPE", f'<!DOCTYPE Envelope SYSTEM "http://127.0.0.1:9/x.dtd">{TEMPLATE}'),
    "entity-from-file": _unreadable(
        "DOCTYPE", f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>{person("&e;")}'
    ),
    "entity-parameter": _unreadable(
        "DOCTYPE", f'<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1:9/x.dtd"> %e;]>{TEMPLATE}'
    ),
    "entity-recursive": _unreadable("", f'<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]>{person("&a;")}'),
    "billion-laughs": _unreadable("", f'<!DOCTYPE x [<!ENTITY e0 "ha">{_BOMB}]>{person("&e9;")}'),
    "billion-laughs-in-attribute": _unreadable(
        "",
        f'<!DOCTYPE x [<!ENTITY e0 "ha">{_BOMB}]>'
        + edited(('<ssbt:AF inkludera="true"/>', '<ssbt:AF inkludera="&e9;"/>')),
    ),
    "xml-1.1": _unreadable("XML 1.0", f'<?xml version="1.1"?>{TEMPLATE}'),
    "utf-7": _unreadable(_ENCODING, f'<?xml version="1.0" encoding="utf-7"?>{TEMPLATE}'.replace("å", "a")),
    "ebcdic": _unreadable(_NOT_XML, _declared("cp500", TEMPLATE)),
    "utf-32": _unreadable(_ENCODING, _declared("utf-32")),
    "encoding-unknown": _unreadable(_ENCODING, f'<?xml version="1.0" encoding="klingon-8"?>{TEMPLATE}'),
    "encoding-contradicts-byte-order-mark": _unreadable(
        "olika teckenkodning", b"\xef\xbb\xbf" + f'<?xml version="1.0" encoding="iso-8859-1"?>{TEMPLATE}'.encode()
    ),
    "comment-before-envelope": _unreadable(_COMMENT, f"<!-- hej -->{TEMPLATE}"),
    "comment-after-envelope": _unreadable(_COMMENT, f"{TEMPLATE}<!-- hej -->"),
    "comment-in-personidentitet": _unreadable(_COMMENT, person(f"{PERSON[:4]}<!-- -->{PERSON[4:]}")),
    "instruction-in-personidentitet": _unreadable(_COMMENT, person(f"{PERSON[:4]}<?a b?>{PERSON[4:]}")),
    "stylesheet": _unreadable(_COMMENT, f'<?xml-stylesheet href="http://127.0.0.1:9/"?>{TEMPLATE}'),
}

_SOAP_FLAWS: dict[str, Flaw] = {
    "no-envelope": _unreadable("inte ett SOAP-kuvert", f'<hej xmlns="{SSBT}"/>'),
    "soap-1.2": Flaw(
        _sent(TEMPLATE.replace(SOAP, "http://www.w3.org/2003/05/soap-envelope")),
        "OGILTIGT_MEDDELANDE",
        "Använd SOAP 1.1",
        soap="VersionMismatch",
    ),
    "envelope-of-an-unknown-namespace": Flaw(
        _sent(TEMPLATE.replace(SOAP, "urn:okand")), "OGILTIGT_MEDDELANDE", "Använd SOAP 1.1", soap="VersionMismatch"
    ),
    "text-beside-body": _unreadable(_CHILDREN, edited((_BODY, f"{_BODY}hej"))),
    "no-body": _unreadable(_CHILDREN, edited((_BODY, ""))),
    "two-bodies": _unreadable(_CHILDREN, edited((_BODY, _BODY + _BODY))),
    "two-headers": _unreadable(_CHILDREN, edited(("<soapenv:Header/>", "<soapenv:Header/><soapenv:Header/>"))),
    "body-before-header": _unreadable(
        _CHILDREN, edited(("  <soapenv:Header/>\n", ""), (_BODY, f"{_BODY}<soapenv:Header/>"))
    ),
    "element-after-body": _unreadable(_CHILDREN, edited((_BODY, f'{_BODY}<x:y xmlns:x="urn:x"/>'))),
    "empty-body": _unreadable(_ONE, edited((_OPERATION, ""))),
    "text-in-body": _unreadable(_ONE, edited((_OPERATION, PERSON))),
    "text-beside-operation": _unreadable(_ONE, edited((_OPERATION, f"{_OPERATION}hej"))),
    "two-operations": _unreadable(_ONE, edited((_OPERATION, _OPERATION + _OPERATION))),
    "encoding-style": _unreadable(
        "utan encodingStyle",
        edited(("<soapenv:Body>", '<soapenv:Body soapenv:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">')),
    ),
    "header-block-not-understood": Flaw(
        _sent(edited(_header('soapenv:mustUnderstand="1"'))),
        "OGILTIGT_MEDDELANDE",
        "mustUnderstand",
        soap="MustUnderstand",
    ),
    **{
        f"header-block-not-understood-{name}": Flaw(
            _sent(edited(_header(attributes))), "OGILTIGT_MEDDELANDE", "mustUnderstand", soap="MustUnderstand"
        )
        for name, attributes in {
            "true": 'soapenv:mustUnderstand="true"',
            "by-the-next-actor": f'soapenv:mustUnderstand="1" soapenv:actor="{NEXT}"',
            "by-words-of-its-own": 'soapenv:mustUnderstand=" ja "',
        }.items()
    },
    "version-9": Flaw(
        _sent(TEMPLATE.replace("ssbt/10", "ssbt/9")), "OKAND_VERSION", "Den här adressen tar emot version "
    ),
    "unknown-operation": Flaw(
        _sent(TEMPLATE.replace("hamtaBastjanst", "hittaBastjanst")), "OGILTIG_FRAGA", "hamtaBastjanstInformation"
    ),
    "answer-as-question": Flaw(
        _sent(TEMPLATE.replace("hamtaBastjanstInformation", "hamtaBastjanstInformationResponse")),
        "OGILTIG_FRAGA",
        "hamtaBastjanstInformation",
    ),
}

_CONTRACT_FLAWS: dict[str, Flaw] = {
    **{
        f"personidentitet-{name}": Flaw(_sent(person(value)), "OGILTIG_FRAGA", _TWELVE, value)
        for name, value in {
            "eleven-digits": PERSON[:11],
            "hyphen": f"{PERSON[:8]}-{PERSON[8:]}",
            "arabic-digits": arabic(PERSON),
            "fullwidth-digits": fullwidth(PERSON),
        }.items()
    },
    **{
        f"personidentitet-{name}": Flaw(about(value), "OGILTIG_FRAGA", _BORN, value)
        for name, value in {
            "impossible-day": "199002301234",
            "impossible-month": "199013011234",
            "of-an-organisation": BITRADE,
            "samordningsnummer-impossible-day": "199001921234",
            "year-0000": "000001011234",
            "not-born-yet": "299901011234",
            "samordningsnummer-not-born-yet": "299901611234",
        }.items()
    },
    "personidentitet-empty": _invalid(_TWELVE, leaf("personidentitet", PERSON, "")),
    "personidentitet-in-child": _invalid("personidentitet: ", leaf("personidentitet", PERSON, f"<a>{PERSON}</a>")),
    "personidentitet-nil": _invalid(
        "xsi:nil", (_PERSON_ELEMENT, f'<ssbt:personidentitet xmlns:x="{XSI}" x:nil="true"/>')
    ),
    "personidentitet-missing": _invalid("Här ska personidentitet stå", (_PERSON_ELEMENT, "")),
    "personidentitet-without-namespace": _invalid(
        "Här ska personidentitet stå", (_PERSON_ELEMENT, f"<personidentitet>{PERSON}</personidentitet>")
    ),
    "personidentitet-twice": _invalid("personidentitet: elementen", (_PERSON_ELEMENT, _PERSON_ELEMENT * 2)),
    **{
        f"organisationsnummer-{name}": _invalid(
            _NUMBER,
            (_INGIVARE_NUMBER, f"<ssbt:organisationsnummer>{value}</ssbt:organisationsnummer>"),
            value=value,
        )
        for name, value in {
            "ten-digits": KOMMUN[2:],
            "of-a-person": PERSON,
            "arabic-digits": arabic(KOMMUN),
            "fullwidth-digits": fullwidth(KOMMUN),
        }.items()
    },
    "bitrade-organisationsnummer-arabic-digits": _invalid(
        _NUMBER, leaf("organisationsnummer", BITRADE, arabic(BITRADE)), value=arabic(BITRADE)
    ),
    "bitrade-ordningsnummer-text": _invalid("ordningsnummer: ska vara ett heltal", leaf("ordningsnummer", "1", "ett")),
    "namn-empty": _invalid("namn: ska vara minst ett tecken", leaf("namn", "Testkommunen", "")),
    "handlaggare-empty": _invalid("handlaggare: ska vara minst ett tecken", leaf("handlaggare", "asa01", "")),
    "arendeidentitet-empty": _invalid("arendeidentitet: ska vara minst", leaf("arendeidentitet", "Ärende-17", "")),
    "frage-tidpunkt-without-time": _invalid(
        "frageTidpunkt: ska vara en tidpunkt", leaf("frageTidpunkt", "2026-02-16T08:30:00+01:00", "2026-02-16")
    ),
    "question-wanted-back-ja": _invalid(
        "fraganSkallInkluderasISvaret: ska vara true eller false", leaf("fraganSkallInkluderasISvaret", "false", "ja")
    ),
    **{
        f"date-{name}": _invalid(f"fromDatum: ska vara {_DATE}", leaf("fromDatum", "2026-01-01", value), value=value)
        for name, value in {
            "no-such-day": "2026-02-30",
            "compact": "20260101",
            "with-time": "2026-01-01T00:00:00",
            "year-12026": "12026-01-01",
            "year-0026": "0026-01-01",
            "year-0000": "0000-01-01",
            "before-christ": "-0044-03-15",
            "arabic-digits": arabic("2026-01-01"),
        }.items()
    },
    "tidsperiod-reversed": _invalid(
        "tidsperiod: fromDatum får inte vara senare än tomDatum", leaf("tomDatum", "2026-01-31", "2025-12-31")
    ),
    "own-tidsperiod-reversed": _invalid(
        "tidsperiod: fromDatum får inte vara senare än tomDatum", leaf("tomDatum", "2026-01-15", "2025-11-30")
    ),
    "lefi-question-not-base64": _invalid(
        "lefiJsonFraga: ska vara JSON", leaf("lefiJsonFraga", lefi(PERSON), lefi(PERSON)[:-1])
    ),
    **{
        f"lefi-question-{name}": _invalid(says, leaf("lefiJsonFraga", lefi(PERSON), value))
        for name, says, value in (
            ("about-another-person", "personnummer ska vara detsamma som personidentitet", lefi("194408139089")),
            ("about-nobody", "ska vara ett JSON-objekt med personnummer", b64encode(b"{}").decode()),
            ("not-an-object", "ska vara ett JSON-objekt med personnummer", b64encode(b"[]").decode()),
            ("not-json", "lefiJsonFraga: ska vara JSON", b64encode(b"<fraga/>").decode()),
            ("not-utf-8", "lefiJsonFraga: ska vara JSON", b64encode(b'{"personnummer": "\xe5"}').decode()),
            ("deep", "lefiJsonFraga: ska vara JSON", b64encode(b"[" * 2_000).decode()),
            ("huge-integer", "lefiJsonFraga: ska vara JSON", b64encode(_huge().encode()).decode()),
            ("deep-beside-personnummer", "lefiJsonFraga: ska vara JSON", b64encode(_deep().encode()).decode()),
            ("name-twice", "lefiJsonFraga: ska vara JSON", b64encode(_TWICE.encode()).decode()),
            ("stray-characters", "lefiJsonFraga: ska vara JSON", f"*{lefi(PERSON)}*"),
        )
    },
    "none-included": Flaw(_sent(only()), "OGILTIG_FRAGA", "specifikaFrageparametrar: ange inkludera"),
    "inkludera-ja": _invalid(
        "inkludera: ska vara true eller false", ('<ssbt:AF inkludera="true"/>', '<ssbt:AF inkludera="ja"/>')
    ),
    "inkludera-missing": _invalid(
        "AF: ett obligatoriskt attribut saknas. Ange inkludera", ('<ssbt:AF inkludera="true"/>', "<ssbt:AF/>")
    ),
    "section-missing": _invalid("Här ska SKV stå", ('<ssbt:SKV inkludera="true"/>', "")),
    "sections-out-of-order": _invalid(
        "Här ska AF stå",
        ('<ssbt:AF inkludera="true"/>', ""),
        ('<ssbt:CSN inkludera="true"/>', '<ssbt:CSN inkludera="true"/><ssbt:AF inkludera="true"/>'),
    ),
    "section-after-the-last": _invalid(
        "PM: elementet ska inte finnas här",
        ('<ssbt:MIV inkludera="true"/>', '<ssbt:MIV inkludera="true"/><ssbt:PM inkludera="true"/>'),
    ),
    "tidsperiod-in-skv": _invalid(  # version 10 wants SKV empty, 11 a fraga in it
        ": ", ('<ssbt:SKV inkludera="true"/>', '<ssbt:SKV inkludera="true"><ssbt:tidsperiod/></ssbt:SKV>')
    ),
    "unknown-attribute": _invalid(
        "attribut som kontraktet inte har",
        ('<ssbt:AF inkludera="true"/>', f'<ssbt:AF inkludera="true" person="{PERSON}"/>'),
    ),
    "type-of-the-whole-question": _invalid(
        "xsi:type",
        leaf("fraganSkallInkluderasISvaret", "false", "true"),
        (
            "<ssbt:hamtaBastjanstInformation>",
            f'<ssbt:hamtaBastjanstInformation xmlns:x="{XSI}" x:type="ssbt:SammansattBastjanstFraga">',
        ),
    ),
    "unknown-type": _invalid(
        "xsi:type",
        (_PERSON_ELEMENT, f'<ssbt:personidentitet xmlns:x="{XSI}" x:type="hemlig">{PERSON}</ssbt:personidentitet>'),
        value="hemlig",
    ),
    "reference-instead-of-value": _invalid(
        "personidentitet: har ett attribut", (_PERSON_ELEMENT, '<ssbt:personidentitet href="#x"/>')
    ),
    "text-between-elements": _invalid("ingivare: ", ("<ssbt:ingivare>", "<ssbt:ingivare>hemlighet"), value="hemlighet"),
    "xop-include": _invalid(
        "lefiJsonFraga: ",
        leaf(
            "lefiJsonFraga",
            lefi(PERSON),
            '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="http://127.0.0.1:9/a"/>',
        ),
    ),
    "xml-base-in-question": _invalid(
        "ingivare: har ett attribut", ("<ssbt:ingivare>", '<ssbt:ingivare xml:base="http://127.0.0.1:9/">')
    ),
    "element-that-is-none-of-ours": _invalid(
        "Här ska personidentitet stå", (_PERSON_ELEMENT, f'<x:extra xmlns:x="urn:x"/>{_PERSON_ELEMENT}')
    ),
    "xinclude": _invalid(
        "Här ska personidentitet stå",
        (_PERSON_ELEMENT, '<include xmlns="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>'),
    ),
}

FLAWED: dict[str, Flaw] = _XML_FLAWS | _SOAP_FLAWS | _CONTRACT_FLAWS


# What version 10's question to FK says, and how version 1 says it. The flaws of the first are none of the second.
_FK_FRAGA = re.compile(
    r"<(\w+:|)version>v9</\1version>(\s*<\1aktorsid>.*</\1aktorsid>)(\s*)<\1lefiJsonFraga>.*</\1lefi.*>"
)
_FK_TYPED = r"\2\3<\1formansinformation>FK:FP</\1formansinformation>"
ONLY_UNTYPED = {name for name, flaw in FLAWED.items() if name.startswith("lefi-") or "lefiJsonFraga" in flaw.says}


def in_version(content: bytes, contract: Contract) -> bytes:
    """A message for version 10 as one for that other version; one for that becomes one for 10."""
    if contract.namespace == SSBT:
        return content
    codec = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(content[:2], "latin-1")
    old, new, kept = (name.encode(codec) for name in (SSBT, contract.namespace, "urn:kept"))
    content = content.replace(new, kept).replace(old, new).replace(kept, old)
    return content if contract.family == "ssbt" else _FK_FRAGA.sub(_FK_TYPED, content.decode(codec)).encode(codec)


def files() -> dict[str, bytes]:
    """File name and content of everything that belongs in `questions/`."""
    contents = VALID | {name: flaw.content for name, flaw in FLAWED.items()}
    return {f"{name}.xml": content for name, content in contents.items()}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.xml"):
        stale.unlink()
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
