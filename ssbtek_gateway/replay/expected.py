"""What NAME.toml says of a fixture: who asks, what is expected, and what may change."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from ssbtek_gateway.config.types import FilePath, Model
from ssbtek_gateway.replay import ignores

if TYPE_CHECKING:
    from pathlib import Path

    from ssbtek_gateway.replay.ignores import Ignore


class ExpectedError(Exception):
    """The file cannot be used; the text is one line for each thing that is wrong, without the file's name."""


class Certificate(Model):
    """Who asks, instead of the certificate on the command line. Paths are relative to this file."""

    cert: FilePath
    """The certificate, PEM."""
    key: FilePath
    """Its private key, PEM."""


class Fault(Model):
    """The answer must be a SOAP fault. What is not given here may be anything."""

    code: Literal["Client", "Server", "MustUnderstand", "VersionMismatch"] | None = None
    """The faultcode, without prefix."""
    felkod: str | None = Field(None, min_length=1)
    """The felkod in the fault's detail, such as EJ_BEHORIG."""


class Expected(Model):
    """NAME.toml beside NAME.request.xml. Everything may be left out, and so may the file."""

    status: int | None = Field(None, ge=100, le=599)
    """The HTTP status of the answer. Otherwise 500 where a fault is expected or stored, and 200 where not."""
    fault: Fault | None = None
    """With this, NAME.response.xml may be left out; where there is one the answer is compared with it as well."""
    ignore: tuple[str, ...] = ()
    """What changes from answer to answer: XPath 1.0. A text that is selected may have any value; an element, attribute
    or comment that is selected may also be missing."""
    namespaces: dict[str, str] = Field(default_factory=dict)
    """The prefixes that `ignore` uses, and their namespaces."""
    certificate: Certificate | None = None

    @property
    def ignores(self) -> tuple[Ignore, ...]:
        """`ignore`, ready for use. Raises `IgnoreError`."""
        return ignores.compiled(self.ignore, self.namespaces, "NAME.toml")


def read(path: Path) -> Expected:
    """The file's content. Raises `ExpectedError`, also for an XPath that cannot be used, and `OSError`."""
    try:
        expected = Expected.model_validate(
            tomllib.loads(path.read_bytes().decode("utf-8")), context={"folder": path.parent}
        )
        ignores.compiled(expected.ignore, expected.namespaces)
    except UnicodeDecodeError:
        raise ExpectedError("is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ExpectedError(f"is not TOML: {error}") from None
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors())
        raise ExpectedError("\n".join(problems)) from None
    except ignores.IgnoreError as error:
        raise ExpectedError(f"ignore: {error}") from None
    return expected
