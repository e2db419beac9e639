"""TLS contexts: mutual, TLS 1.2 or 1.3, trusting exactly the authorities that the configuration lists."""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.utils import CryptographyDeprecationWarning

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Forward secrecy and authenticated encryption only (RFC 9325, section 4.2). TLS 1.3 has its own fixed list.
# Level 2: no SHA-1, no RSA below 2048 bits, whatever the system's own default.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2"

# What a certificate may be signed with, for whoever judges one beside OpenSSL.
HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
# RFC 5280 section 4.1.2.2 forbids a serial number below 1; cryptography warns of it on standard error and reads on.
warnings.filterwarnings("error", "Parsed a serial number", CryptographyDeprecationWarning)
# What cryptography raises of certificates that nobody should have issued.
UNREADABLE = (
    CryptographyDeprecationWarning,
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


def server_context(certificate: Path, key: Path, client_authorities: Iterable[Path]) -> ssl.SSLContext:
    """For a listener. With authorities every client must show a certificate from one of them; with none, none is asked.

    Raises `OSError` (`ssl.SSLError` among them) where a file is missing or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    context.load_cert_chain(certificate, key)
    for authority in client_authorities:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
        # An issuing authority is trusted as such, whoever certified it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # A resumed session would outlive a revocation, so there is none in TLS 1.3. In 1.2 OpenSSL keeps them under an id,
    # which Python cannot turn off: who is asking is judged anew for each message (inbound/identity.py).
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context


def client_context(certificate: Path | None, key: Path | None, authority: Path) -> ssl.SSLContext:
    """For calls to one server: trusts `authority` alone, checks the host name, shows our certificate.

    Raises `OSError` where a file is missing or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    context.load_verify_locations(authority)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
