"""What an answer is worth: data, or nothing to tell, in every section that was asked for; or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway import xmlgate
from ssbtek_gateway.client import has_data

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lxml.etree import _Element

_OK, _FAULT = 200, 500
_ANSWER = "hamtaBastjanstInformationResponse"
# What Skatteverket says of a part where it knows nobody, from version 11 on.
_NOTHING_FOUND = "BT 404"
# Where the errors of parts stand: in the section, or in its data (version 1).
_PARTS = ("*/{*}error", "{*}data/*/{*}error")
# A service's own codes become part of a table.
_LONGEST = 60


def failures(
    status: int, charset: str | None, body: bytes, services: Collection[str], korrelationsid: str
) -> Iterator[str]:
    """Nothing where the answer is right."""
    if status not in {_OK, _FAULT}:
        yield f"HTTP {status}"
        return
    try:
        envelope = xmlgate.parse_agency(body, charset)
    except xmlgate.XmlError:
        yield f"HTTP {status} without XML"
        return
    answer = envelope.find(f"{{*}}Body/{{*}}{_ANSWER}")
    if answer is None:
        felkod = envelope.findtext(".//{*}felkod") or envelope.findtext(".//faultcode") or "without felkod"
        yield f"fault {felkod}"[:_LONGEST]
    elif answer.findtext("{*}korrelationsid") != korrelationsid:
        yield "an answer to another question"
    else:
        yield from _sections(answer, services)


def _sections(answer: _Element, services: Collection[str]) -> Iterator[str]:
    sections = {etree.QName(section).localname: section for section in answer.iterfind("{*}svarsdata/*")}
    for kod in services:
        if kod not in sections:
            yield f"{kod} is missing"
        elif not has_data(sections[kod]):
            whole = [_said(error) for error in sections[kod].iterfind("{*}error")]
            parts = [_said(error) for path in _PARTS for error in sections[kod].iterfind(path)]
            wrong = whole or [said for said in parts if said != _NOTHING_FOUND]
            if wrong or not parts:
                yield " ".join([kod, *wrong[:1]])[:_LONGEST]


def _said(error: _Element) -> str:
    return f"{error.findtext('{*}kalla')} {error.findtext('{*}felkod')}"
