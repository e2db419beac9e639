from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssbtek_gateway.recording.survival import survivors

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = {"7503141232"}
TEXTS = {"provsson": "namn", "storgatan 5": "adress", "person": "namn", "å-berg": "namn"}
HIDINGS: tuple[Callable[[str], str], ...] = (
    lambda text: b64encode(text.encode()).decode(),
    lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
    lambda text: b64encode(text.encode("utf-16-le")).decode(),
    lambda text: b64encode(text.encode("latin-1", "replace")).decode(),
    lambda text: "".join(f"&#{ord(character)};" for character in text),
    lambda text: "".join(f"&#x{ord(character):x};" for character in text),
    lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    lambda text: json.dumps({"a": text}),
    lambda text: quote(text, safe=""),
    lambda text: f"<![CDATA[{text}]]>",
)


@pytest.mark.parametrize(
    "spelled",
    ["197503141232", "7503141232", "750314-1232", "19750314+1232", "750314 1232", "x7503141232x", "007503141232"],
)
def test_a_number_is_found_in_every_spelling(spelled: str) -> None:
    assert survivors(f"<a>{spelled}</a>".encode(), NUMBERS, {}) == {"personnummer"}


@settings(deadline=None, max_examples=200)
@given(
    original=st.sampled_from(["750314-1232", "197503141232", "Provsson", "STORGATAN 5"]),
    before=st.text(st.sampled_from("abc .,"), max_size=4),
    hidings=st.lists(st.sampled_from(HIDINGS), min_size=1, max_size=3),
    prefix=st.text(st.sampled_from("abcXYZ019+/"), max_size=5),
)
def test_an_original_is_found_however_it_is_wrapped_and_wherever_the_wrapping_begins(
    original: str, before: str, hidings: list[Callable[[str], str]], prefix: str
) -> None:
    hidden = f"{before} {original} slut"
    for hide in hidings:
        hidden = hide(hidden)
    # Base64 that something stands before without a seam begins at any character.
    document = f"<a>{prefix}{hidden}</a>" if hidings[-1] is HIDINGS[0] else f"<a>{prefix} {hidden}</a>"
    assert survivors(document.encode(), NUMBERS, TEXTS)


@pytest.mark.parametrize(
    "clean",
    [
        "<Person xmlns='urn:person' person='1'><person:Person xmlns:person='x'/></Person>",
        '{"person": 1, "provssons": "Provssonskt", "b": "Storgatan 55", "c": "75031412", "d": "å-bergen"}',
        "<a>2026-03-31 12:00</a>",
    ],
)
def test_names_of_elements_and_parts_of_words_are_not_taken_for_somebody(clean: str) -> None:
    assert survivors(clean.encode(), NUMBERS, TEXTS) == set()


def test_numbers_are_sought_even_in_names() -> None:
    assert survivors(b'{"7503141232": 1}', NUMBERS, {}) == {"personnummer"}
    assert survivors("<a>å-berg</a>".encode("utf-16"), NUMBERS, TEXTS) == {"namn"}
    assert survivors("<?xml version='1.0' encoding='latin-1'?><a>Å-BERG</a>".encode("latin-1"), NUMBERS, TEXTS)
