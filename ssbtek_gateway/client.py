"""A client of our own contract: what a municipality's system does, by zeep from the published WSDL."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import requests
import zeep
import zeep.exceptions
import zeep.helpers
import zeep.plugins
from lxml import etree

from ssbtek_gateway import connection, resources
from ssbtek_gateway.config import KODER
from ssbtek_gateway.contracts.ssbt10 import SSBT10
from ssbtek_gateway.contracts.ssbtek1 import SSBTEK1
from ssbtek_gateway.model import Period
from ssbtek_gateway.services.csn import months
from ssbtek_gateway.services.service import today

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date
    from pathlib import Path
    from types import TracebackType

    from lxml.etree import _Element

    from ssbtek_gateway.model import PersonId

_TIMEOUTS = {"timeout": connection.CONNECT_SECONDS, "operation_timeout": connection.READ_SECONDS}


class ClientError(Exception):
    """No answer came. The text is for whoever typed the command and holds nothing of the question."""


class FaultError(ClientError):
    """The service refused the whole question: `felkod` and its texts, as the contract's fault carries them."""

    def __init__(self, felkod: str, felmeddelande: list[str]) -> None:
        super().__init__(f"{felkod}: {' '.join(felmeddelande)}")
        self.felkod = felkod
        self.felmeddelande = felmeddelande


@dataclass(frozen=True, slots=True)
class Asker:
    """On whose behalf a question is asked."""

    organisationsnummer: str
    namn: str
    handlaggare: str
    arendeidentitet: str
    syfte: str
    lagtext: str
    aktorsid: str


# Who asks in the demo and in a development register.
TEST_ASKER = Asker(
    "162021004748",
    "Testkommunen",
    "test01",
    "TEST-1",
    "Handläggning av ekonomiskt bistånd",
    "11 kap. 11 § SoL",
    "TEST-01",
)
# The lists of a LEFI question, and the schema type whose codes each may hold.
_LEFI_KINDS = {
    "formansinformation": "LefiFkFormanGruppKod",
    "ansprak": "LefiPmFormanGruppKod",
    "beslut": "LefiPmFormanGruppKod",
    "preliminaraUtbetalningar": "LefiExternFormanGruppKod",
    "utbetalningar": "LefiExternFormanGruppKod",
    "ovrigInformation": "LefiExternOvrigInformationTypKod",
}
_SKV_PARTS = ("foretagsinformation", "individuppgifter", "skattekonto", "skatteuppgifter", "beskattningsbilagor")


@dataclass(frozen=True, slots=True)
class Answer:
    """The combined answer: as it came (the SOAP envelope), and as plain values. Never printed by accident."""

    envelope: _Element = field(repr=False)
    values: dict[str, Any] = field(repr=False)

    @property
    def sections(self) -> list[_Element]:
        """The sections of `svarsdata`, in order."""
        return [section for data in self.envelope.iter("{*}svarsdata") for section in data]


class Client(AbstractContextManager["Client"]):
    """One SSBTEK endpoint, such as https://host:8443/ssbt/10. Raises `ClientError` where its WSDL cannot be fetched."""

    def __init__(self, url: str, authority: Path, certificate: Path, key: Path) -> None:
        self._session = connection.session(authority, certificate, key)
        self._history = zeep.plugins.HistoryPlugin(maxlen=1)
        transport = zeep.Transport(session=self._session, **_TIMEOUTS)
        try:
            self._client = zeep.Client(f"{url}?wsdl", transport=transport, plugins=[self._history])
        except (requests.RequestException, OSError, zeep.exceptions.Error, etree.XMLSyntaxError) as error:
            raise ClientError(f"the WSDL at {url}?wsdl cannot be fetched: {connection.meaning(error)}") from None
        # The WSDL names the address that callers use; we ask where we were told to.
        (binding,) = self._client.wsdl.bindings
        self._namespace = str(etree.QName(binding).namespace)
        self._service = self._client.create_service(binding, url)

    def ask(self, person: PersonId, period: Period, asker: Asker, services: Collection[str]) -> Answer:
        """Ask about one person. Raises `FaultError` or `ClientError`."""
        question = _question(self._namespace, person, period, asker, services)
        try:
            result = self._service.hamtaBastjanstInformation(**question)
        except zeep.exceptions.Fault as fault:
            raise _fault(fault) from None
        except (requests.RequestException, OSError, zeep.exceptions.Error, etree.XMLSyntaxError) as error:
            raise ClientError(f"no answer: {connection.meaning(error)}") from None
        received: dict[str, Any] = self._history.last_received  # type: ignore[assignment] # it has just been received
        return Answer(received["envelope"], zeep.helpers.serialize_object(result, dict))

    def message(
        self, person: PersonId, period: Period, asker: Asker, services: Collection[str], korrelationsid: str
    ) -> bytes:
        """The same question as it would be sent, with a mark that the answer repeats. Raises `ClientError`."""
        question = _question(self._namespace, person, period, asker, services)
        question["generellaFrageparametrar"]["korrelationsid"] = korrelationsid
        try:
            envelope = self._client.create_message(self._service, "hamtaBastjanstInformation", **question)
        except zeep.exceptions.Error as error:
            raise ClientError(f"no such question in that WSDL: {connection.meaning(error)}") from None
        return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()


