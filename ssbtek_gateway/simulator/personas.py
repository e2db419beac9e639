"""Personas: made-up people whom the simulated agencies know, one file each, named by alias.

    <persona xmlns="urn:ssbtek-gateway:persona" alias="ALIAS" personidentitet="ÅÅÅÅMMDDNNNN">
      <beskrivning>One line in Swedish.</beskrivning>
      <AF> children of Svar, from Fornamn on </AF>
      <SO> ArbetsloshetsersattningLista </SO>
      <CSN> Person, without personnummer and sekel; or Resultat </CSN>
      <FK> <![CDATA[ a LEFI answer in JSON ]]> </FK>
      <SKV> Personuppgift or Exception <v11> <![CDATA[ JSON by part ]]> </v11> </SKV>
      <TNS> fordon; or felresultat </TNS>
      <MIV> response; or SSBTEKSoapException </MIV>
    </persona>

The file is ALIAS.xml. Inside an agency's element stands what that agency knows, in the agency's own namespace, complete
for all time: the simulator leaves out what lies outside the asked period. An agency that is left out finds nothing
about the person. An attribute such as `fault="slow:3"` makes the agency play that fault (`faults.py`) for the person;
then the element may be empty. Use only numbers from Skatteverket's list of test numbers.

So that a persona never grows old, an element's text may hold days that are counted from today (Swedish time):

    ${-30d}               30 days ago, as 2026-01-31
    ${-1m}                this day of the month before; the month's last where it has no such day
    ${-1m:25}             day 25 of the month before; day 31 is always the last
    ${-1m:25 ÅÅÅÅMMDD}    the same as CSN writes a day, as 20260131
    ${-30d ÅÅÅÅVV}        the ISO week of that day as CSN writes it, as 202605
    ${-1m ÅÅÅÅ-MM}        the month alone
    ${-12m ÅÅÅÅ}          the year alone

And it may name other personas, so that couples and children agree with each other:

    ${nummer:ALIAS}       the personidentitet of another persona
    ${fodd:ALIAS}         the day of birth in it, as 2018-12-01

Everything is expanded and checked against the agencies' schemas as it is loaded.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway import xmlgate
from ssbtek_gateway.model import PersonId
from ssbtek_gateway.simulator import AGENCIES
from ssbtek_gateway.simulator.agency import Flaw
from ssbtek_gateway.simulator.dates import expand, today_in_sweden
from ssbtek_gateway.simulator.faults import parse_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from lxml.etree import _Element

    from ssbtek_gateway.simulator.agency import Agency
    from ssbtek_gateway.simulator.faults import Fault

FOLDER = Path(__file__).with_suffix("")
_PERSONA = "{urn:ssbtek-gateway:persona}"
_OTHER = re.compile(r"\$\{(nummer|fodd):([^}]*)\}")


class PersonaError(Exception):
    """A persona that cannot be used: `FILE:LINE: RULE`, in English for whoever wrote the file, without any number."""

    def __init__(self, file: Path, line: int | None, rule: str | None) -> None:
        super().__init__(f"{file}:{line}: {rule}" if line else f"{file}: {rule}")


@dataclass(frozen=True, slots=True)
class Persona:
    """One made-up person.

    `held` has, by base service, the file's element with what that agency knows, unexpanded; `faults` the fault that it
    plays for this person. `numbers` has the number of everybody whom it may name, by alias.
    """

    alias: str
    person: PersonId
    beskrivning: str
    file: Path
    held: Mapping[str, _Element] = field(repr=False)
    faults: Mapping[str, Fault]
    numbers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def known_to(self, code: str, today: date) -> _Element | None:
        """A copy of what the agency knows, as of `today`; None where it knows nothing. Raises `PersonaError`."""
        if code not in self.held:
            return None
        held = deepcopy(self.held[code])
        for element in held.iter("*"):
            try:
                element.text = expand(_OTHER.sub(self._other, element.text or ""), today) or None
            except ValueError as error:
                raise PersonaError(self.file, element.sourceline, str(error)) from None
        return held

    def _other(self, found: re.Match[str]) -> str:
        """What the notation says of another persona. Raises `ValueError`."""
        number = self.numbers.get(found[2])
        if number is None:
            raise ValueError("there is no persona with the alias that is named here")
        if found[1] == "nummer":
            return number
        # Of a samordningsnummer 60 is taken from the day.
        return f"{number[:4]}-{number[4:6]}-{int(number[6:8]) % 60:02}"


def load(folder: Path = FOLDER, today: date | None = None) -> dict[str, Persona]:
    """The personas in `folder` by alias, each checked as of `today` against every agency's schema.

    Raises `PersonaError` for the first flaw, and where there is no persona at all.
    """
    found = [read(file, _content(file)) for file in sorted(folder.glob("*.xml"))]
    if not found:
        raise PersonaError(folder, None, "there is no persona (*.xml) here")
    return together(found, today or today_in_sweden())


def together(found: Iterable[Persona], today: date) -> dict[str, Persona]:
    """The personas by alias, who may name each other, each checked as of `today`. Raises `PersonaError`."""
    personas: dict[str, Persona] = {}
    for persona in found:
        twin = next((other.alias for other in personas.values() if other.person == persona.person), None)
        if twin is not None:
            raise PersonaError(persona.file, 1, f"the persona {twin} has the same personidentitet")
        personas[persona.alias] = persona
    numbers = {alias: persona.person.reveal() for alias, persona in personas.items()}
    known = {alias: replace(persona, numbers=numbers) for alias, persona in personas.items()}
    for persona in known.values():
        for agency in AGENCIES.values():
            _check(persona, agency, today)
    return known


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PersonaError(file, None, error.strerror) from None


def read(file: Path, content: bytes) -> Persona:
    """The persona that the file holds, not yet checked against the agencies' schemas. Raises `PersonaError`."""
    try:
        root = xmlgate.parse_own(content)
    except xmlgate.XmlError as error:
        raise PersonaError(file, error.line, error.reason) from None
    etree.strip_tags(root, etree.Comment, etree.PI)
    if root.tag != f"{_PERSONA}persona" or set(root.attrib) != {"alias", "personidentitet"}:
        raise PersonaError(file, root.sourceline, "the root is persona with alias and personidentitet, nothing else")
    if root.get("alias") != file.stem:
        raise PersonaError(file, root.sourceline, "alias is the file's name without .xml")
    try:
        person = PersonId(root.get("personidentitet", ""))
    except ValueError as error:
        raise PersonaError(file, root.sourceline, str(error)) from None
    beskrivning, sections = _children(file, root)
    faults = dict(_fault(file, code, section) for code, section in sections.items() if section.attrib)
    # What only plays a fault knows nothing.
    held = {
        code: section
        for code, section in sections.items()
        if code not in faults or len(section) or (section.text or "").strip()
    }
    return Persona(file.stem, person, beskrivning, file, held, faults)


