"""When the certificates that a configuration names expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from ssbtek_gateway.config import SoapBastjanst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

    from ssbtek_gateway.config import Settings


def expiries(settings: Settings) -> dict[str, datetime | None]:
    """The first moment at which something in a file expires, by the place that names the file, each file once.

    None where it cannot be told.
    """
    named: dict[Path, str] = {}
    for place, path in _places(settings):
        named.setdefault(path, f"{place} ({path.name})")
    return {name: _first(path) for path, name in named.items()}


def warnings(expiring: Mapping[str, datetime | None], now: datetime, ahead: timedelta) -> list[str]:
    """A line for each that has expired, expires within `ahead`, or is unknown."""
    return [_warning(name, moment, now) for name, moment in expiring.items() if moment is None or moment - now <= ahead]


def _warning(name: str, moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return f"{name}: cannot tell when it expires"
    return f"{name} {'expired' if moment <= now else 'expires'} {moment:%Y-%m-%dT%H:%M:%SZ}"


def _places(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield "listen.certificate", settings.listen.certificate
    for authority in settings.listen.client_authorities:
        yield "listen.client_authorities", authority
    for issuer in settings.utfardare:
        yield f"utfardare {issuer.namn}", issuer.certifikat
    if settings.signering.certificate is not None:
        yield "signering.certificate", settings.signering.certificate
    for kod, service in settings.bastjanst:
        if isinstance(service, SoapBastjanst) and service.signering is not None:
            yield f"bastjanst.{kod}.signering.certificate", service.signering.certificate
            for path in service.signering.svar_certifikat:
                yield f"bastjanst.{kod}.signering.svar_certifikat", path
        if service is not None and service.certificate is not None:
            yield f"bastjanst.{kod}.certificate", service.certificate
        if service is not None and service.authority is not None:
            yield f"bastjanst.{kod}.authority", service.authority


def _first(path: Path) -> datetime | None:
    try:
        found: Iterable[x509.Certificate] = x509.load_pem_x509_certificates(path.read_bytes())
        return min(certificate.not_valid_after_utc for certificate in found)
    except (OSError, ValueError):
        # Who starts the gateway is told of a file that is missing; OpenSSL is less strict in reading one.
        return None
