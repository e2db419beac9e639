"""The WSDL and its schemas as integrators fetch them.

The address in the WSDL is the configured one, never the Host header's. Imports are relative, so that they resolve over
whichever port the WSDL was fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway import resources, xmlgate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssbtek_gateway.contracts.contract import Contract

# The header of each document that says which environment it is (`miljo`): so that nobody loads production by mistake.
MILJO = "ssbtek-miljo"
_ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap/}address"
_IMPORT = "{http://www.w3.org/2001/XMLSchema}import"


def published(contracts: Iterable[Contract], public_url: str) -> dict[tuple[str, str], bytes]:
    """Everything that is given out, by path and query, such as `("/ssbt/10", "wsdl")`."""
    schemas = {(f"/xsd/{name}", ""): content for name, content in resources.published_schemas().items()}
    return schemas | {(contract.path, "wsdl"): _wsdl(contract, public_url) for contract in contracts}


def _wsdl(contract: Contract, public_url: str) -> bytes:
    root = xmlgate.parse_own(resources.wsdl(contract.wsdl).read_bytes())
    for address in root.iter(_ADDRESS):
        address.set("location", public_url + contract.path)
    for schema in root.iter(_IMPORT):
        schema.set("schemaLocation", f"../xsd/{contract.xsd}")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
