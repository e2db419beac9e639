"""LEFI Online over SOAP, in a contract of our own: JSON becomes XML on the way out and JSON again on the way in.

What LEFI's schema does not know goes through both ways, in `okant` (json_xml).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ssbtek_gateway import jsongate, xmlgate
from ssbtek_gateway.json_xml import LEFI, dumps
from ssbtek_gateway.model import EncodedPayload
from ssbtek_gateway.services import lefi
from ssbtek_gateway.services.soap import SoapSpec

if TYPE_CHECKING:
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.config import Fk
    from ssbtek_gateway.model import FkFraga, Question

_NS = f"{{{LEFI.namespace}}}"


def spec(settings: Fk) -> SoapSpec:
    """What is particular to FK over SOAP."""
    actor = settings.test_aktorsid
    return SoapSpec(
        wsdl="services/lefi_online.wsdl",
        schema="services/fk/lefi_online.xsd",
        operation="hamtaFormansinformation",
        limit=_limit,
        message=_message,
        content=_content,
        persons=lambda _answer: (),  # no one place in it says whom it is about
        judge=lefi.judge,
        unknown=lefi.count_unknown,
        payload=lambda answer: EncodedPayload("lefiJsonSvar", dumps(answer)),
        test_operation="hamtaTillgangligaInformationstyper",
        test={"aktorsId": actor} if actor else None,
        fault_code=f"{_NS}lefiFel/{_NS}status",
        meanings=lefi.MEANINGS,
    )


def _limit(question: Question, _today: date) -> str | None:
    limit = lefi.limit(question)
    if limit is not None or question.fk is None:
        return limit
    try:
        _written(question.fk)
    except (jsongate.JsonError, RecursionError):
        return f"{question.fk.falt}: är för djupt nästlad, eller har ett tal som är för stort."
    return None


def _message(question: Question) -> dict[str, Any]:
    fraga = question.fk
    assert fraga is not None  # noqa: S101 - else it is refused
    return {"aktorsId": fraga.aktorsid, "fraga": _written(fraga)}


def _written(fraga: FkFraga) -> bytes:
    """Raises `JsonError` and `RecursionError` for what the JSON reader took and we cannot hold with every digit."""
    asked = jsongate.parse(fraga.lefi_json, unique=False, exact=True)
    return LEFI.written(asked, lefi.FRAGA, f"{LEFI.prefix}:fraga")


def _content(answer: _Element) -> Any:  # noqa: ANN401 - JSON
    """The answer as JSON. Raises `XmlError` where it is none of LEFI's, which `okant` may hide from the schema."""
    try:
        value = LEFI.read(answer, lefi.SVAR)
    except (ValueError, ArithmeticError):
        raise xmlgate.XmlError("", "not JSON") from None
    if not lefi.is_answer(value):
        raise xmlgate.XmlError("", lefi.BREAKS_THE_SCHEMA)
    return value
