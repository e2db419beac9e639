"""The values of the model: above all that a person's number never prints itself."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import FrozenInstanceError, dataclass

import pytest
from unit.builders import CONFIDENTIAL, OTHER_PERSON, PERSON, data, encoded, question, so_answer
from vectors import make

from ssbtek_gateway.model import Failure, PersonId, Refused


@dataclass
class Holder:
    person: PersonId


def shown() -> dict[str, str]:
    person = PersonId(PERSON)
    try:
        raise LookupError(person)  # noqa: TRY301 - to have a traceback
    except LookupError as error:
        texts = "".join(traceback.format_exception(error))
    return {
        "str": str(person),
        "repr": repr(person),
        "f-string": f"{person} {person!s} {person!r}",
        "padded": f"{person!s:>40}",
        "percent": "%s %r" % (person, person),  # noqa: UP031 - one way among others
        "format": "{}".format(person),  # noqa: UP032 - one way among others
        "in a dataclass": repr(Holder(person)),
        "in a list": str([person, {person: person}]),
        "in an exception": texts,
        "in a question": repr(question()),
    }


@pytest.mark.parametrize("way", shown())
def test_a_person_never_prints_itself(way: str) -> None:
    text = shown()[way]
    assert PERSON not in text
    assert PERSON[2:] not in text
    assert "****" in text


def test_a_person_has_no_dict_to_dump() -> None:
    person = PersonId(PERSON)
    assert not hasattr(person, "__dict__")
    assert person.reveal() == PERSON


def test_a_person_survives_only_deliberate_writing() -> None:
    assert pickle.loads(pickle.dumps(PersonId(PERSON))).reveal() == PERSON  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "digits",
    [
        *("", PERSON[:11], f"{PERSON}1", f"{PERSON[:8]}-{PERSON[9:]}", make.arabic(PERSON), make.fullwidth(PERSON)),
        *("¹91212121212", f" {PERSON[1:]}", f"{PERSON[:11]}\n", "+91212121212", "19121212121x"),
    ],
)
def test_only_twelve_ascii_digits_are_a_person(digits: str) -> None:
    with pytest.raises(ValueError, match="twelve ASCII digits") as caught:
        PersonId(digits)
    assert str(caught.value) == "a personidentitet is twelve ASCII digits"


def test_persons_compare_by_number() -> None:
    assert PersonId(PERSON) == PersonId(PERSON)
    assert PersonId(PERSON) != PersonId(OTHER_PERSON)
    assert PersonId(PERSON) != PERSON
    assert len({PersonId(PERSON), PersonId(PERSON), PersonId(OTHER_PERSON)}) == 2


@pytest.mark.parametrize(
    ("digits", "expected"), [(PERSON, False), ("191212721219", True), ("199001610000", True), ("199001310000", False)]
)
def test_a_samordningsnummer_has_sixty_added_to_the_day(digits: str, *, expected: bool) -> None:
    assert PersonId(digits).is_samordningsnummer is expected


def test_a_question_does_not_print_who_and_about_what() -> None:
    hidden = {PERSON, "asa01", "Ärende-17", "fråga 4711"}
    assert hidden <= set(CONFIDENTIAL)
    assert not [value for value in hidden if value in repr(question())]


def test_payloads_do_not_print_their_content() -> None:
    assert PERSON not in repr(data(so_answer()))
    assert PERSON not in repr(encoded("svar", PERSON.encode()))


def test_values_do_not_change() -> None:
    asked = question()
    with pytest.raises(FrozenInstanceError):
        asked.version = "11"  # type: ignore[misc]


def test_a_refusal_is_a_failure() -> None:
    assert isinstance(Refused("SSBT", "EJ_BEHORIG", ()), Failure)
