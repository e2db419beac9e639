"""PHP's SoapClient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conformance.clients.conversation import run
from external import missing, need

if TYPE_CHECKING:
    from conformance.clients.conversation import Target

pytestmark = pytest.mark.external


def test_php(target: Target, said: dict[str, str]) -> None:
    php = need("php", "php-cli")
    if "soap" not in run(php, "-m").split():
        missing("PHP's extension soap", "apt install php-soap")
    assert target.converse(php, Path(__file__).with_name("client.php")) == said
