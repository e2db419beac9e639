"""The composition root: from a configuration to a gateway that listens. The only place where parts are put together."""

from __future__ import annotations

import asyncio
import gc
import os
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from ssbtek_gateway import certificates, closing, health, materials, metrics, revocation, telemetry, tls
from ssbtek_gateway.admission import Admission
from ssbtek_gateway.audit import AuditError, head
from ssbtek_gateway.audit.store import AuditStore
from ssbtek_gateway.authorisation import Register
from ssbtek_gateway.config import SoapBastjanst
from ssbtek_gateway.contracts import CONTRACTS
from ssbtek_gateway.flow import Flow
from ssbtek_gateway.inbound import documents
from ssbtek_gateway.inbound.app import DocumentApp, QuestionApp
from ssbtek_gateway.inbound.identity import Identity
from ssbtek_gateway.inbound.proxy import ProxiedApp
from ssbtek_gateway.inbound.security import MessageSecurity
from ssbtek_gateway.inbound.server import Door, Listener
from ssbtek_gateway.inbound.soap import SoapEndpoint
from ssbtek_gateway.rates import Rates
from ssbtek_gateway.resilience import Guarded
from ssbtek_gateway.services import REGISTRY, skv
from ssbtek_gateway.services.security import ServiceSecurity
from ssbtek_gateway.services.service import today
from ssbtek_gateway.sockets import claim

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from ssbtek_gateway.config import Limits, Settings
    from ssbtek_gateway.health import State
    from ssbtek_gateway.inbound.app import Application
    from ssbtek_gateway.services.service import BaseService
    from ssbtek_gateway.tracing import Traced

_LOG = structlog.get_logger()
# So many new objects: a question leaves some ten behind, in circles that only the collector finds.
_COLLECT_AFTER = 10_000
# How often it is looked whether a revocation list has changed.
_REVOCATION_SECONDS = 10
# Beyond a question's own deadline: time to put the answer together, record it and send it.
_DRAIN_RESERVE_SECONDS = 5


async def serve(
    settings: Settings,
    started: Callable[[Listener, list[int], Callable[[], State]], None] | None = None,
    sockets: Sequence[socket.socket] = (),
    worker: int = 1,
    recorded: Callable[[Application], Application] = lambda app: app,
) -> None:
    """Answer questions until a signal comes, as the given worker among several.

    `started` is told the listener, its ports once they are open, and what tells the state. `sockets` are bound to
    `addresses`; without them the addresses are taken here. `recorded` goes around what answers questions (`record`).

    Raises `materials.SetupError` where a file is missing or unusable, or an address is taken.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(metrics.published())
        traced = None
        if settings.tracing is not None:
            traced = _tracing()(settings.tracing)
            stack.push_async_callback(traced.close)
        sockets = sockets or _claimed(settings, stack)
        key = materials.chain_key(settings)
        audit = await AuditStore.open(materials.audit_backend(settings, worker), key)
        if settings.audit.heads is not None:  # until all rows are written
            exporting = head.exported(lambda: audit.place, key, settings.audit.heads, settings.audit.heads_seconds)
            await stack.enter_async_context(exporting)
        stack.push_async_callback(audit.close)
        services = base_services(settings, traced)
        for service in services.values():
            stack.push_async_callback(service.close)
        redis = materials.redis(settings)
        if redis is not None:
            stack.push_async_callback(redis.disconnect)
        rates = Rates(settings.organisation, redis)
        admission = Admission(settings.limits)
        telemetry.watch(services, settings.limits.questions, admission)
        register = Register(settings.organisation)
        with materials.naming("signering: certificate or key"):
            security = MessageSecurity.load(register, settings.signering, materials.audit_backend(settings))
        stack.push_async_callback(security.close)
        flow = Flow(
            register,
            services,
            audit,
            materials.person_key(settings),
            rates,
            admission,
            settings.limits,
            materials.closing_of(settings),
            settings.regler.kontrollsiffra == "krav",
        )
        stack.callback(asyncio.create_task(closing.remind(settings)).cancel)
        identity = Identity(materials.issuers(settings))
        stack.callback(asyncio.create_task(_follow_revocations(settings, identity)).cancel)
        warnings = _certificate_warnings(settings, identity)

        def state() -> State:
            told = [*warnings(), *map(str, closing.soon(settings, today())), *filter(None, [rates.warning])]
            return health.state(audit, admission, services, told, stopping=listener.should_exit)

        def tell(ports: list[int]) -> None:
            _LOG.info("listening", ports=ports, bastjanster=sorted(services), versioner=sorted(CONTRACTS))
            if started is not None:
                started(listener, ports, state)

        # What has been built stays: the collector need not look at it again, and seldom at what is new.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
        on_doors = doors(settings, flow, identity, security, sockets, traced, recorded)
        listener = Listener(on_doors, settings.listen, drain_seconds(settings.limits), tell)
        try:
            await listener.serve()
        except OSError as error:
            raise materials.SetupError(f"cannot listen: {error.strerror or type(error).__name__}") from None
        _LOG.info("stopped")


def addresses(settings: Settings) -> list[tuple[str, int]]:
    """Host and port of the question port and, where configured, of the document port; then the proxy's socket file."""
    questions, documents, proxy = settings.listen, settings.publish, settings.proxy
    found = [(questions.host, questions.port), *([(documents.host, documents.port)] if documents else [])]
    return [*found, *([(str(proxy.socket), 0)] if proxy and proxy.socket else [])]


