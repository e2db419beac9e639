"""What an agency wrote is what the section carries, by inclusive canonicalisation, comments and prefixes included."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from unit.builders import question
from unit.services.test_every_service import SimulatedTransport, asked, known

from ssbtek_gateway import config, xmlgate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.model import Data
from ssbtek_gateway.services import REGISTRY, fk_rest, skv, soap
from ssbtek_gateway.simulator.app import Simulator
from ssbtek_gateway.simulator.faults import parse_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from ssbtek_gateway.services.transport import Reply

pytestmark = pytest.mark.anyio
BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"


class Listening(SimulatedTransport):
    """A transport to agencies that write comments, instructions, and prefixes that only a value uses."""

    heard: bytes

    def __init__(self, settings: config.Bastjanst) -> None:
        super().__init__(settings)
        kod = settings.url.rpartition("/")[2].upper()
        self._simulator = Simulator(known(), dict([parse_fault(f"{kod}=comments")]))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        reply = await super().post(url, body, headers)
        Listening.heard = reply.body
        return reply


def canonical(element: _Element) -> bytes:
    """The content of an element as canonical text (Canonical XML 1.0, inclusive, with comments), without its own tags.

    A namespace stands where it comes into scope, so what the element itself declares is compared apart.
    """
    whole: bytes = etree.tostring(element, method="c14n", with_comments=True)
    return whole[whole.index(b">") + 1 : whole.rindex(b"</")]


@pytest.mark.parametrize("kod", ["AF", "SO", "TNS", "MIV", "SKV", "CSN"])
async def test_the_section_is_what_the_agency_wrote(kod: str, monkeypatch: pytest.MonkeyPatch) -> None:
    SimulatedTransport.sent = []
    for module in (soap, fk_rest, skv):
        monkeypatch.setattr(module, "Transport", Listening)
    settings = {"url": f"https://agency.example/{kod.lower()}", "authority": "ca.pem"}
    service = REGISTRY[kod].connect(getattr(config.Bastjanster.model_validate({kod: settings}), kod))
    outcome = await service.ask(asked(known()["allt"].person, "10"))
    assert isinstance(outcome, Data)
    sent = xmlgate.parse_agency(Listening.heard, None).find(BODY)
    assert sent is not None
    assert b"<!--" in etree.tostring(sent)
    answer = next(sent.iterchildren(etree.Element))

    written = xmlgate.parse_agency(CONTRACTS["10"].write_answer(question(), {kod: outcome}), None)
    (section,) = written.iterfind(".//{*}svarsdata/*")
    if kod == "CSN":
        # A document of its own, in base64, with every namespace that was in scope.
        data = xmlgate.parse_agency(b64decode(section.findtext("{*}data/{*}svar") or ""), None)
        assert data.nsmap == answer.nsmap
        answer = xmlgate.parse_agency(etree.tostring(answer, encoding="UTF-8", with_tail=False), None)
    else:
        (data,) = section
    assert set(answer.nsmap.items()) <= set(data.nsmap.items()), "every prefix in scope is kept"
    assert canonical(data) == canonical(answer)
