"""The SOAP requests in a SoapUI project: those of its interfaces, and those of its test suites."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway import xmlgate
from ssbtek_gateway.soapui import CON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

_EXPANSION = re.compile(r"\$\{([^{}]*)\}")
_SCOPED = re.compile(r"#(Project|TestSuite|TestCase)#(.+)")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>\s*")
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
# A property may be said by others; one that says itself ends here.
_DEEPEST = 10

Properties = dict[str, "Mapping[str, str]"]


class ProjectError(Exception):
    """The file is no project that can be read; fixed English text."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `place` is where it stands, such as ("Suite", "Case", "Step"); `left` what was not expanded."""

    place: tuple[str, ...]
    endpoint: str
    content: str = field(repr=False)
    left: tuple[str, ...] = ()


def requests(data: bytes) -> list[Request]:
    """Every SOAP request in the project, its properties expanded, without XML declaration. Raises `ProjectError`."""
    try:
        root = xmlgate.parse_own(data)
    except xmlgate.XmlError as error:
        raise ProjectError(error.reason) from None
    if root.tag != f"{CON}soapui-project":
        raise ProjectError("is no SoapUI project (con:soapui-project); a composite project is saved as one file first")
    if root.find(f"{CON}encryptedContent") is not None:
        raise ProjectError("is encrypted: take the project's password away in SoapUI and save it")
    return [*_of_interfaces(root), *_of_suites(root)]


def _of_interfaces(root: _Element) -> Iterator[Request]:
    known: Properties = {"Project": _properties(root)}
    for interface in _soap_interfaces(root):
        for operation in interface.iterchildren(f"{CON}operation"):
            for call in operation.iterchildren(f"{CON}call"):
                yield _request(call, _names(interface, operation, call), known)


def _of_suites(root: _Element) -> Iterator[Request]:
    for suite in root.iterchildren(f"{CON}testSuite"):
        for case in suite.iterchildren(f"{CON}testCase"):
            known: Properties = {
                "Project": _properties(root),
                "TestSuite": _properties(suite),
                "TestCase": _properties(case),
            }
            for step in case.iterchildren(f"{CON}testStep"):
                request = step.find(f"{CON}config/{CON}request") if step.get("type") == "request" else None
                if request is not None:
                    yield _request(request, _names(suite, case, step), known)


def _soap_interfaces(root: _Element) -> Iterator[_Element]:
    for interface in root.iterchildren(f"{CON}interface"):
        if interface.get(_XSI_TYPE, "con:WsdlInterface").endswith("WsdlInterface"):
            yield interface


def _names(*elements: _Element) -> tuple[str, ...]:
    return tuple(element.get("name") or etree.QName(element).localname for element in elements)


def _properties(owner: _Element) -> Mapping[str, str]:
    return {
        one.findtext(f"{CON}name", ""): one.findtext(f"{CON}value", "")
        for one in owner.iterfind(f"{CON}properties/{CON}property")
    }


def _request(element: _Element, place: tuple[str, ...], known: Properties) -> Request:
    content = _DECLARATION.sub("", element.findtext(f"{CON}request", ""))
    left: dict[str, None] = {}
    content, endpoint = (_expanded(text, known, left) for text in (content, element.findtext(f"{CON}endpoint", "")))
    return Request(place, endpoint.strip(), content, tuple(left))


def _expanded(text: str, known: Properties, left: dict[str, None], depth: int = 0) -> str:
    def value(found: re.Match[str]) -> str:
        scoped = _SCOPED.fullmatch(found[1])
        value = known.get(scoped[1], {}).get(scoped[2]) if scoped else None
        if value is None or depth == _DEEPEST:
            left[found[0]] = None
            return found[0]
        return _expanded(value, known, left, depth + 1)

    return _EXPANSION.sub(value, text)
