"""The typed contract over mutual TLS: every persona's answer is valid, and says what the others' header block says."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import pytest
from functional.test_nothing_leaks import SILENT
from harness import ALLT, LAST_MONTH, Gateway, running_gateway
from lxml import etree
from vectors import make

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.config import KODER
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.json_xml import LEFI
from ssbtek_gateway.simulator import personas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ssbtek_gateway.client import Answer

CONTRACT = CONTRACTS["1"]
NS = f"{{{CONTRACT.namespace}}}"
SCHEMA = xmlgate.schema(resources.xsd(CONTRACT.xsd))
PERSONAS = personas.load()


@pytest.fixture(scope="module")
def telling(pki: Path, agencies: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose other versions tell in a header block what version 1 says in its sections."""
    folder = tmp_path_factory.mktemp("telling")
    with running_gateway(pki, folder, agencies, organisation="svarsoversikt = true") as gateway:
        yield gateway


def told(answer: Answer) -> dict[str, list[tuple[str, ...]]]:
    """Organisation, verdict and reason of everyone who answered, by section."""
    return {
        etree.QName(section).localname: [
            tuple(one.findtext(f"{NS}{name}", "") for name in ("organisation", "bedomning", "skal"))
            for one in section.iterfind(f"{NS}oversikt/{NS}svarande")
        ]
        for section in answer.sections
    }


def told_in_header(answer: Answer) -> dict[str, list[tuple[str, ...]]]:
    return {
        sektion.get("kod", ""): [
            tuple(one.get(name, "") for name in ("organisation", "bedomning", "skal"))
            for one in sektion.iter("{*}svarande")
        ]
        for sektion in answer.envelope.iter("{*}sektion")
    }


@pytest.mark.parametrize("alias", PERSONAS)
def test_every_personas_answer_is_valid_and_tells_the_same_as_the_header_block(telling: Gateway, alias: str) -> None:
    asked = [kod for kod in KODER if kod not in SILENT.get(alias, set())]
    person = PERSONAS[alias].person
    answer = telling.ask(asked, person=person, version="1")
    assert answer.envelope.find("{*}Header") is None
    (response,) = answer.envelope[-1]
    SCHEMA.assertValid(etree.fromstring(etree.tostring(response)))
    assert told(answer) == told_in_header(telling.ask(asked, person=person, version="11"))
    assert list(told(answer)) == [kod for kod in CONTRACT.sections if kod in asked]
    # Nothing is hidden: all that is text is short, or words.
    assert not [text for text in response.itertext() if len(str(text)) > 200 and " " not in str(text)]


def test_one_silent_organisation_is_told_beside_another_that_answered(ssbtek: Gateway) -> None:
    kassor = told(ssbtek.ask(["SO"], person=PERSONAS["arbetslos"].person, version="1"))["SO"]
    assert {bedomning for _, bedomning, _ in kassor} == {"SVARAT", "KAN_EJ_AVGORAS"}
    fk = told(ssbtek.ask(["FK"], person=PERSONAS["fel-i-svar"].person, version="1"))["FK"]
    assert {organisation for organisation, *_ in fk} >= {"FK", "PM"}
    everything = told(ssbtek.ask(version="1"))
    assert len(everything["CSN"]) == 5
    assert len(everything["SKV"]) == 5
    assert len({bedomning for _, bedomning, _ in everything["SKV"]}) > 1


def test_fk_answers_the_elements_as_it_answers_the_same_json(ssbtek: Gateway) -> None:
    codes = {"formansinformation": ["FK:FP"], "utbetalningar": ["FK:SJP", "PM:AP"], "ovrigInformation": ["FK:GEPI"]}
    first, last = str(LAST_MONTH.from_datum), str(LAST_MONTH.tom_datum)
    asked = {"personnummer": ALLT.reveal(), "period": {"from": first, "tom": last}, **codes}
    untyped = make.TEMPLATE.replace(make.lefi(ALLT.reveal()), b64encode(json.dumps(asked).encode()).decode())
    hidden = xmlgate.parse_agency(ssbtek.post(untyped.encode())[1], None).findtext(".//{*}lefiJsonSvar", "")
    elements = f"<ssbt:tidsperiod><ssbt:fromDatum>{first}</ssbt:fromDatum><ssbt:tomDatum>{last}</ssbt:tomDatum>"
    elements += "</ssbt:tidsperiod>" + "".join(
        f"<ssbt:{k}>{kod}</ssbt:{k}>" for k, given in codes.items() for kod in given
    )
    typed = make.in_version(make.TEMPLATE.encode(), CONTRACT).decode()
    message = typed.replace("<ssbt:formansinformation>FK:FP</ssbt:formansinformation>", elements)
    data = xmlgate.parse_agency(ssbtek.post(message.encode(), version="1")[1], None).find(f".//{NS}FK/{NS}data")
    assert data is not None
    value = json.loads(json.dumps(LEFI.read(data, "LefiExternFormansinformationSvar"), default=float))
    assert value == json.loads(b64decode(hidden))
    assert value["formansinformation"]["generellPersoninformation"][0]["personnummer"] == ALLT.reveal()


def test_skatteverkets_document_comes_without_a_block(ssbtek: Gateway) -> None:
    message = make.in_version(make.only("SKV").encode(), CONTRACT)
    status, body = ssbtek.post(message, version="1")
    assert status == 200
    (section,) = xmlgate.parse_agency(body, None).iterfind(f".//{NS}svarsdata/*")
    document = section.find(f"{NS}data/{NS}dokument/*")
    assert document is not None
    assert document.find(".//{*}OverskottPaKapital") is not None
    assert section.findtext(f"{NS}oversikt/{NS}svarande/{NS}bedomning") == "SVARAT"


def test_an_unknown_code_is_refused_by_field_and_rule(ssbtek: Gateway) -> None:
    message = make.in_version(make.TEMPLATE.encode(), CONTRACT).replace(b"FK:FP<", b"FK:XX<")
    status, body = ssbtek.post(message, version="1")
    assert status == 500
    assert "formansinformation: ska vara en av LEFI:s koder" in body.decode()
    assert b"FK:XX" not in body
