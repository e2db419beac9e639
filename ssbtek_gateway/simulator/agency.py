"""What the simulator must know about one agency: one module a base service makes one `Agency` of itself.

An agency has one way in or several (`Interface`); `soap_interface.py` has the one over SOAP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.model import PersonId
    from ssbtek_gateway.simulator.asgi import Reply

# By century, for an answer may carry that apart; from Skatteverket's list of test numbers.
_OTHERS = {"19": ("194408139089", "190301249801"), "20": ("201701012393", "200001022391")}

# The text of `longfault`: longer than anybody reads, shorter than what XML parsers refuse by themselves.
LONG = "Internt fel. " * 400_000


class Refusal(Exception):  # noqa: N818 - an answer, not a mistake of ours
    """The agency's own answer to a question that it does not take."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("a question that the agency does not take")
        self.reply = reply


class Flaw(Exception):  # noqa: N818 - `PersonaError` says where it is
    """What is wrong with what a persona holds: a line of its file where one is known, and a rule without values."""

    def __init__(self, line: int | None, rule: str) -> None:
        super().__init__(rule)
        self.line = line
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Request:
    """What came over HTTP. `path` begins with `/`; `charset` is the header's, if any."""

    method: str
    path: str
    body: bytes = field(repr=False)
    charset: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What an agency knows as it answers: the day, whom Försäkringskassan lets ask, and what is held on a person."""

    today: date
    aktorer: tuple[str, ...]
    held: Callable[[PersonId], _Element | None]


class Exchange(Protocol):
    """A question that the agency takes, and its answer. `person` is None where the question is about nobody."""

    @property
    def person(self) -> PersonId | None: ...

    def good(self) -> Reply:
        """The answer as it should be."""

    def flawed(self, kind: str) -> Reply:
        """Another answer; `kind` is one of `faults.KINDS` that is no HTTP matter."""

    def endless(self) -> tuple[bytes, bytes]:
        """The beginning of an answer, and a piece of it that may be repeated for ever."""


class Interface(Protocol):
    """One way to ask an agency."""

    def methods(self, path: str) -> tuple[str, ...]:
        """The HTTP methods that `path` takes; none where it is not this interface's."""

    def media(self) -> tuple[str, str]:
        """The media type of a question that has a body, and in Swedish what to do for whoever sends another."""

    def exchange(self, request: Request, world: World) -> Exchange:
        """The question and what the agency has to say. Raises `Refusal`."""

    def check(self, person: PersonId, held: _Element | None, today: date) -> None:
        """Try what a persona holds. Raises `Flaw`."""


@dataclass(frozen=True, slots=True)
class Agency:
    """One base service: its code, its interfaces, and what its answers repeat of a question."""

    code: str
    interfaces: tuple[Interface, ...]
    names_person: bool = True
    repeats_korrelationsid: bool = False


def about_another(body: bytes, person: PersonId) -> bytes:
    """`body` with another number where it says `person` last: an echo of the question stays right, the data do not."""
    asked = person.reveal()
    other = next(number for number in _OTHERS.get(asked[:2], _OTHERS["19"]) if number != asked)
    before, found, after = body.rpartition(asked[2:].encode())
    return before + other[2:].encode() + after if found else body
