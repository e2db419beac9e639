"""Which URLs of a database are taken, and which of them lead away from this machine in the clear."""

from __future__ import annotations

import pytest

from ssbtek_gateway import postgresql_url


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("postgresql://user@localhost/db", False),
        ("postgresql://user@127.0.0.1:5433/db", False),
        ("postgresql://user@[::1]:5433/db", False),
        ("postgresql://user@/db?host=/run/postgresql", False),
        ("postgresql://user@%2Frun%2Fpostgresql/db", False),
        ("postgresql://user@db.example/db", True),
        ("postgresql://user@db.example/db?sslmode=require", True),
        ("postgresql://user@db.example/db?sslmode=verify-full&sslrootcert=/ca.pem", False),
        ("postgresql://user@one:5432,two/db?target_session_attrs=read-write", True),
        ("postgresql://user@localhost,two/db", True),
        # libpq goes by the option.
        ("postgresql://user@localhost/db?host=db.example", True),
        ("postgresql://user@db.example/db?host=localhost", False),
    ],
)
def test_what_leaves_the_machine_in_the_clear(url: str, clear: bool) -> None:  # noqa: FBT001
    assert postgresql_url.checked(url) == url
    assert postgresql_url.in_the_clear(url) is clear


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("postgresql://user@db", "must be postgresql://"),
        ("postgresql://db/db", "must be postgresql://"),
        ("postgresql://user@/db", "must be postgresql://"),
        ("postgres://user@db/db", "must be postgresql://"),
        ("host=db user=user", "must be postgresql://"),
        ("postgresql://user:@db/db", "has a password in it"),
        ("postgresql://user@db/db?options=-csynchronous_commit%3Doff", "options cannot stand in it"),
        ("postgresql://user@db/db?hostaddr=192.0.2.1", "hostaddr cannot stand in it"),
        ("postgresql://user@db/db?service=", "service cannot stand in it"),
        ("postgresql://user@[db/db", "Invalid IPv6"),
    ],
)
def test_what_is_no_url_for_the_audit(url: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        postgresql_url.checked(url)
