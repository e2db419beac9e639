"""A SoapUI project: one interface, one operation, and a request for each question, endpoint and certificate set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from uuid import NAMESPACE_URL, uuid5

from lxml import etree
from lxml.builder import ElementMaker

from ssbtek_gateway.soapui import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml.etree import _Element

_E = ElementMaker(namespace=NAMESPACE, nsmap={"con": NAMESPACE, "xsi": "http://www.w3.org/2001/XMLSchema-instance"})
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_PART_TYPES = {True: "http://schemas.xmlsoap.org/wsdl/", False: "http://www.w3.org/2001/XMLSchema"}


@dataclass(frozen=True, slots=True)
class Service:
    """What is asked: WSDL's names, and its documents by address; the first address is the WSDL's."""

    namespace: str
    binding: str
    operation: str
    documents: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keystore:
    """A certificate set: a PKCS #12 file, as the project names it, and its password, which the project holds."""

    name: str
    file: str
    password: str = field(repr=False)


def project(
    name: str,
    service: Service,
    questions: Mapping[str, str],
    endpoints: Sequence[str],
    keystores: Sequence[Keystore],
) -> bytes:
    """The project. `questions` are envelopes by name."""
    calls = [
        _call(f"{question} {endpoint} {keystore.name}", endpoint, keystore, content)
        for endpoint in endpoints
        for keystore in keystores
        for question, content in questions.items()
    ]
    operation = _E.operation(
        _E.settings(),
        *calls,
        id=_id(name, service.operation),
        isOneWay="false",
        action="",
        name=service.operation,
        bindingOperationName=service.operation,
        type="Request-Response",
        inputName="",
        outputName="",
        receivesAttachments="false",
        sendsAttachments="false",
        anonymous="optional",
    )
    wsdl = next(iter(service.documents))
    interface = _E.interface(
        _E.settings(),
        _E.definitionCache(
            *(_part(address, content, is_wsdl=address == wsdl) for address, content in service.documents.items()),
            type="TEXT",
            rootPart=wsdl,
        ),
        _E.endpoints(*map(_E.endpoint, endpoints)),
        operation,
        **{_XSI_TYPE: "con:WsdlInterface"},
        id=_id(name, service.binding),
        wsaVersion="NONE",
        name=service.binding,
        type="wsdl",
        bindingName=f"{{{service.namespace}}}{service.binding}",
        soapVersion="1_1",
        anonymous="optional",
        definition=wsdl,
    )
    root = _E(
        "soapui-project",
        _E.settings(),
        interface,
        _E.properties(),
        _E.wssContainer(*map(_crypto, keystores)),
        id=_id(name),
        activeEnvironment="Default",
        name=name,
        resourceRoot="${projectDir}",
        **{"soapui-version": "5.7.2", "abortOnError": "false", "runType": "SEQUENTIAL"},
    )
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def documents(given_out: Mapping[tuple[str, str], bytes], endpoint: str, path: str) -> dict[str, bytes]:
    """WSDL and schemas of the version at `path`, by their addresses at `endpoint`, such as https://host/ssbt/11."""
    wsdl = f"{endpoint}?wsdl"
    schemas = (f"/xsd{path}/", "/xsd/services/", "/xsd/json/")
    found = {urljoin(wsdl, name): content for (name, _), content in given_out.items() if name.startswith(schemas)}
    return {wsdl: given_out[path, "wsdl"], **found}


def _call(name: str, endpoint: str, keystore: Keystore, content: str) -> _Element:
    request = _E.request()
    request.text = etree.CDATA(content)
    return _E.call(
        _E.settings(),
        _E.encoding("UTF-8"),
        _E.endpoint(endpoint),
        request,
        _E.wsaConfig(mustUnderstand="NONE", version="200508"),
        id=_id(name),
        name=name,
        sslKeystore=keystore.file,
    )


def _crypto(keystore: Keystore) -> _Element:
    return _E.crypto(_E.source(keystore.file), _E.password(keystore.password), _E.type("KEYSTORE"))


def _part(address: str, content: bytes, *, is_wsdl: bool) -> _Element:
    text = _E.content()
    text.text = etree.CDATA(content.decode())
    return _E.part(_E.url(address), text, _E.type(_PART_TYPES[is_wsdl]))


def _id(*names: str) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(names)))
