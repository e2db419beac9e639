"""JAX-WS RI with the classes that wsimport makes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conformance.clients.conversation import run
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
from external import need

if TYPE_CHECKING:
    from conformance.clients.conversation import Target

pytestmark = pytest.mark.external

# Its manifest names the other archives that it needs.
RUNTIME = "/usr/share/java/jaxws-rt.jar"
# What wsimport makes of the contracts' namespaces.
PACKAGES = {
    "10": "se.forsakringskassan.schema.integration.ssbt._10",
    "11": "se.forsakringskassan.schema.integration.ssbt._11",
    "1": "gateway.ssbtek._1",
}
PASSWORD = "changeit"  # noqa: S105 - of key stores that hold the test's own key and go with it


def write_keys(pki: Path, path: Path) -> None:
    """The client's certificate and key as Java wants them."""
    certificate = x509.load_pem_x509_certificate((pki / "client.pem").read_bytes())
    key = load_pem_private_key((pki / "client.key").read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    encryption = BestAvailableEncryption(PASSWORD.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"client", key, certificate, None, encryption))


def test_jaxws(target: Target, said: dict[str, str], tmp_path: Path) -> None:
    wsimport, javac = need("wsimport", "jaxws"), need("javac", "default-jdk-headless")
    java, keytool = need("java", "default-jdk-headless"), need("keytool", "default-jdk-headless")
    keys, trust, classes = tmp_path / "client.p12", tmp_path / "trust.p12", tmp_path / "classes"
    write_keys(target.pki, keys)
    authority = ("-file", target.pki / "ca.pem", "-keystore", trust, "-storepass", PASSWORD)
    run(keytool, "-importcert", "-noprompt", "-alias", "ca", *authority)
    store = "-Djavax.net.ssl.{0}Store={1} -Djavax.net.ssl.{0}StorePassword={2}"
    trusting, knowing = (store.format(*named, PASSWORD).split() for named in (("trust", trust), ("key", keys)))

    # The document port asks for no certificate. JAXP lets a WSDL import schemas over https only where it is told to.
    options = " ".join([*trusting, "-Djavax.xml.accessExternalSchema=all"])
    classes.mkdir()
    generated = ("-Xnocompile", "-d", classes, target.published)
    told = run(wsimport, *generated, env=os.environ | {"WSIMPORT_OPTS": options}, both=True)
    assert "warning" not in told.lower()

    source = Path(__file__).with_name("Client.java").read_text(encoding="utf-8")
    chosen = re.sub(
        r"( *)/\*([0-9 ]+)\n(.*?)\1\2\*/\n",
        lambda block: block[3] if target.version in block[2].split() else "",
        source.replace("PACKAGE", PACKAGES[target.version]),
        flags=re.DOTALL,
    )
    (classes / "Client.java").write_text(chosen, encoding="utf-8")
    # All of them: what says that elements are qualified is in package-info.java, which no class refers to.
    run(javac, "-encoding", "UTF-8", "-cp", RUNTIME, *classes.rglob("*.java"), seconds=120)
    # The client fetches the WSDL anew, from the question port with its certificate.
    assert target.converse(java, *trusting, *knowing, "-cp", f"{classes}:{RUNTIME}", "Client") == said
