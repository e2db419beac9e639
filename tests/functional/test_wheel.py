"""What pip installs works without the checkout: schemas, WSDLs and the example configuration come along."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


USE = """
import pathlib
import ssbtek_gateway
from ssbtek_gateway import config, resources, xmlgate
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.migrate import migrate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.inbound import documents
from ssbtek_gateway.services import REGISTRY, lefi, skv
from ssbtek_gateway.simulator import personas
assert {folder!r} in ssbtek_gateway.__file__, ssbtek_gateway.__file__
for contract in CONTRACTS.values():
    assert {folder!r} in str(resources.xsd(contract.xsd))
    xmlgate.schema(resources.xsd(contract.xsd))
for entry in REGISTRY.values():
    assert entry.agare
skv.template(config.Skv(url="http://x", allow_plain_http=True))
lefi._validators()
(migration,) = migrate(Sqlite(pathlib.Path("audit.sqlite")), dry_run=False)
assert migration.steps
assert resources.example("development.toml").is_file()
print(len(documents.published(CONTRACTS.values(), "https://x")), len(personas.load()))
"""


def test_the_wheel_carries_schemas_wsdls_and_personas(
    installed: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(installed)!r})" + USE.format(folder=str(installed)),
        ],
        cwd=tmp_path_factory.mktemp("wheel"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    documents, personas = map(int, done.stdout.split())
    assert documents > 15
    assert personas >= 5
