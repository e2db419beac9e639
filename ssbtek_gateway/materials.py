"""What the configuration names, read and made ready: certificates, keys, databases, dates. Nothing is connected."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from cryptography import x509
from cryptography.x509.oid import NameOID

from ssbtek_gateway import closing, revocation, tls
from ssbtek_gateway.audit.backend import Postgresql, Sqlite, database_of
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.record import PersonKey
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.inbound.identity import Issuer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from redis.asyncio import BlockingConnectionPool

    from ssbtek_gateway.audit.backend import Backend
    from ssbtek_gateway.config import Settings

_SHORTEST_KEY = 32
_PLACES = {"serialNumber": NameOID.SERIAL_NUMBER, "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER}


class SetupError(Exception):
    """The configuration is well-formed but the gateway cannot be built from it; the text says which part and why."""


def issuers(settings: Settings) -> list[Issuer]:
    """Who is trusted to say who asks. Raises `SetupError`."""
    found = [Issuer(_certificate("listen.client_authorities", path)) for path in settings.listen.client_authorities]
    for configured in settings.utfardare:
        part = f"utfardare {configured.namn}"
        certificate = _certificate(part, configured.certifikat)
        revocations = None
        if configured.crl is not None:
            with naming(part):
                revocations = revocation.read(configured.crl, certificate, timedelta(hours=configured.crl_timmar))
        form = _PLACES[configured.attribut], re.compile(configured.monster, re.ASCII)
        found.append(
            Issuer(certificate, configured.namn, (form,), configured.policyer, configured.for_klienter, revocations)
        )
    return found


def contexts(settings: Settings) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """With and without client certificate."""
    listen = settings.listen
    with naming("listen: certificate, key or authorities"):
        authorities = [issuer.certifikat for issuer in settings.utfardare] or listen.client_authorities
        mutual = tls.server_context(listen.certificate, listen.key, authorities)
        return mutual, tls.server_context(listen.certificate, listen.key, ())


def person_key(settings: Settings) -> PersonKey:
    """The key that persons are pseudonymised with. Raises `SetupError`."""
    return PersonKey(settings.audit.key_id, _secret("audit.key", settings.audit.key))


def chain_key(settings: Settings) -> ChainKey:
    """The key that audit rows are chained with. Raises `SetupError`."""
    key = _secret("audit.chain_key", settings.audit.chain_key)
    # Read only what is needed: who verifies the chain need not be able to find persons.
    if (
        settings.audit.key.is_file()
        and os.access(settings.audit.key, os.R_OK)
        and settings.audit.key.read_bytes() == key
    ):
        raise SetupError("audit.chain_key: is the same key as audit.key; make another")
    return ChainKey(key)


def audit_backend(settings: Settings, worker: int = 1) -> Backend:
    """Where a worker keeps the audit; to read, the first worker's stands for all."""
    audit = settings.audit
    if audit.postgresql is not None:
        return Postgresql(audit.postgresql, audit.password_file)
    return Sqlite(database_of(cast("Path", audit.database), worker))  # the configuration names one of the two


def closing_of(settings: Settings) -> closing.Closing:
    """When versions close, and the gateway as a whole. Raises `SetupError`."""
    unknown = sorted(settings.versioner.keys() - CONTRACTS.keys())
    if unknown:
        raise SetupError(f"versioner: there is no version {unknown[0]}, only {', '.join(CONTRACTS)}")
    configured = {number: version.stanger for number, version in settings.versioner.items()}
    return closing.Closing(dict.fromkeys(CONTRACTS) | configured, settings.underhall)


def redis(settings: Settings) -> BlockingConnectionPool | None:
    if settings.rates is None:
        return None
    from ssbtek_gateway import redis_pool  # noqa: PLC0415 - redis-py loads slowly, and few need it

    with naming("rates: authority or password"):
        return redis_pool.connect(settings.rates)


def _certificate(part: str, path: Path) -> x509.Certificate:
    with naming(part):
        data = path.read_bytes()
        try:
            return x509.load_pem_x509_certificate(data)
        except ValueError:
            raise ValueError(f"{path}: is no certificate in PEM") from None


def _secret(name: str, path: Path) -> bytes:
    with naming(name):
        key = path.read_bytes()
    if len(key) < _SHORTEST_KEY:
        raise SetupError(f"{name}: has {len(key)} bytes, at least {_SHORTEST_KEY} are needed")
    return key


@contextmanager
def naming(part: str) -> Iterator[None]:
    """Say which part of the configuration a file problem belongs to."""
    try:
        yield
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        raise SetupError(f"{part}: {file}{error.strerror or type(error).__name__}") from None
    except ValueError as error:
        raise SetupError(f"{part}: {error}") from None
