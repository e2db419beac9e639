"""What pip installs works without the checkout: schemas and WSDLs come along."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

TOP = Path(__file__).parents[2]
USE = """
import pathlib
import ssbtek_gateway
from ssbtek_gateway import config, resources, xmlgate
from ssbtek_gateway.audit.backend import Sqlite
from ssbtek_gateway.audit.migrate import migrate
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.inbound import documents
from ssbtek_gateway.services import REGISTRY, fk, skv
from ssbtek_gateway.simulator import personas
assert {folder!r} in ssbtek_gateway.__file__, ssbtek_gateway.__file__
for contract in CONTRACTS.values():
    assert {folder!r} in str(resources.xsd(contract.xsd))
    xmlgate.schema(resources.xsd(contract.xsd))
for entry in REGISTRY.values():
    assert entry.agare
skv.template(config.Skv(url="http://x", allow_plain_http=True))
fk._validators()
(migration,) = migrate(Sqlite(pathlib.Path("audit.sqlite")), dry_run=False)
assert migration.steps
print(len(documents.published(CONTRACTS.values(), "https://x")), len(personas.load()))
"""


def test_the_wheel_carries_schemas_wsdls_and_personas(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Not the test's own folder, in which canaries are searched for.
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # From a copy: a build leaves folders behind, and an old one must not be what is tested.
    names = subprocess.run(
        ["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the user's git
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (TOP / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((TOP / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    built = folder / "built"
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", built, source], check=True, timeout=120)
    (wheel,) = built.glob("*.whl")
    target = folder / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True, timeout=120)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(target)!r})" + USE.format(folder=str(target))],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    documents, personas = map(int, done.stdout.split())
    assert documents > 15
    assert personas >= 5
