"""Answers from a folder of fixtures, recorded or written by hand, instead of from what a persona holds.

    FOLDER/af/NAME.request.xml, NAME.response.xml           and so, csn, skv, tns, miv
    FOLDER/fk/NAME.request.json, NAME.response.json         and in .xml where it is asked over SOAP
    FOLDER/skv/v11/PART/NAME.request.json, NAME.response.json

A question gets the answer to the same question about the same person; else to the first question about that person, by
name. One about anybody else is answered as if there were no fixtures. A NAME.toml may say `status`; without it the
status is 500 with a SOAP fault and 200 without. Where the agency repeats the question's korrelationsid, so does this.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway import xmlgate
from ssbtek_gateway.simulator import soap
from ssbtek_gateway.simulator.asgi import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ssbtek_gateway.model import PersonId
    from ssbtek_gateway.simulator.agency import Exchange

_FAULT = f"{{{soap.NAMESPACE}}}Fault"
_SEPARATED = re.compile(r"(?<=\d)[-+ ](?=\d)")
_KORRELATIONSID = "korrelationsid"
_ERROR = 400


class StoredError(Exception):
    """A fixture that cannot be used: `FILE:LINE: RULE`, in English for whoever wrote the file, without values."""

    def __init__(self, file: Path, line: int | None, rule: str) -> None:
        super().__init__(f"{file}:{line}: {rule}" if line else f"{file}: {rule}")


@dataclass(frozen=True, slots=True)
class Stored:
    """One question, as its content without layout and as its digits, and the answer."""

    question: str = field(repr=False)
    digits: str = field(repr=False)
    reply: Reply


@dataclass(frozen=True, slots=True)
class Answered:
    """An exchange with a stored answer. How it may be wrong, the exchange says."""

    exchange: Exchange
    reply: Reply

    @property
    def person(self) -> PersonId | None:
        return self.exchange.person

    def good(self) -> Reply:
        return self.reply

    def flawed(self, kind: str) -> Reply:
        return self.exchange.flawed(kind)

    def endless(self) -> tuple[bytes, bytes]:
        return self.exchange.endless()


def load(folder: Path) -> Mapping[str, Sequence[Stored]]:
    """Every fixture below the folder, by the folder that it is in. Raises `StoredError`."""
    found: dict[str, list[Stored]] = {}
    for ending in ("xml", "json"):
        for request in sorted(folder.rglob(f"*.request.{ending}")):
            place = request.parent.relative_to(folder).as_posix()
            found.setdefault(place, []).append(_read(request, ending))
    if not found:
        raise StoredError(folder, None, "there is no *.request.xml or *.request.json in the folders here")
    return found


def find(known: Mapping[str, Sequence[Stored]], path: str, body: bytes, person: PersonId | None) -> Reply | None:
    """The answer to `body`, a question about `person` that came to `path`; None where none is stored."""
    if person is None:
        return None
    place = path.strip("/") if not path.startswith("/fk/") else "fk"
    question = _plain(body)
    # Of Försäkringskassan's some are XML and some JSON, as the answers beside them are.
    alike = (stored for stored in known.get(place, ()) if stored.question[:1] == question[:1])
    about = [stored for stored in alike if person.reveal()[2:] in stored.digits]
    same = next((stored for stored in about if stored.question == question), None)
    return next((stored.reply for stored in (same, *about) if stored is not None), None)


def repeating(reply: Reply, body: bytes) -> Reply:
    """The reply with the korrelationsid of the question that is asked now."""
    asked = xmlgate.parse_agency(body, None).find(f".//{_KORRELATIONSID}")
    answer = xmlgate.parse_agency(reply.body, None)
    for element in answer.iter(_KORRELATIONSID):
        element.text = asked.text if asked is not None else None
    return replace(reply, body=soap.serialise(answer))


def _read(request: Path, ending: str) -> Stored:
    name = request.name.removesuffix(f".request.{ending}")
    answer = request.with_name(f"{name}.response.{ending}")
    question, body = _bytes(request), _bytes(answer)
    for file, content in ((request, question), (answer, body)):
        _check(file, content, ending)
    usual, media = 200, "application/json"
    if ending == "xml":
        root = xmlgate.parse_agency(body, None)
        usual, media = 500 if root.find(f".//{_FAULT}") is not None else 200, "text/xml; charset=utf-8"
        body = soap.serialise(root)
    status = _status(request.with_name(f"{name}.toml"), usual)
    if ending == "json" and status >= _ERROR:
        media = "application/problem+json"
    plain = _plain(question)
    return Stored(plain, _SEPARATED.sub("", plain), Reply(body, status, media))


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise StoredError(file, None, "is missing: a request has a response beside it") from None
    except OSError as error:
        raise StoredError(file, None, error.strerror or type(error).__name__) from None


def _check(file: Path, content: bytes, ending: str) -> None:
    try:
        if ending == "json":
            json.loads(content)
        else:
            soap.body_child(xmlgate.parse_agency(content, None))
    except json.JSONDecodeError as error:
        raise StoredError(file, error.lineno, f"not JSON: {error.msg}") from None
    except (UnicodeDecodeError, RecursionError):
        raise StoredError(file, None, "not JSON in UTF-8") from None
    except xmlgate.XmlError as error:
        raise StoredError(file, error.line, error.reason) from None
    except soap.SoapError:
        raise StoredError(file, None, "is no SOAP 1.1 envelope with one element in one Body") from None


def _status(file: Path, usual: int) -> int:
    try:
        status = tomllib.loads(file.read_text(encoding="utf-8")).get("status", usual)
    except FileNotFoundError:
        return usual
    except (OSError, UnicodeDecodeError):
        raise StoredError(file, None, "cannot be read as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise StoredError(file, None, f"not TOML: {error}") from None
    if not isinstance(status, int) or status not in range(200, 600):
        raise StoredError(file, None, "status is a number from 200 to 599")
    return status


def _plain(content: bytes) -> str:
    """A question without what does not matter: layout, prefixes, what stands in a SOAP header, a korrelationsid."""
    try:
        root = xmlgate.parse_agency(content, None)
        element = soap.body_child(root)
    except (xmlgate.XmlError, soap.SoapError):
        return _plain_json(content)
    for one in element.iter(_KORRELATIONSID):
        one.text = None
    return str(etree.canonicalize(element, strip_text=True, rewrite_prefixes=True))


def _plain_json(content: bytes) -> str:
    try:
        return json.dumps(json.loads(content), sort_keys=True)
    except (ValueError, RecursionError):
        return ""


def stamps(folders: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file in one of the folders does."""
    files = (file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file())
    return tuple((str(file), (found := file.stat()).st_mtime_ns, found.st_size) for file in files)
