from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import date
from html import escape
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssbtek_gateway import xmlgate
from ssbtek_gateway.recording.documents import UnreadableError
from ssbtek_gateway.recording.persons import Persons, read
from ssbtek_gateway.recording.pseudonyms import Pseudonyms
from ssbtek_gateway.recording.survival import survivors

if TYPE_CHECKING:
    from collections.abc import Callable

TODAY = date(2026, 3, 31)
# Nobody's: the check digit is wrong.
NUMBER = "197503141232"
NUMBERS = read()


def written(*messages: str | bytes) -> list[str]:
    made = Pseudonyms(Persons(NUMBERS, TODAY))
    data = [message.encode() if isinstance(message, str) else message for message in messages]
    made.learn((one, None) for one in data)
    found = [made.write(one, None) for one in data]
    assert [survivors(one, made.numbers, made.texts) for one in found] == [set() for _ in data]
    return [one.decode() for one in found]


def text(message: str, path: str) -> str:
    return xmlgate.parse_own(message.encode()).findtext(path, "")


def test_everybody_is_the_same_in_every_message_of_a_question() -> None:
    af, fk = written(
        "<Svar><IdentitetsbeteckningFysiskPerson>197503141232</IdentitetsbeteckningFysiskPerson>"
        "<Fornamn>Anna</Fornamn><Efternamn>von Prov-Sund</Efternamn></Svar>",
        '{"personnummer": "7503141232", "foddes": "1975-03-14", "namn": "Anna von Prov-Sund", "summa": 12.5}',
    )
    document = json.loads(fk)
    assert document["personnummer"] == text(af, "IdentitetsbeteckningFysiskPerson")[2:]
    assert document["foddes"].replace("-", "")[2:] == document["personnummer"][:6]
    assert document["namn"] == f"{text(af, 'Fornamn')} {text(af, 'Efternamn')}" == "Namn1 Namn2 Namn3-Namn4"
    assert document["summa"] == 12.5


def test_each_kind_is_replaced_and_what_is_nobodys_stays() -> None:
    (answer,) = written(
        '{"utdelningadress": "Storgatan 5", "postnummer": "90325", "postort": "UMEÅ", "telefon": "0701234567",'
        ' "epost": "a.b@umea.se", "utbetalningskonto": "6000 123 456", "land": {"namn": "SVERIGE"},'
        ' "utlamnare": {"namn": "Försäkringskassan"}, "belopp": 12450, "kod": "FK:ABB", "aktivt": true, "tom": null}'
    )
    assert json.loads(answer) == {
        "utdelningadress": "Provgatan 1",
        "postnummer": "00001",
        "postort": "PROVORT1",
        "telefon": "0000000001",
        "epost": "prov1@example.invalid",
        "utbetalningskonto": "0000 000 001",
        "land": {"namn": "SVERIGE"},
        "utlamnare": {"namn": "Försäkringskassan"},
        "belopp": 12450,
        "kod": "FK:ABB",
        "aktivt": True,
        "tom": None,
    }


def test_a_name_in_free_text_is_found_by_where_it_stood_alone() -> None:
    _, fault = written("<a><Efternamn>Provsson</Efternamn></a>", "<f><faultstring>ORA-1 (PROVSSON)</faultstring></f>")
    assert text(fault, "faultstring") == "ORA-1 (Namn1)"


def test_what_no_schema_names_is_replaced_whole_but_for_days_and_amounts() -> None:
    (answer,) = written(
        "<Svar><!-- om Anna --><Okand a='b'>Storgatan 5</Okand><Okand>2026-03-31</Okand><Okand>1834</Okand></Svar>"
    )
    assert answer.partition("?>\n")[2] == (
        '<Svar><!--okänt-1--><Okand a="okänt-3">okänt-2</Okand><Okand>2026-03-31</Okand><Okand>1834</Okand></Svar>'
    )


def test_json_in_xml_is_known_by_its_keys_as_json_is() -> None:
    (answer,) = written(
        '<okant><m:map xmlns:m="http://www.w3.org/2005/xpath-functions"><m:string key="utdelningadress">Storgatan 5'
        '</m:string><m:string key="nytt">Anna</m:string><m:array key="namn"><m:string>Ek</m:string></m:array>'
        '<m:number key="belopp">12.5</m:number><m:null key="197503141232"/></m:map></okant>'
    )
    (document,) = xmlgate.parse_own(answer.encode())
    assert ["".join(map(str, one.itertext())) for one in document] == ["Provgatan 1", "okänt-1", "Namn1", "12.5", ""]
    assert document[-1].get("key") in NUMBERS


def test_a_century_beside_a_number_counts() -> None:
    (answer,) = written("<i><sekel>19</sekel><personnummer>1203041239</personnummer></i>")
    # Without it 12 would be 2012.
    assert "19" + text(answer, "personnummer") in NUMBERS


def test_what_was_recorded_stays_as_it_is() -> None:
    question = (
        '{"namn": "Anna Ek", "regnr": "ABC12A", "arendeidentitet": "A-17", "handlaggare": "anna ek", "x": "y",'
        ' "utdelningadress": "Storgatan 5", "telefon": "0701234567", "personnummer": "197503141232"}'
    )
    (once,) = written(question)
    assert written(once) == [once]


