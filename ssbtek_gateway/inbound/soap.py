"""SOAP by spyne: an application per contract version, its operations, and the faults (docs/decisions/0001).

The only module that imports spyne. What spyne would do with bytes is not reached: the gate in front has parsed and
checked the message, and an answer is written by the contract, because moving it into spyne's tree would lose prefixes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree
from spyne import AnyXml, Application, MethodContext, Service, rpc
from spyne.model.fault import Fault
from spyne.protocol.soap import Soap11
from spyne.server import ServerBase

from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.contracts.contract import OPERATIONS
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound.envelope import NAMESPACE
from ssbtek_gateway.wssecurity.names import WSSE

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from lxml.etree import _Element

    from ssbtek_gateway.contracts.contract import Contract
    from ssbtek_gateway.flow import Flow, Written
    from ssbtek_gateway.model import Caller

_HEAD = f'<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="{NAMESPACE}">'.encode()
# A namespace ends with the version.
_VERSION = re.compile(r"[^/:]*$")
_FAMILIES = {_VERSION.sub("", contract.namespace) for contract in CONTRACTS.values()}
_TAIL = b"</soap:Body></soap:Envelope>"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an operation needs beside the element; it travels as spyne's user-defined context."""

    caller: Caller
    incident: str


class _Protocol(Soap11):
    """spyne's SOAP 1.1, given an element and giving out written bytes."""

    soap_env = "soap"

    def create_in_document(self, ctx: MethodContext, charset: str | None = None) -> None:
        """Nothing: the gate has set `ctx.in_document`."""

    def decompose_incoming_envelope(self, ctx: MethodContext, message: str = Soap11.REQUEST) -> None:  # noqa: ARG002
        ctx.in_body_doc = ctx.in_document
        ctx.method_request_string = ctx.in_document.tag

    def deserialize(self, ctx: MethodContext, message: str) -> None:  # noqa: ARG002 - spyne's signature
        ctx.in_object = ctx.in_body_doc

    def serialize(self, ctx: MethodContext, message: str) -> None:
        if ctx.out_error is not None:
            super().serialize(ctx, message)
            for actor in ctx.out_document.iter("faultactor"):  # optional, and nothing to say in it
                actor.getparent().remove(actor)
            code = ctx.out_error.faultcode
            if code.startswith("wsse:"):  # WS-Security's own, in a namespace of their own
                written = ctx.out_document.find(".//faultcode")
                replacement = etree.Element("faultcode", nsmap={"wsse": WSSE})
                replacement.text = code
                written.getparent().replace(written, replacement)

    def create_out_string(self, ctx: MethodContext, charset: str | None = None) -> None:
        if ctx.out_error is not None:
            super().create_out_string(ctx, charset)
        else:
            written: Written = ctx.out_object[0]
            header = b"<soap:Header>%b</soap:Header>" % written.header if written.header else b""
            ctx.out_string = [_HEAD, header, b"<soap:Body>", written.body, _TAIL]


class SoapEndpoint(ServerBase):
    """One contract version as a SOAP service, driven by the listener."""

    transport = "http://schemas.xmlsoap.org/soap/http"

    def __init__(self, contract: Contract, flow: Flow) -> None:
        self.contract = contract
        protocol = {"in_protocol": _Protocol(), "out_protocol": _Protocol()}
        name = "BastjanstInformationInterfaceService"
        application = Application([_service(contract, flow)], contract.namespace, name=name, **protocol)
        super().__init__(application)
        # A fault is written with the usual prefix instead of one that names the library.
        application.interface.nsmap = {_Protocol.soap_env: NAMESPACE, contract.family: contract.namespace}

    async def answer(self, element: _Element, caller: Caller, incident: str) -> bytes:
        """The SOAP message that answers the Body element. Raises `GatewayFault` where the whole question fails."""
        initial = MethodContext(self, MethodContext.SERVER)
        initial.in_document = element
        initial.udc = _Asked(caller, incident)
        (context,) = self.generate_contexts(initial)
        if context.in_error is not None:
            raise _unknown_operation(element, self.contract)
        self.get_in_object(context)
        self.get_out_object(context)
        # The operations are coroutines, which spyne does not know: what it holds is the coroutine, awaited here.
        try:
            context.out_object = [await context.out_object[0]]
            return self._written(context)
        finally:
            _forget(initial, context)

    def fault(self, fault: GatewayFault, incident: str, operation: str = "") -> bytes:
        """The SOAP message that says why the whole question failed, with the operation's fault as its detail.

        `operation` is empty where it is none of the contract's.
        """
        detail = etree.Element(f"{{{self.contract.namespace}}}{operation or OPERATIONS[0]}Fault")
        for name, text in (
            ("felkod", fault.fel.felkod),
            *(("felmeddelande", text) for text in fault.felmeddelande(incident)),
        ):
            etree.SubElement(detail, f"{{{self.contract.namespace}}}{name}").text = text
        context = MethodContext(self, MethodContext.SERVER)
        context.out_error = Fault(fault.soap, fault.fel.text, detail=detail)
        return self._written(context)

    def _written(self, context: MethodContext) -> bytes:
        self.get_out_string(context)
        return b"".join(context.out_string)


def _forget(*contexts: MethodContext) -> None:
    """Empty spyne's contexts: they refer to each other, and would keep a question until garbage is collected."""
    for context in contexts:
        for part in (context.inprot_ctx, context.outprot_ctx, context.transport, context.event, context):
            vars(part).clear()


def _service(contract: Contract, flow: Flow) -> type[Service]:
    """The contract's two operations, as spyne declares them."""

    def operation(name: str) -> Any:  # noqa: ANN401 - spyne's decorator ships no types
        messages = {"_in_message_name": name, "_out_message_name": f"{name}Response"}
        return rpc(AnyXml, _returns=AnyXml, _body_style="bare", **messages)

    class BastjanstInformation(Service):
        @operation("hamtaBastjanstInformation")
        def hamtaBastjanstInformation(ctx: MethodContext, fraga: _Element) -> Awaitable[Written]:  # noqa: N802, N805
            return flow.hamta(contract, fraga, ctx.udc.caller, ctx.udc.incident)

        @operation("testaBastjanstInformation")
        def testaBastjanstInformation(ctx: MethodContext, fraga: _Element) -> Awaitable[Written]:  # noqa: N802, N805
            return flow.testa(contract, fraga, ctx.udc.caller)

    return BastjanstInformation


def _unknown_operation(element: _Element, contract: Contract) -> GatewayFault:
    namespace = etree.QName(element).namespace or ""
    if namespace != contract.namespace and _VERSION.sub("", namespace) in _FAMILIES:
        detalj = f"Den här adressen tar emot version {contract.version} av kontraktet ({contract.namespace})."
        meant = next((other.path for other in CONTRACTS.values() if other.namespace == namespace), None)
        if meant is not None:
            detalj += f" Frågans version tas emot på {meant}."
        return GatewayFault("OKAND_VERSION", detalj, reason="another version's namespace")
    return GatewayFault(
        "OGILTIG_FRAGA",
        "Body ska innehålla hamtaBastjanstInformation eller testaBastjanstInformation i tjänstens namnrymd.",
        reason="unknown operation",
    )
