"""WS-Security with callers: whose messages must be signed, and answers that are signed (docs/ws-security.md)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from cryptography.hazmat.primitives.serialization import Encoding

from ssbtek_gateway import xmlgate
from ssbtek_gateway.audit import AuditError
from ssbtek_gateway.authorisation import Register
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.wssecurity.names import SECURITY, SecurityError
from ssbtek_gateway.wssecurity.replay import ReplayStore, shared
from ssbtek_gateway.wssecurity.selection import for_us
from ssbtek_gateway.wssecurity.sign import Signer
from ssbtek_gateway.wssecurity.timestamp import Window
from ssbtek_gateway.wssecurity.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from lxml.etree import _Element

    from ssbtek_gateway.audit.backend import Backend
    from ssbtek_gateway.config.signering import Signering
    from ssbtek_gateway.inbound.identity import Identity
    from ssbtek_gateway.model import Caller
    from ssbtek_gateway.wssecurity.trust import Trust


@dataclass(frozen=True, slots=True)
class MessageSecurity:
    """What the register says of signatures, done. The default knows nobody, so that nothing is signed."""

    register: Register = field(default_factory=lambda: Register(()))
    replays: ReplayStore | None = None
    """There where the register has anybody whose messages may be signed."""
    signer: Signer | None = None
    """There where it has anybody who wants answers signed."""
    window: Window = field(default_factory=Window)

    @classmethod
    def load(cls, register: Register, settings: Signering, backend: Backend) -> Self:
        """Call on the running event loop where anybody's messages may be signed, who are then remembered in `backend`.

        Raises `AuditError`, and `OSError` or `ValueError` where the certificate or the key cannot be used.
        """
        signer = None
        if settings.certificate is not None and settings.key is not None:
            signer = Signer.load(settings.certificate, settings.key, must_understand=False)
        window = Window(timedelta(seconds=settings.giltig_seconds), timedelta(seconds=settings.klocka_seconds))
        return cls(register, ReplayStore(shared(backend)) if register.anybody_signs else None, signer, window)

    async def close(self) -> None:
        if self.replays is not None:
            await self.replays.close()

    def understood(self, caller: Caller) -> frozenset[str]:
        """The header blocks of this caller's that are looked into."""
        return frozenset() if self._required(caller) == "av" else frozenset({SECURITY})

    def demanded(self, caller: Caller, envelope: _Element) -> bool:
        """Whether the message must be verified: because the register says so, or because it is signed and may be."""
        required = self._required(caller)
        return required == "kravs" or (required == "tillaten" and bool(for_us(envelope)))

    async def verified(self, caller: Caller, identity: Identity, parse: Callable[[], _Element]) -> _Element:
        """The Body's element as it was signed; `parse` parses the message. Raises `GatewayFault`."""
        assert self.replays is not None  # noqa: S101 - see above
        believed = _same_organisation(caller, identity)
        try:
            verified = await asyncio.to_thread(lambda: verify(parse(), self.window, believed))
            await self.replays.remember(verified.mark, verified.expires)
        except SecurityError as error:
            raise GatewayFault("OGILTIG_SIGNATUR", reason=error.reason, soap=f"wsse:{error.code}") from None
        except AuditError as error:
            raise GatewayFault("INTERNT_FEL", reason=f"audit: {error}") from None
        return xmlgate.parse_own(verified.body)[0]

    async def signed(self, caller: Caller | None, answer: bytes) -> bytes:
        """The SOAP message, signed where this caller wants it."""
        if self.signer is None or caller is None or not self.register.signatures(caller).signerade_svar:
            return answer
        return await asyncio.to_thread(self.signer.sign, answer)

    def _required(self, caller: Caller) -> str:
        return self.register.signatures(caller).ws_security


def _same_organisation(caller: Caller, identity: Identity) -> Trust:
    """Believes whom TLS would let in as the same organisation: by the same issuers, rules and revocation lists."""

    def check(certificate: x509.Certificate) -> None:
        try:
            signer = identity.caller(certificate.public_bytes(Encoding.DER))
        except GatewayFault as fault:
            raise SecurityError("FailedAuthentication", f"signer: {fault.reason}") from None
        if signer.organisationsnummer != caller.organisationsnummer:
            raise SecurityError("FailedAuthentication", "the signer is another organisation than the TLS client")

    return check
