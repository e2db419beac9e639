"""LEFI Online over REST. The question is passed on and the answer handed on byte for byte; both are only read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from ssbtek_gateway.faults import failure
from ssbtek_gateway.model import Data, EncodedPayload, Failure
from ssbtek_gateway.services import lefi, rest
from ssbtek_gateway.services.transport import Transport, TransportError

if TYPE_CHECKING:
    from ssbtek_gateway.config import Fk
    from ssbtek_gateway.model import Outcome, Question


class FkRest:
    """A `BaseService`. Make it on the running event loop."""

    def __init__(self, settings: Fk) -> None:
        self._settings = settings
        self._transport = Transport(settings)

    def refusal(self, question: Question) -> Failure | None:
        limit = lefi.limit(question)
        return failure("OGILTIG_FRAGA", limit, reason="a limit of this base service") if limit else None

    async def ask(self, question: Question) -> Outcome:
        refused, fraga = self.refusal(question), question.fk
        if refused is not None:
            return refused
        assert fraga is not None  # noqa: S101 - else it is refused
        url = self._url(fraga.aktorsid, "formansinformation/fraga")
        answer = await rest.ask(self._transport, url, fraga.lefi_json, lefi.MEANINGS)
        if isinstance(answer, Failure):
            return answer
        if not lefi.is_answer(answer.value):
            # An answer names no person: after this one the next on the connection could be another question's.
            answer.drop()
            return failure("OGILTIGT_SVAR", reason=lefi.BREAKS_THE_SCHEMA)
        payload = EncodedPayload("lefiJsonSvar", answer.body)
        return Data(payload, tuple(lefi.judge(answer.value)), lefi.count_unknown(answer.value))

    async def test(self) -> tuple[bool, Failure | None]:
        """LEFI's list of available kinds, for the configured actor."""
        if self._settings.test_aktorsid is None:
            return False, await self._transport.ping(self._settings.url)
        try:
            reply = await self._transport.get(self._url(self._settings.test_aktorsid, "tillgangligaInformationstyper"))
        except TransportError as error:
            return error.connected, error.failure
        return True, rest.refusal(reply, lefi.MEANINGS)

    async def close(self) -> None:
        await self._transport.close()

    def _url(self, aktorsid: str, operation: str) -> str:
        # aktorsid is registered for the asker; still, nothing that a caller wrote becomes a step of the path.
        actor = quote(aktorsid, safe="")
        return f"{self._settings.url}/lefi-extern-formansinformation/{lefi.VERSION}/aktorer/{actor}/{operation}"
