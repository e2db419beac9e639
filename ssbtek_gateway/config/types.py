"""What the tables of the configuration are made of."""

from __future__ import annotations

import re
from os.path import normpath
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from ssbtek_gateway import postgresql_url

_PRINTABLE = re.compile(r"[!-~]+")


class Model(BaseModel):
    """A table: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _beside_file(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("folder", Path())
    return Path(normpath(Path(base) / path))


def _https(url: str) -> str:
    parts = urlsplit(url)
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    # Reading the port raises ValueError where it is none.
    if parts.scheme not in {"https", "http"} or not parts.hostname or not plain or parts.port == 0:
        raise ValueError("must be https://host[:port][/path]")
    if not _PRINTABLE.fullmatch(url):
        raise ValueError(
            "must be written in ASCII: percent-encode the path (RFC 3986), write the host as xn--… (RFC 5891)"
        )
    return url.rstrip("/")


FilePath = Annotated[Path, AfterValidator(_beside_file)]
Url = Annotated[str, AfterValidator(_https)]
PostgresqlUrl = Annotated[str, AfterValidator(postgresql_url.checked)]
Seconds = Annotated[float, Field(gt=0, le=300)]
Organisationsnummer = Annotated[str, Field(pattern=r"^16[0-9]{2}[2-9][0-9]{7}$")]
