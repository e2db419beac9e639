"""zeep and requests in a few lines, as a supplier writes it without anything of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
import zeep
from conformance.clients.conversation import KORRELATIONSID, LEFI, SECTIONS
from harness import LAST_MONTH

if TYPE_CHECKING:
    from conformance.clients.conversation import Target

SKV = {
    "10": {"inkludera": True},
    "11": {
        "inkludera": True,
        "fraga": {
            "ar": [2025],
            "foretagsinformation": True,
            "individuppgifter": True,
            "skattekonto": True,
            "skatteuppgifter": True,
            "beskattningsbilagor": True,
        },
    },
}


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
            "FK": {"inkludera": True, "fraga": {"aktorsid": "TEST-01", "lefiJsonFraga": LEFI.encode()}},
            "SKV": SKV[version],
        },
    }


def error(part: Any) -> str:  # noqa: ANN401 - zeep makes its types at run time
    return f"{part.error.kalla} {part.error.felkod}" if part.error else ""


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
    if target.version == "10":
        skatteverket = {"skv": data.SKV.data.svar.encode().hex()}
    else:
        skatteverket = {
            "skattekonto": data.SKV.skattekonto.data.hex(),
            "individuppgifter": error(data.SKV.individuppgifter),
        }
    assert said == {
        **{f"testa {kod}": f"{str(test[kod].anropad).lower()} {error(test[kod])}".strip() for kod in SECTIONS},
        **{kod: error(data[kod]) or "DATA" for kod in SECTIONS},
        "syfte": answer.fraga.generellaFrageparametrar.syfte,
        "korrelationsid": answer.korrelationsid,
        "person": data.AF.data.Svar.IdentitetsbeteckningFysiskPerson,
        "belopp": str(payments[-1].NettoEfterAvdrag),
        "csn": data.CSN.data.svar.hex(),
        "lefi": data.FK.data.lefiJsonSvar.hex(),
        "fordon": " ".join(fordon.regnr for fordon in data.TNS.data.fordonsinnehav.fordon),
        "tillstand": " ".join(svar.giltighetstid for svar in data.MIV.data.response.svarCollection.svar),
        **skatteverket,
        "fel": error(limited.svarsdata.CSN),
        "felkod": fault.felkod,
        "felmeddelande": fault.felmeddelande[0],
    }
