"""gSOAP: the tool that takes elementFormDefault at its word, and sends unqualified elements where it is not stated."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conformance.clients.conversation import run
from external import missing, need
from lxml import etree

from ssbtek_gateway import resources
from ssbtek_gateway.contracts import CONTRACTS

if TYPE_CHECKING:
    from conformance.clients.conversation import Target

pytestmark = pytest.mark.external

# The prefixes that the program knows; those of the typed contract are not there in the others.
PREFIXES = {
    "miv": "http://schema.migrationsverket.se/ssbtek/1/",
    "lefi": "urn:ssbtek-gateway:lefi-online:9",
    "csn": "http://schema.csn.se/v4.0/kommunfraga",
    "csntyper": "http://schema.csn.se/v4.0/csntyper",
}
# CSN has an enumeration of ten blanks, which gSOAP takes for nothing at all, and then refuses the whole answer.
TYPES = "csntyper__personstatus = | std::string | std::string*\n"
PROXY = "soapBastjanstInformationInterfaceSoapBindingProxy.cpp"


def build(target: Target, folder: Path) -> Path:
    """The client program, from the WSDL that the gateway gives out."""
    wsdl2h, soapcpp2, compiler = need("wsdl2h", "gsoap"), need("soapcpp2", "gsoap"), need("g++", "g++")
    for header, package in (("stdsoap2.h", "libgsoap-dev"), ("openssl/ssl.h", "libssl-dev")):
        if not Path("/usr/include", header).is_file():
            missing(header, f"apt install {package}")
    prefixes = folder / "typemap.dat"
    known = PREFIXES | {"ssbt": CONTRACTS[target.version].namespace}
    prefixes.write_text("".join(f'{prefix} = "{namespace}"\n' for prefix, namespace in known.items()) + TYPES)
    read = run(wsdl2h, "-t", prefixes, "-o", folder / "ssbt.h", target.published, both=True)
    made = run(soapcpp2, "-j", "-C", "-x", "-L", "-f500", "-d", folder, folder / "ssbt.h", both=True)
    assert "warning" not in (read + made).lower()
    program = folder / "client"
    sources = (*folder.glob("soapC_*.cpp"), folder / PROXY, Path(__file__).with_name("client.cpp"))
    objects = [folder / f"{source.stem}.o" for source in sources]
    options = ("-O0", f"-DVERSION={target.version}", "-DWITH_OPENSSL", "-I", folder, "-c")

    def compiled(source: Path, made: Path) -> None:
        run(compiler, *options, source, "-o", made, seconds=300)

    # The typed contract is 110 000 lines of C++: some at a time.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compiled, sources, objects))
    run(compiler, *objects, "-lgsoapssl++", "-lssl", "-lcrypto", "-o", program)
    return program


def test_gsoap(target: Target, said: dict[str, str], tmp_path: Path) -> None:
    program = build(target, tmp_path)
    both, sent = tmp_path / "both.pem", tmp_path / "sent"
    both.write_bytes((target.pki / "client.pem").read_bytes() + (target.pki / "client.key").read_bytes())
    assert target.converse(program, CERTIFICATE_AND_KEY=str(both), SENT=str(sent)) == said

    # The gateway understood it, and it is what the contract says: every element in the contract's namespace.
    namespace = CONTRACTS[target.version].namespace
    schema = etree.XMLSchema(file=str(resources.xsd(CONTRACTS[target.version].xsd)))
    envelopes = re.findall(rb"<SOAP-ENV:Envelope.*?</SOAP-ENV:Envelope>", sent.read_bytes(), re.DOTALL)
    assert len(envelopes) == 4
    for envelope in envelopes:
        (question,) = etree.fromstring(envelope)[-1]
        assert {etree.QName(element).namespace for element in question.iter()} == {namespace}
        schema.assertValid(question)
