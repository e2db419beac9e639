"""`explain`."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from rich.console import Console
from rich.table import Table

from ssbtek_gateway import gateway, materials, xmlgate
from ssbtek_gateway.authorisation import Register
from ssbtek_gateway.cli.common import FAILED, USAGE, fail, printable
from ssbtek_gateway.cli.serve import ConfigFile, load
from ssbtek_gateway.config import Fk
from ssbtek_gateway.contracts import CONTRACTS, personidentitet, size
from ssbtek_gateway.faults import GatewayFault
from ssbtek_gateway.inbound import envelope
from ssbtek_gateway.inbound.identity import Identity
from ssbtek_gateway.model import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from ssbtek_gateway.authorisation import Grant
    from ssbtek_gateway.config import Settings
    from ssbtek_gateway.contracts.contract import Contract
    from ssbtek_gateway.model import Failure, Question, Refused
    from ssbtek_gateway.services.service import BaseService

    # What is looked at, and what was found.
    Step = tuple[str, str]

_QUESTION = "hamtaBastjanstInformation"


def explain(
    request: Annotated[Path, typer.Argument(help="A SOAP message, as a client sends it.", show_default=False)],
    config_file: ConfigFile,
    cert: Annotated[
        Path | None, typer.Option(help="The client's certificate, PEM. Without it the ingivare itself is taken to ask.")
    ] = None,
    charset: Annotated[str | None, typer.Option(help="The charset of the HTTP header Content-Type.")] = None,
) -> None:
    """Tell, without network, what the gateway would do with a message: who asks, each check, what would be called.

    What depends on the moment is left out: rates, load, and services that are left alone as they do not answer. So are
    signatures (WS-Security). The person is not shown.

    Exit codes: 0 it would be answered, 1 it would be refused, 2 a file cannot be used.

    Example: `ssbtek-gateway explain request.xml --config examples/development.toml --cert certs/dev/client.pem`
    """
    settings = load(config_file)
    try:
        message = request.read_bytes()
        certificate = x509.load_pem_x509_certificate(cert.read_bytes()) if cert else None
        answered = asyncio.run(_explain(settings, message, charset, certificate))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", USAGE)
    except ValueError:
        fail(f"{cert}: is no certificate in PEM", USAGE)
    except materials.SetupError as error:
        fail(f"{config_file}: {error}", USAGE)
    if not answered:
        raise typer.Exit(FAILED)


async def _explain(
    settings: Settings, message: bytes, charset: str | None, certificate: x509.Certificate | None
) -> bool:
    """Print every step; whether the last one was not a refusal."""
    table = Table("what", "found")
    services = gateway.connections(settings)
    try:
        for what, found in _steps(settings, services, message, charset, certificate):
            table.add_row(what, printable(found))
    except GatewayFault as fault:
        texts = (fault.fel.text, fault.detalj, fault.fel.gor)
        table.add_row("REFUSED", f"{fault.fel.felkod}: {' '.join(filter(None, texts))}\n({fault.reason})")
        return False
    else:
        return True
    finally:
        Console().print(table)
        for service in services.values():
            await service.close()


def _steps(
    settings: Settings,
    services: dict[str, BaseService],
    message: bytes,
    charset: str | None,
    certificate: x509.Certificate | None,
) -> Iterator[Step]:
    """In the order in which the gateway takes them. Raises `GatewayFault` where one refuses the whole."""
    caller = None
    if certificate is not None:
        caller = Identity(materials.issuers(settings)).caller(certificate.public_bytes(Encoding.DER))
        yield "certificate", f"organisation {caller.organisationsnummer}"
    try:
        element = envelope.operation(xmlgate.parse_caller(message, charset))
    except xmlgate.XmlError as error:
        raise GatewayFault("OGILTIGT_MEDDELANDE", error.regel, reason=error.reason) from None
    operation = etree.QName(element).localname
    yield "message", f"{len(message)} bytes, {operation}"
    contract = _contract(element)
    yield "version", contract.version
    materials.closing_of(settings).refuse(contract.version)
    contract.check_question(element)
    yield "schema", "valid"
    if operation != _QUESTION:
        Register(settings.organisation).admit(caller or Caller("", ""))
        yield "register", "may test"
        return
    size.check(element, settings.limits)
    question = contract.read_question(element)
    personidentitet.check(question.person, demand_check_digit=settings.regler.kontrollsiffra == "krav")
    yield "values", "within limits"
    ingivare = question.ingivare.organisationsnummer
    grant = Register(settings.organisation).authorise(caller or Caller(ingivare, ""), question)
    yield "register", f"ingivare {ingivare}" + (f" through {grant.bitrade}" if grant.bitrade else "")
    for kod in question.perioder:
        yield (
            kod,
            _section(settings, question, kod, _refused(grant, services, question, kod), connected=kod in services),
        )


def _contract(element: _Element) -> Contract:
    namespace = etree.QName(element).namespace
    for contract in CONTRACTS.values():
        if contract.namespace == namespace:
            return contract
    raise GatewayFault("OKAND_VERSION", reason="another version's namespace")


def _refused(grant: Grant, services: dict[str, BaseService], question: Question, kod: str) -> Failure | Refused | None:
    if kod in grant.refused or kod not in services:
        return grant.refused.get(kod)
    return services[kod].refusal(question)


def _section(
    settings: Settings, question: Question, kod: str, refused: Failure | Refused | None, *, connected: bool
) -> str:
    if refused is not None:
        return f"not asked. {refused.felkod}: {' '.join(refused.felmeddelande)}"
    configured = dict(settings.bastjanst)[kod]
    if not connected or configured is None:
        return "not asked. EJ_ANSLUTEN: no such base service in the configuration"
    period = question.perioder[kod]
    way = f" over {configured.transport.upper()}" if isinstance(configured, Fk) else ""
    return (
        f"would be asked at {configured.url}{way}, {period.from_datum} to {period.tom_datum}; at most "
        f"{configured.seconds:g} s, of them {configured.connect_seconds:g} s to connect; "
        f"{configured.samtidiga} questions at once"
    )
