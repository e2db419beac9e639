"""Försäkringskassan over SOAP and over REST: whoever asks sees no difference, in whatever version."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

import pytest
from functional.test_cli import run_here
from functional.test_telemetry import TEST
from functional.test_ws_security import agency, tables
from harness import ALLT, LAST_MONTH, Background, Gateway, configuration, running_agencies, running_gateway, serving
from unit.simulator.driver import envelope, fk_soap
from vectors import make

from ssbtek_gateway import xmlgate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.json_xml import LEFI
from ssbtek_gateway.simulator import personas
from ssbtek_gateway.simulator import server as simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ssbtek_gateway.client import Answer

NS = f"{{{CONTRACTS['1'].namespace}}}"
SOAP = 'transport = "soap"'
PERSONAS = personas.load()
ANSWERED = sorted(PERSONAS.keys() - {"fel-i-transport"})


@pytest.fixture(scope="module")
def over(pki: Path, agencies: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Gateway]]:
    """A gateway that asks Försäkringskassan over each, where one more actor is registered than is known there."""

    def configured(way: str) -> Path:
        folder = tmp_path_factory.mktemp(way)
        path = configuration(pki, folder, agencies, bastjanst=f'transport = "{way}"', connected=["FK"])
        path.write_text(path.read_text(encoding="utf-8").replace('"TEST-02"]', '"TEST-09"]'), encoding="utf-8")
        return path

    with serving(pki, configured("rest")) as rest, serving(pki, configured("soap")) as soap:
        yield {"rest": rest, "soap": soap}


def hidden(answer: Answer) -> Any:  # noqa: ANN401 - JSON
    """The JSON in an answer of version 10."""
    (section,) = answer.sections
    return json.loads(b64decode(section.findtext("{*}data/{*}lefiJsonSvar", "")))


def typed(answer: Answer) -> tuple[Any, list[tuple[str, ...]]]:
    """The same of version 1, and the verdicts: organisation, verdict, reason."""
    (section,) = answer.sections
    data = section.find(f"{NS}data")
    assert data is not None
    names = ("organisation", "bedomning", "skal")
    told = [tuple(one.findtext(f"{NS}{name}", "") for name in names) for one in section.iter(f"{NS}svarande")]
    return LEFI.read(data, "LefiExternFormansinformationSvar"), told


@pytest.mark.parametrize("alias", ANSWERED)
def test_every_persona_is_the_same_over_both(over: dict[str, Gateway], alias: str) -> None:
    person = PERSONAS[alias].person
    rest, soap = (hidden(over[way].ask(["FK"], person=person)) for way in ("rest", "soap"))
    assert rest == soap
    rest, soap = (typed(over[way].ask(["FK"], person=person, version="1")) for way in ("rest", "soap"))
    assert rest == soap


def asking(lefi: dict[str, Any]) -> str:
    """A question of version 10 with this to Försäkringskassan."""
    period = {"from": str(LAST_MONTH.from_datum), "tom": str(LAST_MONTH.tom_datum)}
    sent = json.dumps({"personnummer": ALLT.reveal(), "period": period, **lefi}).encode()
    return make.TEMPLATE.replace(make.lefi(ALLT.reveal()), b64encode(sent).decode())


@pytest.mark.parametrize("way", ["rest", "soap"])
@pytest.mark.parametrize(
    ("lefi", "actor", "felkod"),
    [
        ({"ansprak": ["PM:NY"]}, "TEST-01", "400"),
        ({"ansprak": ["PM:AP"], "helt": "nytt"}, "TEST-01", "400"),
        # Registered with us, and unknown there.
        ({"ansprak": ["PM:AP"]}, "TEST-09", "403"),
    ],
)
def test_what_lefi_refuses_is_its_own_failure_with_the_same_words(
    over: dict[str, Gateway], way: str, lefi: dict[str, Any], actor: str, felkod: str
) -> None:
    message = asking(lefi).replace("TEST-01", actor).encode()
    error = xmlgate.parse_agency(over[way].post(message)[1], None).find(".//{*}svarsdata/{*}FK/{*}error")
    assert error is not None
    assert (error.findtext("{*}kalla"), error.findtext("{*}felkod")) == ("BT", felkod)
    assert f"(status {felkod})" in error.findtext("{*}felmeddelande", "")


def test_what_is_new_in_an_answer_comes_through_and_is_told(
    pki: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    news = {
        "utlamnare": [{"utlamnare": {"kod": "NY", "nytt": [1.5, None]}, "tillstand": {"kod": "OK"}}],
        "avvikelser": [],
        "helt": "nytt",
    }
    folder = tmp_path / "fixtures" / "fk"
    folder.mkdir(parents=True)
    asked = fk_soap(ALLT.reveal(), LAST_MONTH.from_datum, LAST_MONTH.tom_datum)
    answer = LEFI.written(news, "LefiExternFormansinformationSvar", "lefi:hamtaFormansinformationResponse").decode()
    (folder / "1.request.xml").write_bytes(envelope(asked))
    (folder / "1.response.xml").write_bytes(envelope(answer))
    agencies = simulator.Settings(
        "127.0.0.1", 0, pki / "agency.pem", pki / "agency.key", (pki / "ca.pem",), fixtures=tmp_path / "fixtures"
    )
    with (
        Background(lambda started: simulator.serve(agencies, started)) as server,
        running_gateway(pki, tmp_path, server.ports[0], bastjanst=SOAP, connected=["FK"]) as gateway,
    ):
        assert hidden(gateway.ask(["FK"])) == news
        value, told = typed(gateway.ask(["FK"], version="1"))
        assert value == news
        assert {bedomning for _, bedomning, _ in told} == {"KAN_EJ_AVGORAS"}
    # A field at the top, and in utlamnare a field and a code.
    assert capfd.readouterr().err.count('"unknown":{"FK":3}') == 2


def test_questions_and_answers_are_signed_as_with_the_others(pki: Path, tmp_path: Path) -> None:
    top, signed = tables(pki)
    with (
        running_agencies(pki, signing=agency(pki)) as agencies,
        running_gateway(pki, tmp_path, agencies, top, f"{signed}\n{SOAP}", connected=["FK"]) as gateway,
    ):
        assert hidden(gateway.ask(["FK"]))["formansinformation"]
        status, body = gateway.post(TEST)
        assert (status, b"<ssbt:anropad>true</ssbt:anropad>" in body) == (200, True)


def test_explain_tells_how_it_is_asked(pki: Path, tmp_path: Path) -> None:
    request = tmp_path / "request.xml"
    for way in ("rest", "soap"):
        path = configuration(pki, tmp_path, 9, bastjanst=f'transport = "{way}"', connected=["FK"])
        request.write_text(asking({"ansprak": ["PM:AP"]}), encoding="utf-8")
        told = " ".join(run_here("explain", request, "--config", path).stdout.split())
        assert f"FK │ would be asked at https://127.0.0.1:9/fk over {way.upper()}, " in told
