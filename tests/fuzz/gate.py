"""What the fuzzer drives: bytes to a question, and that what is refused is refused in our own words."""

from __future__ import annotations

import re

from ssbtek_gateway import xmlgate
from ssbtek_gateway.contracts import CONTRACTS, personidentitet
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound import envelope

# No number and no piece of a message: the digits of our own texts are few.
_OWN_WORDS = re.compile(r"[^0-9<>&]*(?:[0-9]{1,4}[^0-9<>&]+)*[0-9]{0,4}")


def one_input(data: bytes) -> None:
    """Read a message, which may end in a NUL and the HTTP header's charset. Raises where the gate has let us down."""
    message, mark, charset = data.rpartition(b"\0")
    try:
        root = xmlgate.parse_caller(message, charset.decode("latin-1")) if mark else xmlgate.parse_caller(data, None)
        element = envelope.operation(root)
        for contract in CONTRACTS.values():
            if element.tag == f"{{{contract.namespace}}}hamtaBastjanstInformation":
                contract.check_question(element)
                personidentitet.check(contract.read_question(element).person, demand_check_digit=True)
    except xmlgate.XmlError as error:
        texts = [error.regel, error.reason]
    except GatewayFault as fault:
        texts = [*fault.felmeddelande(""), fault.reason]
    else:
        return
    for text in texts:
        if not _OWN_WORDS.fullmatch(text):
            raise AssertionError("a text that may hold a piece of the message")
