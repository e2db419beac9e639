"""Sveriges a-kassor, Unemployment Benefit Payment Service. A persona holds `ArbetsloshetsersattningLista`."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from lxml.builder import ElementMaker

from ssbtek_gateway.simulator.agency import Agency
from ssbtek_gateway.simulator.soap_interface import Asked, Dated, SoapInterface, spelled

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMESPACE = "http://INT014.UBPService.Schemas"
_SO = f"{{{_NAMESPACE}}}"
_E = ElementMaker(namespace=_NAMESPACE, nsmap={None: _NAMESPACE})

_SPECIMEN = f"""
<GetUnemploymentBenefitPaymentRequest xmlns="{_NAMESPACE}">
  <OrganisationsnummerIngivare>162021004748</OrganisationsnummerIngivare>
  <NamnIngivare>Testkommunen</NamnIngivare>
  <KontonamnHandlaggare>handläggare</KontonamnHandlaggare>
  <Referensnummer>ärende</Referensnummer>
  <From>{{day}}</From>
  <Tom>{{day}}</Tom>
  <Syfte>prov</Syfte>
  <Paragraf>prov</Paragraf>
  <IdentificationNumber>{{person}}</IdentificationNumber>
</GetUnemploymentBenefitPaymentRequest>
"""


def _answer(asked: Asked, held: _Element | None) -> _Element:
    # Answer and question begin with the same children.
    echo = list(deepcopy(asked.question))
    lists = [_E.ArbetsloshetsersattningLista()] if held is None else list(held)
    return _E.GetUnemploymentBenefitPaymentResponse(*echo, *lists)


_SOAP = SoapInterface(
    path="/so",
    schema="services/so/ubps.xsd",
    request=f"{_SO}GetUnemploymentBenefitPaymentRequest",
    person=spelled("IdentificationNumber"),
    period=("From", "Tom"),
    specimen=_SPECIMEN,
    answer=_answer,
    dated=(
        Dated("Utbetalningar", "Utbetalningsdatum", "Utbetalningsdatum"),
        Dated("Avstangningar", "AvstangdFrom", "AvstangdTom"),
    ),
)
AGENCY = Agency("SO", (_SOAP,))
