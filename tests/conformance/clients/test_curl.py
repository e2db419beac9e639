"""curl with an envelope from a file, as the documentation shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conformance.clients.conversation import read, run
from external import need

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.clients.conversation import Target

pytestmark = pytest.mark.external


def test_an_envelope_from_a_file(target: Target, messages: list[Path], said: dict[str, str]) -> None:
    curl = need("curl", "curl")
    certificate, key, authority = (target.pki / name for name in ("client.pem", "client.key", "ca.pem"))
    answers = []
    for message, status in zip(messages, ("200", "200", "200", "500"), strict=True):
        posted = ("--header", "Content-Type: text/xml; charset=utf-8", "--data-binary", f"@{message}")
        tls = ("--cert", certificate, "--key", key, "--cacert", authority)
        output = run(curl, "--silent", "--show-error", "--write-out", "%{http_code}", *tls, *posted, target.address)
        assert output.endswith(status)
        answers.append(output.removesuffix(status).encode())
    assert read(*answers) == said
