"""What is asked, and whether it may be: load is for test environments, and a target says itself that it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from ssbtek_gateway import connection
from ssbtek_gateway.inbound.documents import MILJO

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUTS = (connection.CONNECT_SECONDS, connection.READ_SECONDS)
_FOR_TESTS = {"utveckling", "test"}


class TargetError(Exception):
    """It cannot be asked what it is."""


class ProductionError(Exception):
    """It is production, or does not say that it is not."""


def environment(url: str, authority: Path, certificate: Path, key: Path) -> str | None:
    """The `miljo` that the WSDL's header names; None from a service that names none. Raises `TargetError`."""
    with connection.session(authority, certificate, key) as session:
        try:
            # Of the body nothing is read. A redirect would tell about another service.
            with session.get(f"{url}?wsdl", timeout=_TIMEOUTS, allow_redirects=False, stream=True) as response:
                return response.headers.get(MILJO)
        except (requests.RequestException, OSError) as error:
            raise TargetError(f"{url}: {connection.meaning(error)}") from None


def demand_allowed(url: str, named: str | None, allowed: str | None) -> None:
    """Raise `ProductionError` unless the service is for tests by its own word, or its host is the one `allowed`.

    An address says nothing: a tunnel or the production machine itself is at 127.0.0.1 too.
    """
    host = urlsplit(url).hostname
    if named not in _FOR_TESTS and (allowed or "").lower() != host:
        says = f"says that it is {named}" if named is not None else "does not say that it is for tests"
        raise ProductionError(
            f"{host} {says}: nothing was asked. Each question would be put to the agencies and stand in the record. "
            f"If that is meant, say so with --allow-host {host}"
        )