def drain_seconds(limits: Limits) -> float:
    """How long a stop may have to wait for questions that were asked."""
    return limits.queue_seconds + limits.question_seconds + _DRAIN_RESERVE_SECONDS


def check(settings: Settings) -> None:
    """Build everything that needs no event loop and nobody else, then throw it away. Raises `materials.SetupError`."""
    for kod, configured in settings.bastjanst:
        if configured is not None and configured.authority is not None:
            with materials.naming(f"bastjanst.{kod}: certificate, key or authority"):
                tls.client_context(configured.certificate, configured.key, configured.authority)
        if isinstance(configured, SoapBastjanst) and configured.signering is not None:
            with materials.naming(f"bastjanst.{kod}.signering: certificate, key or svar_certifikat"):
                ServiceSecurity.load(configured.signering)
    if settings.bastjanst.SKV is not None:
        with materials.naming("bastjanst.SKV"):
            skv.template(settings.bastjanst.SKV)
    if settings.tracing is not None:
        _tracing()
    materials.contexts(settings)
    materials.issuers(settings)
    materials.redis(settings)
    materials.closing_of(settings)
    with materials.naming("signering: certificate or key"):
        MessageSecurity.load(Register(()), settings.signering, materials.audit_backend(settings))
    materials.person_key(settings)
    materials.chain_key(settings)
    try:
        materials.audit_backend(settings).check()
    except AuditError as error:
        raise materials.SetupError(f"audit: {error}") from None
    heads = settings.audit.heads
    if heads is not None and not (heads.is_dir() and os.access(heads, os.W_OK | os.X_OK)):
        raise materials.SetupError(f"audit.heads: {heads}: is no folder that can be written to")


def base_services(settings: Settings, traced: Traced | None) -> dict[str, Guarded]:
    """The connected base services, guarded. Call on the running event loop. Raises `materials.SetupError`."""
    configured = dict(settings.bastjanst)
    guarded: dict[str, Guarded] = {}
    for kod, service in connections(settings).items():
        asked = service
        if traced is not None:
            asked = traced.service(kod, service)
        elif settings.log.points:
            asked = telemetry.Named(kod, service)
        guarded[kod] = Guarded(asked, configured[kod])
        metrics.BREAKER_STATE.watch(guarded[kod].breaker.state, kod)
    return guarded


