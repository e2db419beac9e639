"""A version of the combined contract: what it checks, reads and writes. The namespace carries the version."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from functools import cached_property
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

    from ssbtek_gateway.model import Outcome

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
    """One version: its namespace, its files (relative to wsdl/ and xsd/) and its sections in the contract's order."""

    version: str
    namespace: str
    wsdl: str
    xsd: str
    sections: tuple[str, ...]

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
        person = PersonId(_token(generella["personidentitet"]))
        korrelationsid, frage_tidpunkt = generella.get("korrelationsid"), generella.get("frageTidpunkt")
        return Question(
            version=self.version,
            person=person,
            ingivare=self._party(generella["ingivare"]),
            handlaggare=_text(self._children(generella["ingivare"])["handlaggare"]),
            arendeidentitet=_text(generella["arendeidentitet"]),
            bitraden=self._bitraden(blocks["generellaFrageparametrar"]),
            syfte=_text(generella["syfte"]),
            lagtext=_text(generella["lagtext"]),
            frage_tidpunkt=None if frage_tidpunkt is None else _text(frage_tidpunkt),
            korrelationsid=None if korrelationsid is None else _text(korrelationsid),
            inkludera_fragan=_boolean(_text(generella["fraganSkallInkluderasISvaret"])),
            perioder=self._perioder(specifika, period),
            fk=self._fk(specifika["FK"], person),
            skv=self._skv(specifika["SKV"]),
            data_tag=self._tag("data"),
            element=element,
        )

    def _children(self, parent: _Element) -> dict[str, _Element]:
        """A schema-valid element's children by name, all in the contract's namespace."""
        begin = len(self.namespace) + 2
        return {str(child.tag)[begin:]: child for child in parent}

    def _party(self, parent: _Element) -> Party:
        children = self._children(parent)
        number = _token(children["organisationsnummer"])
        if not _ORGANISATIONSNUMMER.fullmatch(number):
            raise GatewayFault("OGILTIG_FRAGA", schema_errors.rule("organisationsnummer"), reason="non-ASCII digits")
        return Party(number, _text(children["namn"]))

    def _bitraden(self, generella: _Element) -> tuple[Party, ...]:
        """The personuppgiftsbiträden by `ordningsnummer`; those without one last, in the order given."""

        def order(element: _Element) -> int:
            number = self._children(element).get("ordningsnummer")
            return 2**15 if number is None else int(_text(number))

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
                own = self._children(element).get("tidsperiod")
                perioder[section] = general if own is None else self._period(own)
        if not perioder:
            raise GatewayFault(
                "OGILTIG_FRAGA",
                'specifikaFrageparametrar: ange inkludera="true" för minst en bastjänst.',
                reason="no base service included",
            )
        return perioder

    def _fk(self, section: _Element, person: PersonId) -> FkFraga | None:
        fraga = self._children(section).get("fraga")
        if fraga is None or not _boolean(section.get("inkludera", "")):
            return None
        asked = self._children(fraga)
        sent = lefi.decoded(_text(asked["lefiJsonFraga"]))
        return FkFraga(
            _text(asked["version"]) if "version" in asked else None,
            _text(asked["aktorsid"]),
            sent,
            lefi.content(sent, person),
        )

    def _skv(self, section: _Element) -> SkvFraga | None:
        fraga = self._children(section).get("fraga")
        if fraga is None:
            return None
        years = tuple(int(_token(element)) for element in fraga.iterchildren(self._tag("ar")))
        asked = self._children(fraga)
        return SkvFraga(years, tuple(part for part in _SKV_PARTS if _boolean(_text(asked[part]))))

    def write_answer(self, question: Question, outcomes: Mapping[str, Outcome]) -> bytes:
        """`hamtaBastjanstInformationResponse` as UTF-8, payloads unaltered, without XML declaration.

        Payloads are written, not moved into a new tree: moving an element lets libxml2 drop a prefix that a value uses.
        """
        parts = [self._start("hamtaBastjanstInformationResponse")]
        if question.inkludera_fragan:
            parts.append(xmlgate.written(question.element, self._tag("fraga")))
        if question.frage_tidpunkt is not None:
            parts.append(_element("frageTidpunkt", question.frage_tidpunkt))
        if question.korrelationsid is not None:
            parts.append(_element("korrelationsid", question.korrelationsid))
        parts.append(b"<ssbt:svarsdata>")
        asked = (section for section in self.sections if section in outcomes)
        parts += (_wrapped(section, self._section(outcomes[section])) for section in asked)
        parts.append(b"</ssbt:svarsdata></ssbt:hamtaBastjanstInformationResponse>")
        return b"".join(parts)

    def _section(self, outcome: Outcome) -> bytes:
        if isinstance(outcome, Failure):
            return _error(outcome)
        match outcome.payload:
            case XmlPayload(content):
                return content
            case EncodedPayload(name, content):
                return _wrapped("data", _wrapped(name, b64encode(content)))
            case PartsPayload(parts):
                return b"".join(_wrapped(name, _part(part)) for name, part in parts.items())

    def _start(self, name: str) -> bytes:
        # A prefix and no default namespace: an agency's unqualified elements (MIV) must stay in no namespace.
        return f'<ssbt:{name} xmlns:ssbt="{self.namespace}">'.encode()

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
            if f"/ssbt:svarsdata/ssbt:{section}/" in f"{error.path}/"
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
                content = _element("anropad", "true" if anropad else "false") + (_error(error) if error else b"")
                parts.append(_wrapped(section, content))
        parts.append(b"</ssbt:testaBastjanstInformationResponse>")
        return b"".join(parts)


def _part(part: bytes | Failure) -> bytes:
    return _error(part) if isinstance(part, Failure) else _wrapped("data", b64encode(part))


def _error(failure: Failure) -> bytes:
    texts = b"".join(_element("felmeddelande", text) for text in failure.felmeddelande)
    return _wrapped("error", _element("kalla", failure.kalla) + _element("felkod", failure.felkod) + texts)


def _element(name: str, text: str) -> bytes:
    # A carriage return must be written as a reference, or a reader's line-end rule turns it into a line feed.
    return _wrapped(name, escape(text, {"\r": "&#13;"}).encode())


def _wrapped(name: str, content: bytes) -> bytes:
    return b"<ssbt:%b>%b</ssbt:%b>" % (name.encode(), content, name.encode())


def _text(element: _Element) -> str:
    return element.text or ""


def _token(element: _Element) -> str:
    """The value of an xs:token without white space in it: the tree holds what stands around it, which means nothing."""
    return _text(element).strip(_WHITE_SPACE)


def _boolean(text: str) -> bool:
    # An empty fraganSkallInkluderasISvaret takes the schema's default, 0.
    return text.strip(_WHITE_SPACE) in {"true", "1"}


def _date(element: _Element) -> date:
    found = _DATE.fullmatch(_token(element))
    if found:
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            pass  # no such day: the same fault as for any other date that cannot be meant
    name = etree.QName(element).localname
    raise GatewayFault("OGILTIG_FRAGA", schema_errors.rule(name), reason="date out of range") from None
