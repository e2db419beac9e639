"""Organisation certificates over real TLS: who gets in, who is nobody, and what an open connection notices."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import ssl
import struct
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pki as made
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from external import need
from functional.test_processes import until
from functional.test_question import outcomes
from harness import configuration, running_agencies, serving
from vectors import make

from ssbtek_gateway import gateway as composition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness import Gateway

QUESTION = make.only("SO").encode()
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
REFUSED = (ssl.SSLError, OSError, http.client.BadStatusLine)


class Place(NamedTuple):
    """A gateway, the folder where its certificates and its callers' are, and who issued these."""

    gateway: Gateway
    folder: Path
    first: made.Authority
    rsa: made.Authority


def issuer(name: str, crl: str = "") -> str:
    return f"""
        [[utfardare]]
        namn = "{name}"
        certifikat = "{name}.pem"
        attribut = "serialNumber"
        monster = "16([0-9]{{10}})"
        policyer = ["{made.POLICY}"]
        {f'crl = "{crl}"' if crl else ""}
        """


def place(pki: Path, folder: Path, agencies: int, issuers: str, extra: str = "") -> Path:
    """A configuration in `folder` with these issuers, and beside it what the gateway itself needs."""
    for name in ("ca.pem", "server.pem", "server.key", "gateway.pem", "gateway.key", "audit.key", "audit-chain.key"):
        shutil.copy(pki / name, folder / name)
    path = configuration(folder, folder, agencies, extra, connected=["SO"])
    text = path.read_text(encoding="utf-8").replace(f'client_authorities = ["{folder}/ca.pem"]', "")
    # A busy machine is not what is tested here.
    text = text.replace("header_seconds = 1", "header_seconds = 20").replace("body_seconds = 1", "body_seconds = 20")
    path.write_text(text + issuers, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def callers(pki: Path, agencies: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A gateway that trusts two issuers; the first has a revocation list, which is looked at all the time."""
    folder = tmp_path_factory.mktemp("callers")
    first = made.Authority("first")
    second = made.Authority("rsa", rsa.generate_private_key(65537, 2048))
    for authority in (first, second):
        made.put(folder / f"{authority.name}.pem", authority.pem())
    made.put(folder / "first.crl", first.crl())
    first.leaf().write(folder, "good")
    path = place(pki, folder, agencies, issuer("first", "first.crl") + issuer("rsa"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "_REVOCATION_SECONDS", 0.05)
        with serving(folder, path) as running_one:
            yield Place(running_one, folder, first, second)


def client(folder: Path, who: str | None, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client that is as careless as OpenSSL lets it be."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if who is not None:
        context.load_cert_chain(folder / f"{who}.pem", folder / f"{who}.key")
    return context


@contextmanager
def connected(at: Gateway, context: ssl.SSLContext) -> Iterator[http.client.HTTPSConnection]:
    connection = http.client.HTTPSConnection("127.0.0.1", at.port, context=context, timeout=20)
    try:
        yield connection
    finally:
        connection.close()


def ask(
    connection: http.client.HTTPConnection, body: bytes = QUESTION, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    connection.request("POST", "/ssbt/10", body, {"Content-Type": "text/xml", **(headers or {})})
    response = connection.getresponse()
    return response.status, response.read()


def asked(at: Place, who: str | None, version: ssl.TLSVersion | None = None) -> tuple[int, bytes]:
    with connected(at.gateway, client(at.folder, who, version)) as connection:
        return ask(connection)


def nobody(answer: tuple[int, bytes]) -> bytes:
    """What who is refused is told, apart from the incident's id."""
    status, body = answer
    assert (status, b">EJ_BEHORIG<" in body) == (500, True)
    return re.sub(rb"[0-9a-f]{16}", b"", body)


def well(at: Place) -> None:
    assert asked(at, "good")[0] == 200


def bad(at: Place) -> dict[str, made.Leaf]:
    """Certificates that TLS must not take, each with a valid organisation number and policy."""
    first = at.first
    sound = first.leaf()
    upper = made.Authority("upper").under(first)  # the trusted one may have no authority below it
    as_authority = made.Authority("Test", sound.key, above=(sound.certificate,))
    filler = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.2.752.999.8"), b"\x04\x83\x03\x0d\x40" + bytes(200_000)
    )
    return {
        "another authority": made.Authority("another").leaf(),
        "namesake": made.Authority("first").leaf(),
        "self-signed": made.Authority("Test").leaf(),
        "expired": first.leaf(days=(-30, -1)),
        "not yet valid": first.leaf(days=(1, 30)),
        "for servers": first.leaf(usages=[made.SERVER]),
        "for mail": first.leaf(usages=[made.MAIL]),
        "unknown critical extension": first.leaf(extension=made.UNKNOWN_CRITICAL, critical=True),
        "by a leaf": as_authority.leaf(),
        "path too long": upper.leaf(),
        "RSA-1024": first.leaf(key=rsa.generate_private_key(65537, 1024)),  # noqa: S505 - the flaw
        "SHA-1": at.rsa.sha1_leaf(),
        "200 kB": first.leaf(extension=filler),
    }


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_what_tls_does_not_take(callers: Place, version: ssl.TLSVersion) -> None:
    for name, leaf in [(None, None), *bad(callers).items()]:
        if leaf is not None:
            leaf.write(callers.folder, "bad")
        with pytest.raises(REFUSED):
            pytest.fail(f"{name}: {asked(callers, 'bad' if leaf else None, version)[0]}")
    well(callers)


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("kind", ["P-256", "RSA-2048", "by an authority with RSA"])
def test_whom_tls_takes(callers: Place, kind: str, version: ssl.TLSVersion) -> None:
    authority = callers.rsa if kind.startswith("by") else callers.first
    key = rsa.generate_private_key(65537, 2048) if kind == "RSA-2048" else None
    authority.leaf(key=key).write(callers.folder, "sound")
    assert asked(callers, "sound", version)[0] == 200


def hello(suites: list[int], version: int = 0x0303) -> bytes:
    """A ClientHello of TLS 1.2 or earlier (RFC 5246 section 7.4.1.2) that offers these suites and P-256."""
    extensions = bytes.fromhex("000a0004 00020017 000b0002 0100 000d000a 0008 0403 0401 0201 0203")
    listed = b"".join(struct.pack(">H", suite) for suite in suites)
    body = struct.pack(">H", version) + bytes(32) + b"\0" + struct.pack(">H", len(listed)) + listed + b"\1\0"
    body += struct.pack(">H", len(extensions)) + extensions
    message = b"\1" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def raw(at: Gateway, sent: bytes) -> bytes:
    """The first byte that is answered, none where the connection is closed."""
    with socket.create_connection(("127.0.0.1", at.port), timeout=20) as plain:
        plain.sendall(sent)
        try:
            return plain.recv(1)
        except ConnectionResetError:
            return b""


ECDHE_ECDSA_AES128_GCM, ECDHE_ECDSA_AES128_SHA = 0xC02B, 0xC009
HANDSHAKE, ALERT = b"\x16", b"\x15"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(hello([0x0001, 0x0002, 0x003B, 0xC006]), id="NULL"),
        pytest.param(hello([0x0034, 0x006C, 0xC018]), id="anonymous"),
        pytest.param(hello([0x0003, 0x0006, 0x0008]), id="export"),
        pytest.param(hello([0x000A, 0xC008, 0xC012]), id="3DES"),
        pytest.param(hello([0x0004, 0x0005, 0xC007, 0xC011]), id="RC4"),
        pytest.param(hello([0x002F, 0x0035, 0x009C, 0x009D]), id="RSA key exchange"),
        pytest.param(hello([ECDHE_ECDSA_AES128_SHA, 0xC00A, 0xC023, 0xC024]), id="CBC"),
        pytest.param(hello([ECDHE_ECDSA_AES128_SHA], 0x0302), id="TLS 1.1"),
        pytest.param(hello([ECDHE_ECDSA_AES128_SHA], 0x0301), id="TLS 1.0"),
        pytest.param(hello([ECDHE_ECDSA_AES128_SHA], 0x0300), id="SSL 3"),
        pytest.param(b"\x80\x1f\1\0\2\0\6\0\0\0\x10\1\0\x80\7\0\xc0" + bytes(16), id="SSL 2"),
        pytest.param(b"POST /ssbt/10 HTTP/1.1\r\nHost: x\r\n\r\n", id="plain HTTP"),
        pytest.param(b"\xff" * 5000, id="garbage"),
    ],
)
def test_what_is_not_our_kind_of_tls(callers: Place, sent: bytes) -> None:
    assert raw(callers.gateway, hello([ECDHE_ECDSA_AES128_GCM])) == HANDSHAKE
    assert raw(callers.gateway, sent) in {b"", ALERT}
    well(callers)