def connections(settings: Settings) -> dict[str, BaseService]:
    """The same without guard, for who wants to know the truth (`ping`)."""
    connected: dict[str, BaseService] = {}
    for kod, configured in settings.bastjanst:
        if configured is not None:
            with materials.naming(f"bastjanst.{kod}"):
                connected[kod] = REGISTRY[kod].connect(configured)
    return connected


def doors(
    settings: Settings,
    flow: Flow,
    identity: Identity,
    security: MessageSecurity,
    sockets: Sequence[socket.socket],
    traced: Traced | None,
    recorded: Callable[[Application], Application],
) -> list[Door]:
    """What answers on each of `addresses`. Raises `materials.SetupError`."""
    contracts = CONTRACTS.values()
    listen = settings.listen
    given_out = DocumentApp(
        documents.published(contracts, settings.public_url), [(documents.MILJO.encode(), settings.miljo.encode())]
    )
    endpoint = SoapEndpoint if traced is None else traced.endpoint
    endpoints = {contract.path: endpoint(contract, flow) for contract in contracts}
    questions: Application = QuestionApp(
        given_out, endpoints, flow, identity, settings.limits.message_bytes, listen.body_seconds, security
    )
    questions = recorded(traced.application(questions) if traced is not None else questions)
    mutual, one_sided = materials.contexts(settings)
    proxy = settings.proxy
    header = proxy.header.lower().encode() if proxy else b""
    at_listen = ProxiedApp(questions, header, proxy.peers) if proxy and proxy.peers else questions
    opened = [Door(sockets[0], mutual, at_listen)]
    if settings.publish is not None:
        opened.append(Door(sockets[1], one_sided, given_out))
    if proxy is not None and proxy.socket is not None:
        opened.append(Door(sockets[-1], None, ProxiedApp(questions, header)))
    return opened


async def _follow_revocations(settings: Settings, identity: Identity) -> None:
    """Take revocation lists as their files change; one that cannot be taken leaves all as they were."""
    lists = [issuer.crl for issuer in settings.utfardare if issuer.crl is not None]
    taken = revocation.stamps(lists)
    while True:
        await asyncio.sleep(_REVOCATION_SECONDS)
        if (found := revocation.stamps(lists)) != taken:
            taken = found
            try:
                identity.trust(await asyncio.to_thread(materials.issuers, settings))
                _LOG.info("revocations", lists=len(lists))
            except materials.SetupError as error:
                _LOG.error("revocations", reason=str(error))


def _claimed(settings: Settings, stack: AsyncExitStack) -> list[socket.socket]:
    found = []
    try:
        for host, port in addresses(settings):
            keeper, (bound,) = claim(host, port, 1)
            stack.enter_context(keeper)
            found.append(stack.enter_context(bound))
    except OSError as error:
        raise materials.SetupError(error.strerror) from None
    return found


def _certificate_warnings(settings: Settings, identity: Identity) -> Callable[[], list[str]]:
    """What tells which certificates and revocation lists soon expire. Certificates are read now, as TLS does."""
    if settings.management is None:
        return list
    ahead = timedelta(days=settings.management.warn_days)
    lists_ahead = timedelta(hours=settings.management.warn_hours)
    expiring = certificates.expiries(settings)

    def warnings() -> list[str]:
        now = datetime.now(UTC)
        lists = {f"utfardare {one.name}: crl": one.revocations.until for one in identity.issuers if one.revocations}
        return certificates.warnings(expiring, now, ahead) + certificates.warnings(lists, now, lists_ahead)

    return warnings


def _tracing() -> type[Traced]:
    """What needs the extra `otel`. Raises `materials.SetupError` where it is not installed."""
    try:
        from ssbtek_gateway.tracing import Traced  # noqa: PLC0415 - it costs those who do not trace nothing
    except ModuleNotFoundError as error:
        raise materials.SetupError(f"tracing: {error.name} is missing; pip install ssbtek-gateway[otel]") from None
    return Traced
