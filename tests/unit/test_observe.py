"""The log: one JSON line an event, with what an operator needs and without numbers of persons."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from counted import Change
from unit.builders import KOMMUN, PERSON

from ssbtek_gateway import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIBRARIES = ["spyne", "spyne.protocol.xml", "zeep.transports", "sqlalchemy.engine", "uvicorn.error"]


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Sets up the log as the process does; gives the lines written since it was last asked."""
    silenced = [logging.getLogger(name) for name in observe._SILENCED]  # noqa: SLF001 - to set them back
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in silenced]
    observe.configure()
    yield lambda: [json.loads(line) for line in capfd.readouterr().err.split("\n")[:-1]]
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


def test_a_text_that_no_encoding_holds_is_written_all_the_same(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger().info("x", text="a\ud800b")
    assert lines()[0]["text"] == "a\ud800b"


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


def test_the_four_points_are_logged_where_they_are_asked_for(lines: Callable[[], list[dict[str, Any]]]) -> None:
    observe.point("request-in", bytes=17)
    assert lines() == []
    observe.configure(four_points=True)
    observe.point("request-in", bytes=17)
    observe.configure()
    observe.point("request-in", bytes=17)
    assert [(line["event"], line["bytes"]) for line in lines()] == [("request-in", 17)]


# A reader that has stopped


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """An empty pipe of one page, which does not block."""
    reads, writes = os.pipe()
    fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(reads, False)
    os.set_blocking(writes, False)
    yield reads, writes
    os.close(reads)
    os.close(writes)


def test_what_standard_error_cannot_take_is_dropped_and_counted(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    sink = observe.Lines(writes)
    with Change() as change:
        for number in range(10):
            sink.info(f"{number} {'x' * 997}")
    first = os.read(reads, 65536).decode().split("\n")
    assert [line[0] for line in first if line] == ["0", "1", "2", "3"]
    assert change.of("ssbtek_log_lines_lost_total") == {(): 6}
    sink.info("again")
    sink.info("and again")
    told, *after = os.read(reads, 65536).decode().splitlines()
    assert after == ["again", "and again"]
    assert (json.loads(told)["event"], json.loads(told)["lines"]) == ("log-lost", 6)


def test_a_line_that_went_half_way_is_finished_before_the_next(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    sink = observe.Lines(writes)
    sink.info("a" * 5000)
    sink.info("lost")
    got = os.read(reads, 65536)
    sink.info("b")
    first, told, last = (got + os.read(reads, 65536)).decode().splitlines()
    assert (first, json.loads(told)["lines"], last) == ("a" * 5000, 1, "b")


def test_a_reader_that_has_gone_is_no_error(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, reads)
    os.close(null)
    sink = observe.Lines(writes)
    with Change() as change:
        sink.info("to nobody")
    assert change.of("ssbtek_log_lines_lost_total") == {(): 1}
