"""One conversation that every client program holds with the gateway, and what each must have understood of it.

A program tests the connection, asks about one person, asks so that one section is an error, and asks in another
municipality's name. It prints one line for each thing that its own tool deserialised, `name TAB value`; `read` takes
the same out of the XML.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from harness import ALLT, LAST_MONTH
from lxml import etree

from ssbtek_gateway.contracts import CONTRACTS

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Gateway
    from lxml.etree import _Element

KORRELATIONSID = "fråga <&> 4711"
SECTIONS = ("AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV")
LEFI = json.dumps(
    {
        "personnummer": ALLT.reveal(),
        "period": {"from": str(LAST_MONTH.from_datum), "tom": str(LAST_MONTH.tom_datum)},
        "formansinformation": ["FK:SJP"],
    }
)


@dataclass(frozen=True)
class Target:
    """A gateway and the version of the contract to speak with it."""

    gateway: Gateway
    version: str

    @property
    def address(self) -> str:
        return self.gateway.at(self.version)

    @property
    def published(self) -> str:
        """The WSDL on the document port, where nobody needs a certificate."""
        return f"https://127.0.0.1:{self.gateway.documents_port}{CONTRACTS[self.version].path}?wsdl"

    @property
    def pki(self) -> Path:
        return self.gateway.pki

    @property
    def variables(self) -> dict[str, str]:
        """What a client program is told, in its environment."""
        return os.environ | {
            "VERSION": self.version,
            "ADDRESS": self.address,
            "WSDL": f"{self.address}?wsdl",
            "CA": str(self.pki / "ca.pem"),
            "CERTIFICATE": str(self.pki / "client.pem"),
            "KEY": str(self.pki / "client.key"),
            "FROM": str(LAST_MONTH.from_datum),
            "TOM": str(LAST_MONTH.tom_datum),
            "LEFI": LEFI,
        }

    def converse(self, *command: str | Path, **variables: str) -> dict[str, str]:
        """Run a client program; what it understood, by name."""
        lines = run(*command, env=self.variables | variables).splitlines()
        heard = dict(line.split("\t", 1) for line in lines)
        assert len(heard) == len(lines)
        return heard | {name: amount(heard[name]) for name in ("belopp", "utbetalt") if name in heard}


def run(*command: str | Path, env: dict[str, str] | None = None, seconds: float = 60, both: bool = False) -> str:
    """What a program prints (with `both`, on standard error too); it and what it started are gone afterwards."""
    errors = subprocess.STDOUT if both else subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=errors, start_new_session=True) as process:
        try:
            output, told = process.communicate(timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, f"{command[0]}: {(told or output).decode()[-4000:]}"
    return output.decode()


def amount(text: str) -> str:
    """A sum with two decimals: some tools read one as a float."""
    return f"{Decimal(text):.2f}"


def read(tested: bytes, answered: bytes, limited: bytes, refused: bytes) -> dict[str, str]:
    """What the gateway's four messages say, by the names that the client programs use."""
    messages = (tested, answered, limited, refused)
    test, answer, lacking, fault = (etree.fromstring(message)[-1][0] for message in messages)
    sections = {etree.QName(section).localname: section for section in answer.iterfind("{*}svarsdata/*")}
    return {
        **{f"testa {etree.QName(part).localname}": _tested(part) for part in test},
        **{kod: _error(section) or "DATA" for kod, section in sections.items()},
        "syfte": _text(answer, "{*}fraga/{*}generellaFrageparametrar/{*}syfte"),
        "korrelationsid": _text(answer, "{*}korrelationsid"),
        "person": _text(sections["AF"], "{*}data/{*}Svar/{*}IdentitetsbeteckningFysiskPerson"),
        "belopp": amount(sections["SO"].findall(".//{*}Utbetalningar/{*}NettoEfterAvdrag")[-1].text or ""),
        "fordon": " ".join(_text(fordon, "{*}regnr") for fordon in sections["TNS"].iter("{*}fordon")),
        "tillstand": " ".join(_text(svar, "giltighetstid") for svar in sections["MIV"].iter("svar")),
        "fel": " ".join(_error(section) for section in lacking.iterfind("{*}svarsdata/{*}CSN")),
        "felkod": _text(fault, "detail/{*}hamtaBastjanstInformationFault/{*}felkod"),
        "felmeddelande": _text(fault, "detail/{*}hamtaBastjanstInformationFault/{*}felmeddelande"),
        **(_typed(sections, lacking) if sections["AF"].find("{*}oversikt") is not None else _encoded(sections)),
    }


def _encoded(sections: dict[str, _Element]) -> dict[str, str]:
    """What versions 10 and 11 have in base64 or in a text. SKV is one text, or parts with data or an error."""
    said = {
        "csn": base64.b64decode(_text(sections["CSN"], "{*}data/{*}svar")).hex(),
        "lefi": base64.b64decode(_text(sections["FK"], "{*}data/{*}lefiJsonSvar")).hex(),
    }
    if (text := sections["SKV"].findtext("{*}data/svar")) is not None:
        return said | {"skv": text.encode().hex()}
    skattekonto = base64.b64decode(_text(sections["SKV"], "{*}skattekonto/{*}data")).hex()
    return said | {"skattekonto": skattekonto, "individuppgifter": _error(sections["SKV"][1])}


def _typed(sections: dict[str, _Element], lacking: _Element) -> dict[str, str]:
    """What the typed contract has as elements, and the overview of each section."""
    lefi, skv = sections["FK"].find("{*}data"), sections["SKV"].find("{*}data")
    assert lefi is not None
    assert skv is not None
    return {
        **{f"svarande {kod}": _answering(section) for kod, section in sections.items()},
        "arende": _text(sections["CSN"], ".//{*}Person/{*}Studiemedel/{*}Arenden/{*}Arende/{*}status"),
        "utbetald": _text(lefi, "{*}formansinformation/{*}utbetalningsuppgift/{*}datum"),
        "utbetalt": amount(_text(lefi, "{*}formansinformation/{*}utbetalningsuppgift/{*}nettobelopp/{*}summa")),
        "pension": _text(lefi, "{*}utbetalningar/{*}utbetalningsrader/{*}formansgrupp/{*}kod"),
        "tomma": lefi.get("tomma", ""),
        "skattekonto": _text(skv, "{*}skattekonto/{*}data/{*}utbetaltBelopp"),
        "individuppgifter": " ".join(_error(part) for part in skv.iterfind("{*}individuppgifter")),
        "svarande fel": " ".join(_answering(section) for section in lacking.iterfind("{*}svarsdata/{*}CSN")),
    }


def _answering(section: _Element) -> str:
    """The verdict of each organisation that a section's overview names."""
    return ", ".join(
        f"{_text(one, '{*}organisation')} {_text(one, '{*}bedomning')}"
        for one in section.iterfind("{*}oversikt/{*}svarande")
    )


def _tested(part: _Element) -> str:
    return f"{_text(part, '{*}anropad')} {_error(part)}".strip()


def _error(part: _Element) -> str:
    error = part.find("{*}error")
    return "" if error is None else f"{_text(error, '{*}kalla')} {_text(error, '{*}felkod')}"


def _text(element: _Element, path: str) -> str:
    text = element.findtext(path)
    assert text, path
    return text
