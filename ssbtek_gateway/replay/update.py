"""Stored answers rewritten by those that came."""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway import xmlgate
from ssbtek_gateway.replay.compare import compare, judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lxml.etree import _Element

    from ssbtek_gateway.replay.compare import Reply
    from ssbtek_gateway.replay.fixtures import Fixture
    from ssbtek_gateway.replay.ignores import Ignore


def acceptable(fixture: Fixture, reply: Reply, ignores: Sequence[Ignore]) -> bytes | None:
    """What NAME.response.xml must hold for the reply to be the answer that is owed.

    None where nothing makes it so: it is not XML, or has not the status or fault that NAME.toml asks for.
    """
    try:
        answered = xmlgate.parse_agency(reply.body, reply.charset)
    except xmlgate.XmlError:
        return None
    if not judge(replace(fixture, response=answered), reply, ignores).equal:
        return None
    return readable(answered)


def readable(answer: _Element) -> bytes:
    """The answer in UTF-8, a line an element; as it came where that would not be the same answer."""
    indented = deepcopy(answer.getroottree())
    etree.indent(indented)
    same = not compare(answer, indented.getroot(), ())
    return etree.tostring(indented if same else answer.getroottree(), encoding="UTF-8", xml_declaration=True) + b"\n"


def write(path: Path, content: bytes) -> None:
    """The whole file or none of it, with the access rights that it had. Raises `OSError`."""
    path = path.resolve()
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
