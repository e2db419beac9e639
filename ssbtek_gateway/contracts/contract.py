"""A version of the combined contract: what it checks, reads and writes. The namespace carries the version."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from lxml import etree

from ssbtek_gateway import resources, xmlgate
from ssbtek_gateway.contracts import lefi, schema_errors
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.model import (
    EncodedPayload,
    Failure,
    FkFraga,
    PartsPayload,
    Party,
    Period,
    PersonId,
    Question,
    SkvFraga,
    XmlPayload,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

    from ssbtek_gateway.model import Outcome, Oversikt, Payload

# xs:date (XML Schema 1.0 part 2, 3.2.9) in the years that a question can be about. Java and .NET clients add a time
# zone to a plain date; a period is calendar days, so the zone carries nothing and is dropped.
_DATE = re.compile(r"([12][0-9]{3})-([0-9]{2})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
# The schema's [\d] admits any Unicode digit; the published meaning is sixteen or a century and ten ASCII digits.
_ORGANISATIONSNUMMER = re.compile(r"[0-9]{4}[2-9][0-9]{7}", re.ASCII)
_TYPE_OR_NIL = etree.XPath(
    "boolean(descendant-or-self::*/@xsi:type) or boolean(descendant-or-self::*/@xsi:nil)",
    namespaces={"xsi": "http://www.w3.org/2001/XMLSchema-instance"},
)
# The parts of SKV's question and answer, in the contract's order (version 11, `SkatteverketFraga`).
OPERATIONS = ("hamtaBastjanstInformation", "testaBastjanstInformation")
_SKV_PARTS = ("foretagsinformation", "individuppgifter", "skattekonto", "skatteuppgifter", "beskattningsbilagor")
# XML's white space, which is less than Python's.
_WHITE_SPACE = " \t\r\n"


@dataclass(frozen=True)
class Contract:
    """One version: its namespace, its files (relative to wsdl/ and xsd/) and its sections in the contract's order.

    `family` is the first step of its address and the prefix in what is written. With `skv_dokument` a question without
    SKV/fraga asks Skatteverket for its document. With `oversikt` the sections tell what a header block does otherwise.
    """

    version: str
    namespace: str
    wsdl: str
    xsd: str
    sections: tuple[str, ...]
    family: str = "ssbt"
    skv_dokument: bool = False
    oversikt: bool = False

    @property
    def path(self) -> str:
        """Where the version is asked, and with `?wsdl` described, such as `/ssbt/10`."""
        return f"/{self.family}/{self.version}"

    @cached_property
    def _schema(self) -> etree.XMLSchema:
        return xmlgate.schema(resources.xsd(self.xsd))

    def _tag(self, name: str) -> str:
        return f"{{{self.namespace}}}{name}"

    def check_question(self, element: _Element) -> None:
        """Check a request element against the schema. Raises `GatewayFault` OGILTIG_FRAGA naming field and rule."""
        if _TYPE_OR_NIL(element):
            # Valid, but it would make one element another than the contract says, and the echo of it invalid.
            detalj = "xsi:type och xsi:nil får inte användas. Ta bort dem."
            raise GatewayFault("OGILTIG_FRAGA", detalj, reason="xsi:type or xsi:nil")
        if not self._schema.validate(element):
            error = self._schema.error_log[0]
            raise GatewayFault(
                "OGILTIG_FRAGA", schema_errors.explain(error), reason=f"schema: {error.type_name}"
            ) from None

    def read_question(self, element: _Element) -> Question:
        """The question in a schema-valid `hamtaBastjanstInformation`.

        Raises `GatewayFault` OGILTIG_FRAGA where a value is beyond what the schema can say.
        """
        blocks = self._children(element)
        generella = self._children(blocks["generellaFrageparametrar"])
        specifika = self._children(blocks["specifikaFrageparametrar"])
        period = self._period(generella["tidsperiod"])
        person = PersonId(token(generella["personidentitet"]))
        perioder = self._perioder(specifika, period)
        skv = self._skv(specifika["SKV"])
        korrelationsid, frage_tidpunkt = generella.get("korrelationsid"), generella.get("frageTidpunkt")
        return Question(
            version=self.version,
            person=person,
            ingivare=self._party(generella["ingivare"]),
            handlaggare=text(self._children(generella["ingivare"])["handlaggare"]),
            arendeidentitet=text(generella["arendeidentitet"]),
            bitraden=self._bitraden(blocks["generellaFrageparametrar"]),
            syfte=text(generella["syfte"]),
            lagtext=text(generella["lagtext"]),
            frage_tidpunkt=None if frage_tidpunkt is None else text(frage_tidpunkt),
            korrelationsid=None if korrelationsid is None else text(korrelationsid),
            inkludera_fragan=_boolean(text(generella["fraganSkallInkluderasISvaret"])),
            perioder=perioder,
            fk=self._fk(specifika["FK"], person, perioder),
            skv=skv,
            skv_dokument=self.skv_dokument and skv is None,
            data_tag=self._tag("data"),
            element=element,
        )

    def _children(self, parent: _Element) -> dict[str, _Element]:
        """A schema-valid element's children by name, all in the contract's namespace."""
        begin = len(self.namespace) + 2
        return {str(child.tag)[begin:]: child for child in parent}

    def _party(self, parent: _Element) -> Party:
        children = self._children(parent)
        number = token(children["organisationsnummer"])
        if not _ORGANISATIONSNUMMER.fullmatch(number):
            raise GatewayFault("OGILTIG_FRAGA", schema_errors.rule("organisationsnummer"), reason="non-ASCII digits")
        return Party(number, text(children["namn"]))

    def _bitraden(self, generella: _Element) -> tuple[Party, ...]:
        """The personuppgiftsbiträden by `ordningsnummer`; those without one last, in the order given."""

        def order(element: _Element) -> int:
            number = self._children(element).get("ordningsnummer")
            return 2**15 if number is None else int(text(number))

        elements = sorted(generella.iterchildren(self._tag("personuppgiftsbitrade")), key=order)
        return tuple(self._party(element) for element in elements)

    def _period(self, tidsperiod: _Element) -> Period:
        days = self._children(tidsperiod)
        period = Period(_date(days["fromDatum"]), _date(days["tomDatum"]))
        if period.from_datum > period.tom_datum:
            raise GatewayFault(
                "OGILTIG_FRAGA", "tidsperiod: fromDatum får inte vara senare än tomDatum.", reason="period reversed"
            )
        return period

    def _perioder(self, specifika: Mapping[str, _Element], general: Period) -> Mapping[str, Period]:
        perioder = {}
        for section in self.sections:
            element = specifika[section]
            if _boolean(element.get("inkludera", "")):
                own = self._own_period(element)
                perioder[section] = general if own is None else self._period(own)
        if not perioder:
            raise GatewayFault(
                "OGILTIG_FRAGA",
                'specifikaFrageparametrar: ange inkludera="true" för minst en bastjänst.',
                reason="no base service included",
            )
        return perioder

    def _own_period(self, section: _Element) -> _Element | None:
        return self._children(section).get("tidsperiod")

    def _fk(self, section: _Element, person: PersonId, perioder: Mapping[str, Period]) -> FkFraga | None:
        fraga = self._children(section).get("fraga")
        return None if fraga is None or "FK" not in perioder else self._fk_fraga(fraga, person, perioder["FK"])

    def _fk_fraga(self, fraga: _Element, person: PersonId, period: Period) -> FkFraga:  # noqa: ARG002 - the JSON has one
        asked = self._children(fraga)
        sent = lefi.decoded(text(asked["lefiJsonFraga"]))
        return FkFraga(
            text(asked["version"]) if "version" in asked else None,
            text(asked["aktorsid"]),
            sent,
            lefi.content(sent, person),
        )

    def _skv(self, section: _Element) -> SkvFraga | None:
        fraga = self._children(section).get("fraga")
        if fraga is None:
            return None
        years = tuple(int(token(element)) for element in fraga.iterchildren(self._tag("ar")))
        asked = self._children(fraga)
        return SkvFraga(years, tuple(part for part in _SKV_PARTS if _boolean(text(asked[part]))))

    def write_answer(
        self,
        question: Question,
        outcomes: Mapping[str, Outcome],
        oversikter: Mapping[str, Oversikt] = MappingProxyType({}),
    ) -> bytes:
        """`hamtaBastjanstInformationResponse` as UTF-8, payloads unaltered, without XML declaration.

        `oversikter` has each section's overview where the version has such. Payloads are written, not moved into a
        new tree: moving an element lets libxml2 drop a prefix that a value uses.
        """
        opening, closing = _tags(self.family, "svarsdata")
        parts = [self._start("hamtaBastjanstInformationResponse")]
        if question.inkludera_fragan:
            parts.append(xmlgate.written(question.element, self._tag("fraga")))
        if question.frage_tidpunkt is not None:
            parts.append(self._element("frageTidpunkt", question.frage_tidpunkt))
        if question.korrelationsid is not None:
            parts.append(self._element("korrelationsid", question.korrelationsid))
        parts.append(opening)
        asked = (kod for kod in self.sections if kod in outcomes)
        parts += (self._wrapped(kod, self._section(kod, outcomes[kod], oversikter)) for kod in asked)
        parts += (closing, self._end("hamtaBastjanstInformationResponse"))
        return b"".join(parts)

    def _section(
        self,
        kod: str,
        outcome: Outcome,
        oversikter: Mapping[str, Oversikt],  # noqa: ARG002 - here the sections have none
    ) -> bytes:
        return self._error(outcome) if isinstance(outcome, Failure) else self._data(kod, outcome.payload)

    def _data(self, kod: str, payload: Payload) -> bytes:  # noqa: ARG002 - the payload's kind says what to do
        match payload:
            case XmlPayload(content):
                return content
            case EncodedPayload(name, content):
                return self._wrapped("data", self._wrapped(name, b64encode(content)))
            case PartsPayload(parts):
                return b"".join(self._wrapped(name, self._part(name, part)) for name, part in parts.items())

    def _start(self, name: str) -> bytes:
        # A prefix and no default namespace: an agency's unqualified elements (MIV) must stay in no namespace.
        return f'<{self.family}:{name} xmlns:{self.family}="{self.namespace}">'.encode()

    def _end(self, name: str) -> bytes:
        return _tags(self.family, name)[1]

    def invalid_sections(self, answer: bytes) -> set[str]:
        """The sections of a written answer that break the schema; empty where the answer is valid.

        Raises `LookupError` where something outside the sections is wrong, which is a fault of ours.
        """
        if self._schema.validate(xmlgate.parse_agency(answer, None)):
            return set()
        found = {
            section
            for error in self._schema.error_log
            for section in self.sections
            if f"/{self.family}:svarsdata/{self.family}:{section}/" in f"{error.path}/"
        }
        if not found:
            raise LookupError("the combined answer is invalid outside its sections")
        return found

    def write_test_answer(self, results: Mapping[str, tuple[bool, Failure | None]]) -> bytes:
        """`testaBastjanstInformationResponse`: for each base service whether it was asked, and its error if any."""
        parts = [self._start("testaBastjanstInformationResponse")]
        for section in self.sections:
            if section in results:
                anropad, error = results[section]
                content = self._element("anropad", "true" if anropad else "false")
                parts.append(self._wrapped(section, content + (self._error(error) if error else b"")))
        parts.append(self._end("testaBastjanstInformationResponse"))
        return b"".join(parts)

    def _part(self, name: str, part: bytes | Failure) -> bytes:  # noqa: ARG002 - here all parts are alike
        return self._error(part) if isinstance(part, Failure) else self._wrapped("data", b64encode(part))

    def _error(self, failure: Failure) -> bytes:
        texts = b"".join(self._element("felmeddelande", text) for text in failure.felmeddelande)
        return self._wrapped(
            "error", self._element("kalla", failure.kalla) + self._element("felkod", failure.felkod) + texts
        )

    def _element(self, name: str, text: str) -> bytes:
        # A carriage return must be written as a reference, or a reader's line-end rule turns it into a line feed.
        return self._wrapped(name, escape(text, {"\r": "&#13;"}).encode())

    def _wrapped(self, name: str, content: bytes) -> bytes:
        start, end = _tags(self.family, name)
        return b"%b%b%b" % (start, content, end)


@cache
def _tags(prefix: str, name: str) -> tuple[bytes, bytes]:
    """An element's tags; the names are those of our contracts."""
    return f"<{prefix}:{name}>".encode(), f"</{prefix}:{name}>".encode()


def text(element: _Element) -> str:
    """An element's text, empty where it has none."""
    return element.text or ""


def token(element: _Element) -> str:
    """The value of an xs:token without white space in it: the tree holds what stands around it, which means nothing."""
    return text(element).strip(_WHITE_SPACE)


def _boolean(text: str) -> bool:
    # An empty fraganSkallInkluderasISvaret takes the schema's default, 0.
    return text.strip(_WHITE_SPACE) in {"true", "1"}


def _date(element: _Element) -> date:
    found = _DATE.fullmatch(token(element))
    if found:
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            pass  # no such day: the same fault as for any other date that cannot be meant
    name = etree.QName(element).localname
    raise GatewayFault("OGILTIG_FRAGA", schema_errors.rule(name), reason="date out of range") from None
