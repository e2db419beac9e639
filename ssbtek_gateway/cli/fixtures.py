"""`fixtures import-soapui` and `fixtures export-soapui`."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

from ssbtek_gateway import client, resources, xmlgate
from ssbtek_gateway.cli import options
from ssbtek_gateway.cli.common import FAILED, USAGE, fail, printable
from ssbtek_gateway.config import KODER
from ssbtek_gateway.inbound.documents import published
from ssbtek_gateway.replay.fixtures import REQUEST
from ssbtek_gateway.simulator import personas
from ssbtek_gateway.soapui import read, write

if TYPE_CHECKING:
    from ssbtek_gateway.contracts.contract import Contract

app = typer.Typer(help="Fixture folders from and for other tools.", no_args_is_help=True)

_UNSAFE = re.compile(r"[^\w.+-]+")
# Of the keystores beside an exported project, which says it too: they are certificates of development.
_PASSWORD = "ssbtek"  # noqa: S105 - no secret
_BINDING = "{http://schemas.xmlsoap.org/wsdl/}binding"


@app.command("import-soapui")
def import_soapui(
    project: Annotated[Path, typer.Argument(help="A SoapUI project: one file, not encrypted.", show_default=False)],
    out: Annotated[Path, typer.Option(help="The folder to write to.", show_default=False)],
) -> None:
    """Make a NAME.request.xml of each SOAP request in a SoapUI project, and list the endpoints that they went to.

    Requests stand in INTERFACE/OPERATION/ and SUITE/CASE/. `${#Project#x}`, `${#TestSuite#x}` and `${#TestCase#x}` are
    expanded; a request with anything else to expand is left out and told. Nothing is overwritten. Answers come by
    `replay OUT --update`.

    Exit codes: 0 all written, 1 some were left out, 2 the project cannot be read or a file is there already.

    Example: `ssbtek-gateway fixtures import-soapui project.xml --out fixtures`
    """
    try:
        requests = read.requests(project.read_bytes())
    except read.ProjectError as error:
        fail(f"{project}: {error}", USAGE)
    except OSError as error:
        fail(f"{project}: {error.strerror}", USAGE)
    wanted = [request for request in requests if not request.left]
    try:
        for name, request in _named(wanted):
            path = out / f"{name}{REQUEST}"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="") as stream:
                stream.write(request.content)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", USAGE)
    typer.echo(f"{len(wanted)} requests in {out}")
    for endpoint, count in sorted(Counter(request.endpoint for request in wanted).items()):
        typer.echo(f"  {count:5}  {printable(endpoint) or '(no endpoint)'}")
    for request in requests:
        if request.left:
            where = printable(" / ".join(request.place))
            typer.echo(f"left out: {where}: cannot expand {printable(', '.join(request.left))}", err=True)
    if len(wanted) < len(requests):
        raise typer.Exit(FAILED)


@app.command("export-soapui")
def export_soapui(
    out: Annotated[Path, typer.Option(help="The project file to write; keystores are put beside it.")],
    contract: options.Contract = "11",
    url: Annotated[list[str] | None, typer.Option(help="An endpoint. Repeat for several.")] = None,
    cert_set: Annotated[
        list[str] | None, typer.Option(help="NAME of NAME.pem and NAME.key in `--pki`. Repeat for several.")
    ] = None,
    pki: Annotated[Path, typer.Option(help="A folder such as `dev-pki` makes.")] = Path("certs/dev"),
    people: Annotated[
        Path, typer.Option("--personas", help="A folder of personas, instead of ours.")
    ] = personas.FOLDER,
) -> None:
    """Write a SoapUI project with a request per persona, endpoint and certificate set, and the WSDL in it.

    Each certificate set becomes NAME.p12 beside the project, with a password that stands in the project: use
    certificates of development and test only. Questions are about the last two months, counted from today.

    Exit codes: 0 written, 2 a version, persona or certificate cannot be used, or a file is there already.

    Example: `ssbtek-gateway fixtures export-soapui --contract 11 --out project.xml --cert-set client`
    """
    version = options.version(contract)
    endpoints = url or [options.address(None, contract)]
    sets = cert_set or ["client"]
    try:
        known = personas.load(people)
        files = {out.with_name(f"{name}.p12"): _keystore(name, pki) for name in sets}
        files[out] = _project(version, known, endpoints, sets)
        for path, content in files.items():
            _put(path, content)
    except personas.PersonaError as error:
        fail(str(error), USAGE)
    except (OSError, ValueError) as error:
        fail(f"{getattr(error, 'filename', None) or pki}: {getattr(error, 'strerror', None) or 'unusable'}", USAGE)
    typer.echo(f"{out}: {len(known) * len(endpoints) * len(sets)} requests")


def _named(requests: list[read.Request]) -> list[tuple[str, read.Request]]:
    """Each request with a path that is safe and its own: where it stands, with a number where two stand there."""
    seen = Counter[str]()
    named = []
    for request in requests:
        name = "/".join(_UNSAFE.sub("-", part).strip(".-") or "request" for part in request.place)
        seen[name.casefold()] += 1
        number = seen[name.casefold()]
        named.append((f"{name}-{number}" if number > 1 else name, request))
    return named


def _project(contract: Contract, known: dict[str, personas.Persona], endpoints: list[str], sets: list[str]) -> bytes:
    wsdl = resources.wsdl(contract.wsdl)
    (binding,) = xmlgate.parse_own(wsdl.read_bytes()).iterchildren(_BINDING)
    given_out = published([contract], "https://127.0.0.1:8443")
    service = write.Service(
        contract.namespace,
        binding.get("name", ""),
        "hamtaBastjanstInformation",
        write.documents(given_out, endpoints[0], contract.path),
    )
    questions = {
        alias: client.written(wsdl, persona.person, client.last_months(), client.TEST_ASKER, KODER)
        for alias, persona in known.items()
    }
    keystores = [write.Keystore(name, f"{name}.p12", _PASSWORD) for name in sets]
    return write.project(f"SSBTEK {contract.version}", service, questions, endpoints, keystores)


def _keystore(name: str, pki: Path) -> bytes:
    certificate = x509.load_pem_x509_certificate((pki / f"{name}.pem").read_bytes())
    key = load_pem_private_key((pki / f"{name}.key").read_bytes(), None)
    encryption = BestAvailableEncryption(_PASSWORD.encode())
    return pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, None, encryption)  # type: ignore[arg-type]


def _put(path: Path, content: bytes) -> None:
    # A key: for its owner alone from the beginning.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
