"""npm's soap on Node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from external import missing, need

if TYPE_CHECKING:
    from conformance.clients.conversation import Target

pytestmark = pytest.mark.external

MODULES = Path(__file__).parents[3] / ".ci" / "npm" / "node_modules"


def test_node_soap(target: Target, said: dict[str, str]) -> None:
    node = need("node", "nodejs")
    if not (MODULES / "soap").is_dir():
        missing("npm's soap", "npm ci --prefix .ci/npm")
    assert target.converse(node, Path(__file__).with_name("client.cjs"), NODE_PATH=str(MODULES)) == said
