"""The composition root: from a configuration to a gateway that listens. The only place where parts are put together."""

from __future__ import annotations

import gc
import os
import re
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from cryptography import x509
from cryptography.x509.oid import NameOID

from ssbtek_gateway import revocation, tls
from ssbtek_gateway.admission import Admission
from ssbtek_gateway.audit.chain import ChainKey
from ssbtek_gateway.audit.record import PersonKey
from ssbtek_gateway.audit.store import AuditStore
from ssbtek_gateway.authorisation import Register
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.flow import Flow
from ssbtek_gateway.inbound import documents
from ssbtek_gateway.inbound.app import DocumentApp, QuestionApp
from ssbtek_gateway.inbound.identity import Identity, Issuer
from ssbtek_gateway.inbound.server import Door, Listener
from ssbtek_gateway.inbound.soap import SoapEndpoint
from ssbtek_gateway.rates import Rates
from ssbtek_gateway.resilience import Guarded
from ssbtek_gateway.services import REGISTRY, skv

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ssbtek_gateway.config import Settings
    from ssbtek_gateway.services.service import BaseService

_LOG = structlog.get_logger()
_SHORTEST_KEY = 32
_PLACES = {"serialNumber": NameOID.SERIAL_NUMBER, "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER}
# Beyond a question's own deadline: time to put the answer together, record it and send it.
_DRAIN_RESERVE_SECONDS = 5


class SetupError(Exception):
    """The configuration is well-formed but the gateway cannot be built from it; the text says which part and why."""


async def serve(settings: Settings, started: Callable[[Listener, list[int]], None] | None = None) -> None:
    """Answer questions until a signal comes. `started` is told the listener and its ports once they are open.

    Raises `SetupError` where a file is missing or unusable, or an address is taken.
    """
    async with AsyncExitStack() as stack:
        audit = AuditStore(settings.audit.database, chain_key(settings))
        stack.push_async_callback(audit.close)
        services = base_services(settings)
        for service in services.values():
            stack.push_async_callback(service.close)
        flow = Flow(
            Register(settings.organisation),
            services,
            audit,
            person_key(settings),
            Rates(settings.organisation),
            Admission(settings.limits),
            settings.limits.service_seconds,
        )

        def tell(ports: list[int]) -> None:
            _LOG.info("listening", ports=ports, bastjanster=sorted(services), versioner=sorted(CONTRACTS))
            if started is not None:
                started(listener, ports)

        drain = settings.limits.queue_seconds + settings.limits.question_seconds + _DRAIN_RESERVE_SECONDS
        # What has been built stays; the collector need not look at it again.
        gc.collect()
        gc.freeze()
        listener = Listener(doors(settings, flow), settings.listen, drain, tell)
        try:
            await listener.serve()
        except OSError as error:
            raise SetupError(f"cannot listen: {error.strerror or type(error).__name__}") from None
        _LOG.info("stopped")


def check(settings: Settings) -> None:
    """Build everything that needs no event loop and nobody else, then throw it away. Raises `SetupError`."""
    for kod, configured in settings.bastjanst:
        if configured is not None and configured.authority is not None:
            with _naming(f"bastjanst.{kod}: certificate, key or authority"):
                tls.client_context(configured.certificate, configured.key, configured.authority)
    if settings.bastjanst.SKV is not None:
        with _naming("bastjanst.SKV"):
            skv.template(settings.bastjanst.SKV)
    _contexts(settings)
    identity(settings)
    person_key(settings)
    chain_key(settings)


def base_services(settings: Settings) -> dict[str, BaseService]:
    """The connected base services, guarded. Call on the running event loop. Raises `SetupError`."""
    configured = dict(settings.bastjanst)
    return {kod: Guarded(service, configured[kod]) for kod, service in connections(settings).items()}


def connections(settings: Settings) -> dict[str, BaseService]:
    """The same without guard, for who wants to know the truth (`ping`)."""
    connected: dict[str, BaseService] = {}
    for kod, configured in settings.bastjanst:
        if configured is not None:
            with _naming(f"bastjanst.{kod}"):
                connected[kod] = REGISTRY[kod].connect(configured)
    return connected


def doors(settings: Settings, flow: Flow) -> list[Door]:
    """The question port and, where configured, the document port. Raises `SetupError`."""
    contracts = CONTRACTS.values()
    listen = settings.listen
    given_out = DocumentApp(documents.published(contracts, settings.public_url))
    endpoints = {documents.path(contract): SoapEndpoint(contract, flow) for contract in contracts}
    questions = QuestionApp(
        given_out, endpoints, flow, identity(settings), settings.limits.message_bytes, listen.body_seconds
    )
    mutual, one_sided = _contexts(settings)
    opened = [Door(listen.host, listen.port, mutual, questions)]
    if settings.publish is not None:
        opened.append(Door(settings.publish.host, settings.publish.port, one_sided, given_out))
    return opened


def identity(settings: Settings) -> Identity:
    """Who a certificate belongs to. Raises `SetupError`."""
    issuers = [Issuer(_certificate("listen.client_authorities", path)) for path in settings.listen.client_authorities]
    for configured in settings.utfardare:
        part = f"utfardare {configured.namn}"
        certificate = _certificate(part, configured.certifikat)
        revocations = None
        if configured.crl is not None:
            with _naming(part):
                revocations = revocation.read(configured.crl, certificate, timedelta(hours=configured.crl_timmar))
        form = _PLACES[configured.attribut], re.compile(configured.monster, re.ASCII)
        issuers.append(Issuer(certificate, (form,), configured.policyer, configured.for_klienter, revocations))
    return Identity(issuers)


def _certificate(part: str, path: Path) -> x509.Certificate:
    with _naming(part):
        data = path.read_bytes()
        try:
            return x509.load_pem_x509_certificate(data)
        except ValueError:
            raise ValueError(f"{path}: is no certificate in PEM") from None


def _contexts(settings: Settings) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """With and without client certificate."""
    listen = settings.listen
    with _naming("listen: certificate, key or authorities"):
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


def _secret(name: str, path: Path) -> bytes:
    with _naming(name):
        key = path.read_bytes()
    if len(key) < _SHORTEST_KEY:
        raise SetupError(f"{name}: has {len(key)} bytes, at least {_SHORTEST_KEY} are needed")
    return key


@contextmanager
def _naming(part: str) -> Iterator[None]:
    """Say which part of the configuration a file problem belongs to."""
    try:
        yield
    except OSError as error:
        file = f"{error.filename}: " if error.filename else ""
        raise SetupError(f"{part}: {file}{error.strerror or type(error).__name__}") from None
    except ValueError as error:
        raise SetupError(f"{part}: {error}") from None
