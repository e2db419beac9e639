"""How the commands that play a caller connect: mutual TLS by requests, and what a failed connection means."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from ssbtek_gateway import tls

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

# What a real consumer of SSBTEK waits to connect and to read (domain facts, section 5).
CONNECT_SECONDS, READ_SECONDS = 5, 30
_MEANINGS = (
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not from the given authority"),
    ("Connection refused", "nothing listens there"),
    ("timed out", "it did not answer in time"),
    ("alert", "it refused our certificate"),
    # The server may have gone before we could read its alert.
    ("EOF occurred", "it closed the connection; does it accept our certificate?"),
    ("Connection aborted", "it closed the connection; does it accept our certificate?"),
)


class SetupError(Exception):
    """The address, certificate, key or authority cannot be used."""


def context(url: str, authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """For connections to `url`. Raises `SetupError`."""
    if not _is_https(url):
        raise SetupError(f"{url}: is not https://host[:port]/path")
    try:
        return tls.client_context(certificate, key, authority)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SetupError(f"{certificate}, {key} and {authority} cannot be used: {reason}") from None


def session(authority: Path, certificate: Path, key: Path) -> requests.Session:
    """A session that trusts `authority` alone and shows our certificate. Its files are first read when it connects."""
    made = requests.Session()
    made.verify = str(authority)
    made.cert = (str(certificate), str(key))
    # Proxies and authorities of the environment must not decide who sees the question.
    made.trust_env = False
    return made


def meaning(error: Exception) -> str:
    """What the failure means, where it is about the connection; its kind otherwise."""
    text = str(error)
    return next((said for sign, said in _MEANINGS if sign in text), type(error).__name__)


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # The port is read to be checked.
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