@pytest.mark.external
def test_nobody_renegotiates(callers: Place) -> None:
    files = [f"{callers.folder}/{name}" for name in ("ca.pem", "good.pem", "good.key")]
    program = need("openssl", "openssl")
    at = f"127.0.0.1:{callers.gateway.port}"
    options = ("-tls1_2", "-CAfile", files[0], "-cert", files[1], "-key", files[2], "-connect", at)
    # A line with R alone asks for it.
    done = subprocess.run([program, "s_client", *options], input=b"R\n", capture_output=True, timeout=20, check=False)
    assert b"RENEGOTIATING" in done.stdout + done.stderr
    assert b"no renegotiation" in done.stderr
    well(callers)


def test_a_session_that_is_resumed_is_asked_anew(callers: Place) -> None:
    """TLS 1.3 has none to resume. That of 1.2 lives in the worker, and Python cannot turn it off."""
    with connected(callers.gateway, client(callers.folder, "good", TLS_1_3)) as connection:
        assert ask(connection)[0] == 200
        session = connection.sock.session
        assert session is None or not session.has_ticket
    leaf = callers.first.leaf().write(callers.folder, "resumed")
    context = client(callers.folder, "resumed", TLS_1_2)
    with connected(callers.gateway, context) as full, connected(callers.gateway, context) as resumed:
        assert ask(full)[0] == 200
        made.put(callers.folder / "first.crl", callers.first.crl(leaf))
        until(lambda: ask(full)[0] == 500)
        plain = socket.create_connection(("127.0.0.1", callers.gateway.port), timeout=20)
        resumed.sock = context.wrap_socket(plain, server_hostname="127.0.0.1", session=full.sock.session)
        assert resumed.sock.session_reused
        assert nobody(ask(resumed))


