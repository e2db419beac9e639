"""The values that travel through the gateway. No I/O, no protocol: what a question and an outcome are."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from lxml.etree import _Element


class PersonId:
    """A personnummer or samordningsnummer of twelve ASCII digits (contract type `Personidentitet`).

    It never prints itself: `str`, `repr` and formatting give a mask, so that it cannot reach a log line or an exception
    text by accident. Whoever needs the digits calls `reveal()`, which is easy to search for.

    Raises `ValueError` (without the value) where the text is not twelve ASCII digits.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        if len(digits) != 12 or not (digits.isascii() and digits.isdigit()):  # noqa: PLR2004 - the contract's twelve
            raise ValueError("a personidentitet is twelve ASCII digits")
        self._digits = digits

    def reveal(self) -> str:
        """The twelve digits, ÅÅÅÅMMDDNNNN."""
        return self._digits

    @property
    def is_samordningsnummer(self) -> bool:
        """True where 60 is added to the day of birth, which may be 0."""
        return self._digits[6:8] >= "60"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PersonId) and other._digits == self._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __repr__(self) -> str:
        return "PersonId(************)"

    __str__ = __repr__


def has_check_digit(digits: str) -> bool:
    """Whether the last of ten digits is right (the Luhn algorithm), in a person's number or an organisation's."""
    products = (int(digit) * (2 - index % 2) for index, digit in enumerate(digits))
    return sum(product // 10 + product % 10 for product in products) % 10 == 0


@dataclass(frozen=True, slots=True)
class Period:
    """Contract type `Tidsperiod`: both days are included."""

    from_datum: date
    tom_datum: date


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation that takes part in a question: the ingivare or a personuppgiftsbiträde.

    `organisationsnummer` is `16` + ten digits, as in the contract.
    """

    organisationsnummer: str
    namn: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who the client certificate says is asking. `fingerprint` is the certificate's SHA-256 in hexadecimal."""

    organisationsnummer: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class FkFraga:
    """The question to Försäkringskassan (contract type `ForsakringskassanFraga`).

    `lefi_json` is what is passed on, byte for byte; `content` is the same, read. It asks about the question's person.
    `falt` is where the caller wrote it.
    """

    version: str | None
    aktorsid: str
    lefi_json: bytes = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)
    falt: str = "lefiJsonFraga"


@dataclass(frozen=True, slots=True)
class SkvFraga:
    """The question to Skatteverket about parts: years, and the parts asked for, in the contract's order."""

    ar: tuple[int, ...]
    delar: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question (contract type `SammansattBastjanstFraga`), the same for every contract version.

    `perioder` has one entry for each included base service: its own `tidsperiod` where it was given, else the general.
    `fk` and `skv` are what is asked of those two beside the person; None where the block is left out. `skv_dokument` is
    whether Skatteverket is asked for its document instead of parts.
    `data_tag` is the element that a payload becomes in this version.
    `element` is the question as it came, for the echo that `fraganSkallInkluderasISvaret` asks for.
    """

    version: str
    person: PersonId
    ingivare: Party
    handlaggare: str = field(repr=False)
    arendeidentitet: str = field(repr=False)
    bitraden: tuple[Party, ...]
    syfte: str
    lagtext: str
    frage_tidpunkt: str | None
    korrelationsid: str | None = field(repr=False)
    inkludera_fragan: bool
    perioder: Mapping[str, Period]
    fk: FkFraga | None
    skv: SkvFraga | None
    skv_dokument: bool
    data_tag: str
    element: _Element = field(repr=False)


@dataclass(frozen=True, slots=True)
class XmlPayload:
    """An agency's answer with its content and every namespace in its scope, written as the section's `data`, in UTF-8.

    Written at once, for a tree takes ten times as much memory while the others are waited for. Never printed.
    """

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncodedPayload:
    """An agency's answer as bytes, handed on in base64 in the child `name` of the section's `data`. Never printed."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PartsPayload:
    """An answer in parts (SKV, asked for parts): each as JSON, or its own failure."""

    parts: Mapping[str, bytes | Failure] = field(repr=False)


Payload = XmlPayload | EncodedPayload | PartsPayload


class Verdict(StrEnum):
    """What an answer lets one conclude. Absence of data is never evidence of absence of income."""

    SVARAT = "SVARAT"
    INGET_FUNNET = "INGET_FUNNET"
    KAN_EJ_AVGORAS = "KAN_EJ_AVGORAS"


@dataclass(frozen=True, slots=True)
class Bedomning:
    """The verdict on what one answering organisation, or one of its systems, said. `skal` is fixed text or a code."""

    organisation: str
    verdict: Verdict
    skal: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """The agency answered; the payload is handed on unaltered, and judged.

    `unknown` counts the fields and codes that the agency's published schema does not have.
    """

    payload: Payload
    bedomningar: tuple[Bedomning, ...]
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer from this base service (contract type `Error`). `kalla` is BT only for what the agency itself said.

    `reason` is fixed English text for the operator's log; it never holds anything that an agency or a caller wrote.
    """

    kalla: str
    felkod: str
    felmeddelande: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refused(Failure):
    """Policy says that this party may not ask this base service. Shown as an error section, never left out."""


Outcome = Data | Failure


@dataclass(frozen=True, slots=True)
class Oversikt:
    """What an outcome lets one conclude, whom to ask about it, and when it was clear: after how many milliseconds."""

    agare: str
    support: str
    tidpunkt: datetime
    millisekunder: int
    svarande: tuple[Bedomning, ...]
