"""The log: one JSON line an event, with what an operator needs and without numbers of persons."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from unit.builders import KOMMUN, PERSON

from ssbtek_gateway import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIBRARIES = ["spyne", "spyne.protocol.xml", "zeep.transports", "sqlalchemy.engine", "uvicorn.error"]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Sets up the log as the process does; gives the lines written since it was last asked."""
    silenced = [logging.getLogger(name) for name in observe._SILENCED]  # noqa: SLF001 - to set them back
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in silenced]
    observe.configure()
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.split("\n")[:-1]]
    structlog.reset_defaults()
    for logger, handlers, propagate, level in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_an_event_is_one_json_line(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with structlog.contextvars.bound_contextvars(incident="0123456789abcdef"):
        structlog.get_logger().info("answered", version="10", organisation=KOMMUN, text="två\nrader å")
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "answered",
        "level": "info",
        "incident": "0123456789abcdef",
        "version": "10",
        "organisation": KOMMUN,
        "text": "två\nrader å",
    }


@pytest.mark.parametrize("text", ["\n", "\r\n", "\x1b[2J", "\x00", '"', "${jndi:ldap://x}", "%s%n", "\u2028"])
def test_a_text_cannot_make_a_line_of_its_own(text: str, lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().info("x", text=f'a{text}{{"event": "forged"}}')
    (line,) = lines()
    assert (line["event"], line["text"]) == ("x", f'a{text}{{"event": "forged"}}')


@pytest.mark.parametrize(
    "number",
    [PERSON, PERSON[2:], "19121212-1212", "121212-1212", "121212+1212", f"id={PERSON}.", f"({PERSON})", f"å{PERSON}ö"],
)
def test_a_number_of_a_person_is_masked(number: str, lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().info(f"about {number}", text=number)
    (line,) = lines()
    assert "121212" not in str(line)
    assert "[nummer]" in line["event"]
    assert "[nummer]" in line["text"]


@pytest.mark.parametrize(
    "value", ["ab12121212121234ef", "2026-02-16T08:30:00", "SCHEMAV_CVC_ELT_1", "12345", "1912121212129"]
)
def test_other_numbers_are_left(value: str, lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().info("x", text=value)
    assert lines()[0]["text"] == value


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_libraries_log_is_dropped(
    name: str, lines: Callable[[], list[dict[str, Any]]], caplog: pytest.LogCaptureFixture
) -> None:
    # spyne writes whole rejected requests, zeep whole messages.
    logging.getLogger(name).critical("%s in %s", "error", PERSON)
    assert lines() == []
    assert caplog.records == []
