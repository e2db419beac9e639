"""Where our schemas, WSDLs and examples are: in the checkout or in the installed wheel, found the same way."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def _folder(package: str) -> Path:
    # They are packages of their own (setup.cfg, package_dir), so that a checkout and a wheel look alike.
    return Path(str(files(package)))


def wsdl(name: str) -> Path:
    """The WSDL file `name`, relative to wsdl/, such as `services/af.wsdl`."""
    return _folder("ssbtek_gateway.wsdl") / name


def xsd(name: str) -> Path:
    """The schema file `name`, relative to xsd/, such as `services/af/ersattningsstod.xsd`."""
    return _folder("ssbtek_gateway.xsd") / name


def example(name: str) -> Path:
    """The configuration `name` of examples/, such as `development.toml`."""
    return _folder("ssbtek_gateway.examples") / name


def published_schemas() -> dict[str, bytes]:
    """Every schema as it is published: path relative to xsd/, with `/`, and its bytes."""
    top = _folder("ssbtek_gateway.xsd")
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in sorted(top.rglob("*.xsd"))}
