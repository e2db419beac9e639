"""WS-Security with one base service: signed questions, and answers of which only what is signed is read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from ssbtek_gateway import xmlgate
from ssbtek_gateway.faults import failure
from ssbtek_gateway.services.transport import TransportError
from ssbtek_gateway.wssecurity import trust
from ssbtek_gateway.wssecurity.names import SOAP, SecurityError
from ssbtek_gateway.wssecurity.selection import for_us
from ssbtek_gateway.wssecurity.sign import Signer
from ssbtek_gateway.wssecurity.timestamp import Window
from ssbtek_gateway.wssecurity.verify import verify

if TYPE_CHECKING:
    from ssbtek_gateway.config.signering import BastjanstSignering, WsSecurity
    from ssbtek_gateway.services.transport import Reply
    from ssbtek_gateway.wssecurity.trust import Trust

# A SOAP answer comes with one of these; of any other the status is all that is told.
_SOAP = {200, 500}


@dataclass(frozen=True, slots=True)
class ServiceSecurity:
    """Signs and verifies for one base service."""

    signer: Signer
    believed: Trust
    required: WsSecurity

    @classmethod
    def load(cls, settings: BastjanstSignering) -> Self:
        """Raises `OSError`, or `ValueError` where a certificate or the key cannot be used."""
        signer = Signer.load(settings.certificate, settings.key, must_understand=True)
        return cls(signer, trust.one_of(trust.load(settings.svar_certifikat)), settings.svar)

    async def signed(self, request: bytes) -> bytes:
        return await asyncio.to_thread(self.signer.sign, request)

    async def verified(self, reply: Reply) -> Reply:
        """The answer with nothing in its envelope but what is signed. Raises `TransportError`."""
        if self.required == "av" or reply.status not in _SOAP:
            return reply
        try:
            body = await asyncio.to_thread(self._body, reply)
        except xmlgate.XmlError:
            return reply  # whoever reads it will see the same, and has the text for it
        except SecurityError as error:
            reply.drop()
            raise TransportError(failure("OGILTIGT_SVAR", reason=f"signature: {error.reason}")) from None
        if body is None:
            return reply
        return replace(reply, charset="utf-8", body=b'<e:Envelope xmlns:e="%b">%b</e:Envelope>' % (SOAP.encode(), body))

    def _body(self, reply: Reply) -> bytes | None:
        """The Body as it was signed; None where nothing is signed and need not be."""
        envelope = xmlgate.parse_agency(reply.body, reply.charset)
        if self.required == "tillaten" and not for_us(envelope):
            return None
        return verify(envelope, Window(), self.believed).body