def test_a_signature_does_not_outlive_what_it_signed() -> None:
    (answer,) = written(
        "<Envelope><Header><Security xmlns='http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-"
        "1.0.xsd'><BinarySecurityToken>MIIB</BinarySecurityToken></Security></Header><Body/></Envelope>"
    )
    assert "Security" not in answer


@pytest.mark.parametrize(
    "message", [b"<html><br></html>", b"", b"\x00\xff", b"<a><lefiJsonSvar>AAAAAAAAAAAA</lefiJsonSvar></a>"]
)
def test_what_cannot_be_read_is_refused(message: bytes) -> None:
    with pytest.raises(UnreadableError):
        Pseudonyms(Persons(NUMBERS, TODAY)).learn([(message, None)])


def test_nothing_is_printed() -> None:
    assert repr(Pseudonyms(Persons(NUMBERS, TODAY))) == "Pseudonyms(…)"


# A way to put a document inside a document, and how to get it out again.
WRAPPINGS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "base64 in XML": (
        lambda inner: f"<a><data>{b64encode(inner.encode()).decode()}</data></a>",
        lambda outer: b64decode(text(outer, "data")).decode(),
    ),
    "base64 in lines": (
        lambda inner: "<a><data>\n" + "\n".join(_lines(b64encode(inner.encode()).decode())) + "\n</data></a>",
        lambda outer: b64decode(text(outer, "data")).decode(),
    ),
    "ISO 8859-1 in base64": (
        lambda inner: f"<a><data>{b64encode(_latin(inner)).decode()}</data></a>",
        lambda outer: b64decode(text(outer, "data")).decode(),
    ),
    "CDATA": (lambda inner: f"<a><svar><![CDATA[{_cdata(inner)}]]></svar></a>", lambda outer: text(outer, "svar")),
    "entities": (lambda inner: f"<a><svar>{escape(inner)}</svar></a>", lambda outer: text(outer, "svar")),
    "a string in JSON": (
        lambda inner: json.dumps({"svar": inner}, ensure_ascii=True),
        lambda outer: str(json.loads(outer)["svar"]),
    ),
    "base64 in JSON": (
        lambda inner: json.dumps({"data": [b64encode(inner.encode()).decode()]}),
        lambda outer: b64decode(json.loads(outer)["data"][0]).decode(),
    ),
}
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda number: number,
    lambda number: number[2:],
    lambda number: f"{number[2:8]}-{number[8:]}",
    lambda number: f"{number[:8]}-{number[8:]}",
    lambda number: f"{number[2:8]}+{number[8:]}",
)
NAMES = st.text(st.sampled_from("abdefgiklmnoprstuåäö"), min_size=2, max_size=9).map(lambda text: f"Zw{text}")
BORN = st.dates(date(1930, 1, 1), date(2019, 12, 31))


def _lines(encoded: str) -> list[str]:
    return [encoded[start : start + 76] for start in range(0, len(encoded), 76)]


def _cdata(inner: str) -> str:
    return inner.replace("]]>", "]]]]><![CDATA[>")


def _latin(inner: str) -> bytes:
    if inner.startswith("{"):
        return inner.encode()  # JSON is UTF-8
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>{inner}'.encode("iso-8859-1", "xmlcharrefreplace")


def nobodys(born: date, serial: int) -> str:
    """A number with a wrong check digit."""
    from ssbtek_gateway.model import has_check_digit  # noqa: PLC0415 - of this helper alone

    digits = f"{born:%Y%m%d}{serial:03}"
    return next(f"{digits}{last}" for last in range(10) if not has_check_digit(f"{digits[2:]}{last}"))


@settings(deadline=None, max_examples=150)
@given(
    born=BORN,
    serial=st.integers(0, 999),
    spelling=st.sampled_from(SPELLINGS),
    first=NAMES,
    last=NAMES,
    account=st.from_regex(r"[1-9][0-9]{3} [0-9]{3} [0-9]{3}", fullmatch=True),
    plate=st.from_regex(r"[A-P]{3}[1-9][0-9][0-9A-P]", fullmatch=True),
    wraps=st.lists(st.sampled_from(sorted(WRAPPINGS)), max_size=3),
    as_json=st.booleans(),
)
def test_no_original_survives(
    born: date,
    serial: int,
    spelling: Callable[[str], str],
    first: str,
    last: str,
    account: str,
    plate: str,
    wraps: list[str],
    *,
    as_json: bool,
) -> None:
    number = nobodys(born, serial)
    note = f"Om {first.upper()} {last}, {spelling(number)}, konto {account} och bil {plate.lower()}."
    values = {"personnummer": number, "namn": f"{first} {last}", "utbetalningskonto": account, "regnr": plate}
    if as_json:
        message = json.dumps({**values, "beskrivning": note}, ensure_ascii=len(wraps) % 2 == 0)
    else:
        leaves = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
        message = f"<svar klartext='{note}'>{leaves}<!-- {note} --><klartext>{note}</klartext>{note}</svar>"
    for wrap in wraps:
        message = WRAPPINGS[wrap][0](message)
    (answer,) = written(message)
    for wrap in reversed(wraps):
        answer = WRAPPINGS[wrap][1](answer)
    inner = answer.encode().decode("unicode_escape") if as_json else answer
    shown = f"{answer} {inner}".lower()
    for original in (number, spelling(number), number[2:], first, last, account, plate):
        assert original.lower() not in shown, (original, shown)