def written(wsdl: Path, person: PersonId, period: Period, asker: Asker, services: Collection[str]) -> str:
    """A question as an envelope, without asking it: from a WSDL that is a file."""
    client = zeep.Client(str(wsdl))
    (binding,) = client.wsdl.bindings
    question = _question(str(etree.QName(binding).namespace), person, period, asker, services)
    # The address is not used: nothing is sent.
    service = client.create_service(binding, "https://nobody.invalid")
    envelope = client.create_message(service, "hamtaBastjanstInformation", **question)
    return etree.tostring(envelope, encoding="unicode", pretty_print=True)


def _question(
    namespace: str, person: PersonId, period: Period, asker: Asker, services: Collection[str]
) -> dict[str, Any]:
    general = {
        "fraganSkallInkluderasISvaret": False,
        "ingivare": {
            "organisationsnummer": asker.organisationsnummer,
            "namn": asker.namn,
            "handlaggare": asker.handlaggare,
        },
        "personidentitet": person.reveal(),
        "arendeidentitet": asker.arendeidentitet,
        "tidsperiod": {"fromDatum": period.from_datum, "tomDatum": period.tom_datum},
        "syfte": asker.syfte,
        "lagtext": asker.lagtext,
    }
    included: dict[str, dict[str, Any]] = {kod: {"inkludera": kod in services} for kod in KODER}
    if "FK" in services:
        asked = _lefi_kinds() if namespace == SSBTEK1.namespace else _lefi_json(person, period)
        included["FK"]["fraga"] = {"aktorsid": asker.aktorsid, **asked}
    if "SKV" in services and namespace != SSBT10.namespace:
        years = sorted({period.from_datum.year - 1, period.tom_datum.year - 1, period.tom_datum.year})
        included["SKV"]["fraga"] = {"ar": years, **dict.fromkeys(_SKV_PARTS, True)}
    return {"generellaFrageparametrar": general, "specifikaFrageparametrar": included}


def last_months(last: date | None = None) -> Period:
    """Two months up to `last` or today: as far back as every base service answers."""
    last = last or today()
    return Period(months(last, -2), last)


def has_data(section: _Element) -> bool:
    """Whether a section has data: if it is in parts (SKV from version 11 on), in one of them."""
    ours = f"{{{etree.QName(section).namespace}}}"
    data = section.find(f"{ours}data")
    if data is None or data.find(f"*/{ours}error") is not None:
        # The parts stand in the section itself, or in its data (version 1).
        return (section if data is None else data).find(f"*/{ours}data") is not None
    return True


def _lefi_json(person: PersonId, period: Period) -> dict[str, Any]:
    """The same as a document of its own, which is about a person."""
    asked = {
        "personnummer": person.reveal(),
        "period": {"from": period.from_datum.isoformat(), "tom": period.tom_datum.isoformat()},
        **_lefi_kinds(),
    }
    return {"version": "v9", "lefiJsonFraga": json.dumps(asked).encode()}


def _lefi_kinds() -> dict[str, list[str]]:
    """Everything that LEFI v9 has a code for, at FK and PM."""
    schema = json.loads(resources.xsd("services/fk/lefi-9.schema.json").read_text(encoding="utf-8"))["$defs"]
    return {name: schema[codes]["x-kanda-koder"] for name, codes in _LEFI_KINDS.items()}


def _fault(fault: zeep.exceptions.Fault) -> ClientError:
    texts = (
        [element.text or "" for element in fault.detail.iter("{*}felmeddelande")] if fault.detail is not None else []
    )
    felkod = fault.detail.findtext(".//{*}felkod") if fault.detail is not None else None
    return FaultError(felkod or str(fault.code), texts or [str(fault.message)])
