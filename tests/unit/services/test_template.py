"""A filled template is the XML that zeep would have built, whatever the values and however many of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from unit.builders import question

from ssbtek_gateway import config, xmlgate
from ssbtek_gateway.model import Party
from ssbtek_gateway.services import REGISTRY, soap
from ssbtek_gateway.services.soap import SoapService
from ssbtek_gateway.services.template import Templates

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.anyio
# What XML can hold: the questions have been parsed from it.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], include_characters="\t\n\r"), max_size=20)


def canonical(message: bytes) -> bytes:
    return etree.tostring(xmlgate.parse_agency(message, None), method="c14n")


@pytest.mark.parametrize("kod", ["AF", "SO", "CSN", "TNS", "MIV"])
@pytest.mark.parametrize("bitraden", [0, 1, 2])
async def test_every_service_sends_what_zeep_would_build(
    kod: str, bitraden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soap, "Transport", lambda _settings: None)
    model = config.Bastjanster.model_validate({kod: {"url": "https://a.example", "authority": "ca.pem"}})
    service = REGISTRY[kod].connect(getattr(model, kod))
    assert isinstance(service, SoapService)
    if (kod, bitraden) == ("AF", 2):  # its limit comes first
        return
    parties = tuple(Party("165560000167", f"<&>\"' {number}\r\n\t") for number in range(bitraden))
    asked = replace(question(), bitraden=parties, arendeidentitet='å <b> & "c" ]]> \r', korrelationsid=None)
    for wanted in (asked, replace(asked, handlaggare="another", korrelationsid="x\ny")):
        message, name = service._spec.message(wanted), service._question.name  # noqa: SLF001 - both ways
        assert canonical(service.request(message)) == canonical(service.build(name, message).encode())


def build(message: Mapping[str, Any]) -> str:
    """Something that builds XML as zeep does: by its own rules for what it is given."""
    root = etree.Element("m")
    for name, value in message.items():
        for one in value if isinstance(value, list) else [value]:
            child = etree.SubElement(root, name)
            text = one if isinstance(one, str) else one.isoformat() if isinstance(one, date) else str(one)
            if name == "s":
                child.set("attribute", text)
            else:
                child.text = text
    return etree.tostring(root, encoding="unicode")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.fixed_dictionaries({"s": TEXT, "l": st.lists(TEXT, max_size=3), "b": st.booleans()}), max_size=5))
def test_any_text_in_any_shape(messages: list[dict[str, Any]]) -> None:
    templates = Templates(build)
    for message in messages:
        whole = message | {"d": date(2026, 2, 16)}
        assert canonical(templates.fill(whole)) == canonical(build(whole).encode())


def test_what_a_caller_makes_up_does_not_grow_without_bound() -> None:
    built: list[int] = []

    def counted(message: Mapping[str, Any]) -> str:
        built.append(len(message["l"]))
        return build(message)

    templates = Templates(counted)
    for _ in range(2):
        for length in range(100):
            templates.fill({"l": ["x"] * length})
    assert len(built) == 100 + 50, "the first fifty shapes are built once, the others each time"


def test_a_library_that_leaves_a_field_out_is_found_at_once() -> None:
    with pytest.raises(ValueError, match="left a field out"):
        Templates(lambda _message: "<m/>").fill({"s": "x"})
