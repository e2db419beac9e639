"""zeep and requests in a few lines, as a supplier writes it without anything of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
import zeep
from conformance.clients.conversation import KORRELATIONSID, LEFI, SECTIONS, amount
from harness import LAST_MONTH

if TYPE_CHECKING:
    from conformance.clients.conversation import Target

PARTS = {
    "inkludera": True,
    "fraga": {
        "ar": [2025],
        "foretagsinformation": True,
        "individuppgifter": True,
        "skattekonto": True,
        "skatteuppgifter": True,
        "beskattningsbilagor": True,
    },
}
SKV = {"10": {"inkludera": True}, "11": PARTS, "1": PARTS}
JSON = {"lefiJsonFraga": LEFI.encode()}
KODER = {
    "formansinformation": ["FK:SJP"],
    "preliminaraUtbetalningar": ["PM:AP"],
    "utbetalningar": ["FK:SJP", "PM:AP"],
}
FK: dict[str, dict[str, Any]] = {"10": JSON, "11": JSON, "1": KODER}


def question(version: str, ingivare: str, arende: str = "TEST-1") -> dict[str, Any]:
    return {
        "generellaFrageparametrar": {
            "korrelationsid": KORRELATIONSID,
            "fraganSkallInkluderasISvaret": True,
            "ingivare": {"organisationsnummer": ingivare, "namn": "Testkommunen", "handlaggare": "test01"},
            "personidentitet": "191212121212",
            "arendeidentitet": arende,
            "tidsperiod": {"fromDatum": LAST_MONTH.from_datum, "tomDatum": LAST_MONTH.tom_datum},
            "syfte": "Handläggning av ekonomiskt bistånd",
            "lagtext": "11 kap. 11 § SoL",
        },
        "specifikaFrageparametrar": {
            **{kod: {"inkludera": True} for kod in SECTIONS},
            "FK": {"inkludera": True, "fraga": {"aktorsid": "TEST-01", **FK[version]}},
            "SKV": SKV[version],
        },
    }


def error(part: Any) -> str:  # noqa: ANN401 - zeep makes its types at run time
    return f"{part.error.kalla} {part.error.felkod}" if part.error else ""


def answering(section: Any) -> str:  # noqa: ANN401
    return ", ".join(f"{one.organisation} {one.bedomning}" for one in section.oversikt.svarande)


def encoded(data: Any) -> dict[str, str]:  # noqa: ANN401
    """What versions 10 and 11 have in base64 or in a text."""
    skv = data.SKV
    return {
        "csn": data.CSN.data.svar.hex(),
        "lefi": data.FK.data.lefiJsonSvar.hex(),
        **(
            {"skv": skv.data.svar.encode().hex()}
            if "data" in skv
            else {"skattekonto": skv.skattekonto.data.hex(), "individuppgifter": error(skv.individuppgifter)}
        ),
    }


def typed(data: Any, limited: Any) -> dict[str, str]:  # noqa: ANN401
    """What the typed contract has as elements, and the overview of each section."""
    (person,) = data.CSN.data.CSNSvar.Personer._value_1  # noqa: SLF001 - zeep's name for a sequence that is repeated
    payment = data.FK.data.formansinformation.utbetalningsuppgift[0]
    return {
        **{f"svarande {kod}": answering(data[kod]) for kod in SECTIONS},
        "arende": person["Person"].Studiemedel.Arenden.Arende[0].status,
        "utbetald": payment.datum,
        "utbetalt": amount(payment.nettobelopp.summa),
        "pension": data.FK.data.utbetalningar[0].utbetalningsrader[0].formansgrupp.kod,
        "tomma": data.FK.data.tomma,
        "skattekonto": data.SKV.data.skattekonto.data.utbetaltBelopp,
        "individuppgifter": error(data.SKV.data.individuppgifter),
        "svarande fel": answering(limited.CSN),
    }


def test_zeep(target: Target, said: dict[str, str]) -> None:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, and no other authority, from the environment
        session.verify = str(target.pki / "ca.pem")
        session.cert = (str(target.pki / "client.pem"), str(target.pki / "client.key"))
        transport = zeep.Transport(session=session)  # type: ignore[no-untyped-call]
        client: Any = zeep.Client(f"{target.address}?wsdl", transport=transport)  # type: ignore[no-untyped-call]
        (binding,) = client.wsdl.bindings
        service = client.create_service(binding, target.address)
        test = service.testaBastjanstInformation()
        answer = service.hamtaBastjanstInformation(**question(target.version, "162021004748"))
        limited = service.hamtaBastjanstInformation(**question(target.version, "162021004748", "X" * 32))
        with pytest.raises(zeep.exceptions.Fault) as raised:
            service.hamtaBastjanstInformation(**question(target.version, "162120009994"))
        assert raised.value.detail is not None
        fault = client.wsdl.types.deserialize(raised.value.detail[0])
    data = answer.svarsdata
    payments = data.SO.data.ArbetsloshetsersattningLista.Arbetsloshetsersattning[-1].Utbetalningar
    assert said == {
        **{f"testa {kod}": f"{str(test[kod].anropad).lower()} {error(test[kod])}".strip() for kod in SECTIONS},
        **{kod: error(data[kod]) or "DATA" for kod in SECTIONS},
        "syfte": answer.fraga.generellaFrageparametrar.syfte,
        "korrelationsid": answer.korrelationsid,
        "person": data.AF.data.Svar.IdentitetsbeteckningFysiskPerson,
        "belopp": str(payments[-1].NettoEfterAvdrag),
        "fordon": " ".join(fordon.regnr for fordon in data.TNS.data.fordonsinnehav.fordon),
        "tillstand": " ".join(svar.giltighetstid for svar in data.MIV.data.response.svarCollection.svar),
        "fel": error(limited.svarsdata.CSN),
        "felkod": fault.felkod,
        "felmeddelande": fault.felmeddelande[0],
        **(typed(data, limited.svarsdata) if target.version == "1" else encoded(data)),
    }
