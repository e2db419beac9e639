"""The URL of a PostgreSQL database, as libpq reads it, without what would undo the gateway's own settings."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

FILES = {"sslrootcert", "sslcert", "sslkey", "sslcrl"}
# Others, such as `options`, could undo durability and time limits.
_OPTIONS = FILES | {"host", "port", "sslmode", "target_session_attrs"}
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "::1"}


def checked(url: str) -> str:
    """The URL itself. Raises `ValueError`, whose text shows nothing of a password."""
    parts = urlsplit(url)
    if parts.password is not None:
        raise ValueError("has a password in it: put it in a file and name that in password_file")
    if parts.scheme != "postgresql" or not parts.username or parts.path in {"", "/"} or not _hosts(url):
        raise ValueError("must be postgresql://user@host[:port]/database[?sslmode=verify-full&sslrootcert=FILE]")
    unknown = sorted(options(url).keys() - _OPTIONS)
    if unknown:
        raise ValueError(f"{', '.join(unknown)} cannot stand in it, only {', '.join(sorted(_OPTIONS))}")
    return url


def options(url: str) -> dict[str, str]:
    """What stands after the question mark."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def in_the_clear(url: str) -> bool:
    """Whether what is sent leaves this machine without TLS that proves the other end."""
    here = all(host in _LOOPBACK or host.startswith("/") for host in _hosts(url))
    return not here and options(url).get("sslmode") != "verify-full"


def _hosts(url: str) -> set[str]:
    """Where libpq connects to: a `host` among the options goes before what stands in its place."""
    listed = options(url).get("host")
    if listed is not None:
        return set(listed.split(","))
    places = urlsplit(url).netloc.rpartition("@")[2].split(",")
    return {unquote(re.sub(r":[0-9]*$", "", place)) for place in places} - {""}
