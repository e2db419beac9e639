"""What integrators fetch: a WSDL that names the configured address, and schemas that resolve from where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest

from ssbtek_gateway import xmlgate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.inbound import documents

if TYPE_CHECKING:
    from lxml import etree

PUBLIC = "https://gateway.example:8443"
PUBLISHED = {
    f"{path}?{query}" if query else path: content
    for (path, query), content in documents.published(CONTRACTS.values(), PUBLIC).items()
}
WSDLS = [path for path in PUBLISHED if path.endswith("?wsdl")]
XS = "{http://www.w3.org/2001/XMLSchema}"


def root(path: str) -> etree._Element:
    return xmlgate.parse_own(PUBLISHED[path])


def locations(path: str) -> list[str]:
    """Where a document's imports lead when it is fetched from `path`."""
    nodes = root(path).iter(f"{XS}import", f"{XS}include")
    return [urlsplit(urljoin(f"{PUBLIC}{path}", node.get("schemaLocation", ""))).path for node in nodes]


def test_each_version_has_a_wsdl() -> None:
    assert set(WSDLS) == {f"{contract.path}?wsdl" for contract in CONTRACTS.values()}


@pytest.mark.parametrize("path", WSDLS)
def test_the_wsdl_names_the_configured_address_and_no_other(path: str) -> None:
    addresses = [node.get("location") for node in root(path).iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")]
    assert addresses == [PUBLIC + path.removesuffix("?wsdl")]
    assert b"127.0.0.1" not in PUBLISHED[path]


@pytest.mark.parametrize("path", WSDLS)
def test_everything_that_the_wsdl_leads_to_is_published(path: str) -> None:
    found, waiting = set(), locations(path)
    assert waiting
    while waiting:
        target = waiting.pop()
        assert target in PUBLISHED
        if target not in found:
            found.add(target)
            waiting += locations(target)
    # The combined contract carries the answers of every agency.
    assert len(found) > 5


@pytest.mark.parametrize("path", [path for path in PUBLISHED if path not in WSDLS])
def test_nothing_but_schemas_is_published(path: str) -> None:
    assert path.startswith("/xsd/")
    assert ".." not in path
    assert root(path).tag == f"{XS}schema"
