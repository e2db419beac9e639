"""How large a question may be inside a message that is small enough: the contract itself sets no bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.faults import GatewayFault

if TYPE_CHECKING:
    from lxml.etree import _Element

    from ssbtek_gateway.config import Limits

# A document of its own; the message's bytes bound it.
_UNBOUND = "lefiJsonFraga"
# What the contract lets stand any number of times, and what to do about too many.
_REPEATED = {
    "personuppgiftsbitrade": "Ta bara med de biträden som är med i frågan.",
    "ar": "Dela upp åren på flera frågor.",
}


def check(question: _Element, limits: Limits) -> None:
    """Check a schema-valid question. Raises `GatewayFault` FOR_STOR naming field, limit and remedy."""
    for element in question.iter():
        is_long = len(element.text or "") > limits.text_characters and not len(element)
        if is_long and (name := etree.QName(element).localname) != _UNBOUND:
            detalj = f"{name}: får vara högst {limits.text_characters} tecken. Korta texten."
            raise GatewayFault("FOR_STOR", detalj, reason="a text above text_characters")
    for name, remedy in _REPEATED.items():
        if sum(1 for _ in question.iter(f"{{*}}{name}")) > limits.upprepningar:
            detalj = f"{name}: får förekomma högst {limits.upprepningar} gånger. {remedy}"
            raise GatewayFault("FOR_STOR", detalj, reason="more of an element than upprepningar")