def _fault(file: Path, code: str, section: _Element) -> tuple[str, Fault]:
    if set(section.attrib) != {"fault"}:
        raise PersonaError(file, section.sourceline, "a base service has the attribute fault or none")
    try:
        return parse_fault(f"{code}={section.get('fault', '')}")
    except ValueError as error:
        raise PersonaError(file, section.sourceline, str(error)) from None


def _children(file: Path, root: _Element) -> tuple[str, Mapping[str, _Element]]:
    children = list(root)
    beskrivning = (root.findtext(f"{_PERSONA}beskrivning") or "").strip()
    if not children or children[0].tag != f"{_PERSONA}beskrivning" or not beskrivning or "\n" in beskrivning:
        raise PersonaError(file, root.sourceline, "the first child is beskrivning, one line of text")
    held: dict[str, _Element] = {}
    for child in children[1:]:
        code = str(child.tag).removeprefix(_PERSONA)
        if code not in AGENCIES or code in held:
            rule = f"after beskrivning stand {', '.join(AGENCIES)}, each once at most"
            raise PersonaError(file, child.sourceline, rule)
        held[code] = child
    return beskrivning, held


def _check(persona: Persona, agency: Agency, today: date) -> None:
    for interface in agency.interfaces:
        try:
            interface.check(persona.person, persona.known_to(agency.code, today), today)
        except Flaw as flaw:
            raise PersonaError(persona.file, flaw.line, flaw.rule) from None