def test_who_is_nobody_hears_one_text_whatever_the_reason(callers: Place) -> None:
    revoked = callers.first.leaf().write(callers.folder, "revoked")
    made.put(callers.folder / "first.crl", callers.first.crl(revoked))
    until(lambda: asked(callers, "revoked")[0] == 500)
    others = {
        "policy": callers.first.leaf(policies=[made.OTHER_POLICY]),
        "no policy": callers.first.leaf(policies=[]),
        "no usage": callers.first.leaf(usages=[]),
        "no number": callers.first.leaf(None),
        "employee": callers.first.leaf("162021004748stbj1006"),
        "stranger": callers.first.leaf("162120000142"),
    }
    told = {nobody(asked(callers, "revoked"))}
    for leaf in others.values():
        leaf.write(callers.folder, "other")
        told.add(nobody(asked(callers, "other")))
    assert len(told) == 1
    well(callers)


def test_an_open_connection_notices_a_revocation_and_a_list_that_is_too_old(
    callers: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    lists, first = callers.folder / "first.crl", callers.first
    leaf = first.leaf().write(callers.folder, "kept")
    with connected(callers.gateway, client(callers.folder, "kept")) as connection:
        assert ask(connection)[0] == 200
        made.put(lists, first.crl(leaf))
        until(lambda: ask(connection)[0] == 500)
        # Half of a list, and one by a namesake: the one before still counts.
        for broken, told in (
            (first.crl()[:-100], "is no certificate revocation list"),
            (made.Authority("first").crl(), "is not a list of this issuer"),
        ):
            made.put(lists, broken)
            logged = ""
            while told not in logged:
                logged += capfd.readouterr().err
            assert nobody(ask(connection))
        made.put(lists, first.crl(seconds=2))
        until(lambda: ask(connection)[0] == 200)
        until(lambda: ask(connection)[0] == 500)  # its time has passed
        with connected(callers.gateway, client(callers.folder, "good")) as other:
            assert nobody(ask(other))
        made.put(lists, first.crl())
        until(lambda: ask(connection)[0] == 200)


def test_headers_about_certificates_are_never_read_where_tls_is_ours(callers: Place) -> None:
    callers.first.leaf("162120009994").write(callers.folder, "neighbour")
    claim = "".join((callers.folder / "good.pem").read_text().split("\n"))
    headers = dict.fromkeys(("X-SSL-Client-Cert", "Client-Cert", "X_SSL_Client_Cert", "X-Forwarded-For"), claim)
    with connected(callers.gateway, client(callers.folder, "neighbour")) as connection:
        assert nobody(ask(connection, headers=headers))


@pytest.mark.parametrize("flaw", ["sound", "host name", "expired", "namesake", "for clients"])
def test_an_agency_that_is_not_whom_we_trust_costs_its_own_section(pki: Path, tmp_path: Path, flaw: str) -> None:
    (tmp_path / "agency").mkdir()
    authority = made.Authority("agencies")
    made.put(tmp_path / "issuer.pem", authority.pem())
    shutil.copy(pki / "ca.pem", tmp_path / "agency")
    signer = made.Authority("agencies") if flaw == "namesake" else authority
    signer.leaf(
        None,
        usages=[made.CLIENT if flaw == "for clients" else made.SERVER],
        names=["elsewhere.example"] if flaw == "host name" else ["localhost"],
        days=(-30, -1) if flaw == "expired" else (0, 30),
    ).write(tmp_path / "agency", "agency")
    with running_agencies(tmp_path / "agency") as port:
        path = configuration(pki, tmp_path, port, connected=["SO"])
        text = path.read_text(encoding="utf-8").replace(f'authority = "{pki}/ca.pem"', 'authority = "issuer.pem"')
        path.write_text(text, encoding="utf-8")
        with serving(pki, path) as gateway:
            assert outcomes(gateway.ask(["SO"])) == {"SO": "DATA" if flaw == "sound" else "SSBT TLS"}
