from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest

from ssbtek_gateway.model import has_check_digit
from ssbtek_gateway.recording.persons import NumbersError, Persons, find, read
from ssbtek_gateway.simulator.personas import load

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 3, 31)
# Nobody's: the check digit is wrong.
MAN, WOMAN = "197503141232", "201806079846"
LIST = ("196402123191", "197901249297", "198001139297", "198001249286", "200002012391", "201901022382")


def persons(*found: str, numbers: tuple[str, ...] = LIST) -> Persons:
    made = Persons(numbers, TODAY)
    made.meet(one for text in found for one in find(text))
    return made


@pytest.mark.parametrize(
    "text",
    ["197503141232", "7503141232", "750314-1232", "19750314-1232", "750314+1232", "19 750314 1232", "nr7503141232."],
)
def test_a_number_is_found_in_every_spelling_and_keeps_its_spelling(text: str) -> None:
    assert [ten for _, ten in find(text)] == ["7503141232"]
    other, count = persons(MAN).replaced(text)
    assert count == 1
    assert re.sub(r"\d", "0", other) == re.sub(r"\d", "0", text)
    assert "7901249297" in re.sub("[- +]", "", other)


@pytest.mark.parametrize("text", ["162021004748", "2021004748", "2026-03-31T12:00:00", "197599991232", "1975031412329"])
def test_what_is_no_number_is_left(text: str) -> None:
    assert list(find(text)) == []


def test_who_stands_for_whom_is_of_the_same_century_and_sex_and_near_in_age() -> None:
    known = persons(MAN, "198002031238", WOMAN, "197503741231").known
    assert known["7503141232"] == "7901249297"
    assert known["8002031238"] == "8001139297"
    assert known["1806079846"] == "1901022382"
    # A samordningsnummer stays one, and its check digit is right.
    assert known["7503741231"][:6] == "640272"
    assert has_check_digit(known["7503741231"])
    assert len(set(known.values())) == 4


def test_a_number_on_the_list_is_nobodys_and_stands_for_itself_alone() -> None:
    made = persons("198001139297", "198002031238")
    assert made.known == {"8002031238": "7901249297"}
    assert made.replaced("198001139297") == ("198001139297", 0)


def test_ten_digits_are_the_person_who_was_met_with_a_century() -> None:
    made = Persons(LIST, TODAY)
    made.meet([(None, "7503141232"), ("19", "7503141232")])
    assert made.known == {"7503141232": "7901249297"}


def test_the_day_of_birth_follows_the_number() -> None:
    made = persons(MAN, "197503741231")
    assert made.birthday(date(1975, 3, 14)) in {date(1979, 1, 24), date(1964, 2, 12)}
    assert made.birthday(date(1975, 3, 15)) is None


def test_too_few_numbers_and_two_persons_with_the_same_ten_digits_are_refused() -> None:
    with pytest.raises(NumbersError, match="--test-numbers"):
        persons(WOMAN, "201806089845")
    with pytest.raises(NumbersError, match="a hundred years apart"):
        persons("191806079846", WOMAN)


def test_the_shipped_list_holds_every_persona_and_right_check_digits() -> None:
    shipped = read()
    assert {persona.person.reveal() for persona in load(today=TODAY).values()} <= set(shipped)
    assert all(has_check_digit(number[2:]) for number in shipped)


def test_a_list_is_read_by_the_beginning_of_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text('Testpersonnummer\n"189001019802"\n196402123191;x\n# 1\n', encoding="utf-8-sig")
    assert read(file) == ("189001019802", "196402123191")
    file.write_text("Testpersonnummer\n", encoding="utf-8")
    for bad, rule in ((file, "no line begins"), (tmp_path / "nowhere", "No such file")):
        with pytest.raises(NumbersError, match=rule):
            read(bad)


def test_persons_are_never_printed() -> None:
    assert "7503" not in repr(persons(MAN))
