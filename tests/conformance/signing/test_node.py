"""npm's soap, which signs by xml-crypto."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conformance.clients.test_node_soap import MODULES
from conformance.signing.parties import gateways
from external import missing, need
from vectors.make import only

pytestmark = pytest.mark.external


def test_node_signs(pki: Path, tmp_path: Path) -> None:
    node = need("node", "nodejs")
    if not (MODULES / "soap").is_dir():
        missing("npm's soap", "npm ci --prefix .ci/npm")
    program, name = Path(__file__).with_name("sign.cjs"), pki / "client-signing-rsa"
    question = only("SO").replace("<soapenv:Header/>", "<soapenv:Header></soapenv:Header>")
    signed = subprocess.run(
        [node, "--no-deprecation", program, f"{name}.key", f"{name}.pem"],
        input=question.encode(),
        env={"NODE_PATH": str(MODULES)},
        capture_output=True,
        timeout=30,
        check=True,
    ).stdout
    # It signs for ten minutes and cannot be told otherwise.
    for _, gateway in gateways(pki, tmp_path, "giltig_seconds = 600"):
        status, body = gateway.post(signed)
        assert (status, b"<ssbt:svarsdata>" in body) == (200, True), body
