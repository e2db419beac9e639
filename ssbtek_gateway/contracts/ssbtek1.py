"""The typed contract, our own: nothing in base64 or in a text, and in every section how its answer is to be read.

The question is that of version 11 but for FK's block, which names LEFI's codes. The answer is the agencies' own
elements, and where they answer in JSON those that `json_xml` makes of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lxml import etree

from ssbtek_gateway import jsongate, xmlgate
from ssbtek_gateway.contracts.contract import Contract, text, token
from ssbtek_gateway.json_xml import LEFI, SKV_DELAR
from ssbtek_gateway.model import EncodedPayload, FkFraga, PartsPayload, XmlPayload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from ssbtek_gateway.model import Failure, Outcome, Oversikt, Payload, Period, PersonId


class TypedContract(Contract):
    """What FK is asked and what is answered stand as elements; each section begins with its overview."""

    def _own_period(self, section: _Element) -> _Element | None:
        return next(section.iter(self._tag("tidsperiod")), None)  # FK's is in its fraga

    def _fk_fraga(self, fraga: _Element, person: PersonId, period: Period) -> FkFraga:
        asked: dict[str, Any] = {
            "personnummer": person.reveal(),
            "period": {"from": period.from_datum.isoformat(), "tom": period.tom_datum.isoformat()},
        }
        aktorsid, *others = fraga
        for kod in others:
            name = etree.QName(kod).localname
            if name != "tidsperiod":  # it is in `period`
                asked.setdefault(name, []).append(token(kod))
        return FkFraga(None, text(aktorsid), json.dumps(asked).encode(), asked, "FK/fraga")

    def _section(self, kod: str, outcome: Outcome, oversikter: Mapping[str, Oversikt]) -> bytes:
        return self._oversikt(oversikter[kod]) + super()._section(kod, outcome, oversikter)

    def _oversikt(self, oversikt: Oversikt) -> bytes:
        parts = [self._element("agare", oversikt.agare)]
        if oversikt.support:
            parts.append(self._element("support", oversikt.support))
        parts.append(self._element("tidpunkt", oversikt.tidpunkt.isoformat(timespec="milliseconds")))
        parts.append(self._element("millisekunder", str(oversikt.millisekunder)))
        for judged in oversikt.svarande:
            said = {"organisation": judged.organisation, "bedomning": judged.verdict, "skal": judged.skal}
            told = b"".join(self._element(name, value) for name, value in said.items() if value)
            parts.append(self._wrapped("svarande", told))
        return self._wrapped("oversikt", b"".join(parts))

    def _data(self, kod: str, payload: Payload) -> bytes:
        match payload:
            case EncodedPayload("lefiJsonSvar", content):
                return LEFI.written(_exact(content), "LefiExternFormansinformationSvar", f"{self.family}:data")
            case EncodedPayload(_, content):  # CSN's document, which we wrote
                return self._wrapped("data", content.partition(b"?>")[2])
            case XmlPayload(content) if kod == "SKV":
                document = xmlgate.parse_agency_text(str(xmlgate.parse_agency(content, None).xpath("string(svar)")))
                written = etree.tostring(document, encoding="UTF-8", xml_declaration=False)
                return self._wrapped("data", self._wrapped("dokument", written))
            case PartsPayload():
                return self._wrapped("data", super()._data(kod, payload))
            case _:
                return super()._data(kod, payload)

    def _part(self, name: str, part: bytes | Failure) -> bytes:
        """One of SKV's parts; its type is called as it is."""
        if isinstance(part, bytes):
            return SKV_DELAR.written(_exact(part), name.capitalize(), f"{self.family}:data")
        return super()._part(name, part)


def _exact(content: bytes) -> Any:  # noqa: ANN401 - JSON
    """What the service has read before, numbers digit by digit."""
    return jsongate.parse(content, unique=False, exact=True)


SSBTEK1 = TypedContract(
    version="1",
    namespace="urn:ssbtek-gateway:1",
    wsdl="ssbtek/1/ssbtek.wsdl",
    xsd="ssbtek/1/ssbtek.xsd",
    sections=("AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV"),
    family="ssbtek",
    skv_dokument=True,
    oversikt=True,
)
