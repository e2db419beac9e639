"""What of a message must be signed, and what its signature says it covers: shape only, nothing is computed yet.

Every element is chosen by its place and must have the one shape that we ask for; a message of another shape is refused,
whatever it may mean. The attacks on signed XML live in what a verifier is willing to go and look for
(docs/decisions/0013).
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

from ssbtek_gateway.wssecurity.names import (
    BASE64,
    BODY,
    DIGESTS,
    DS,
    EXC_C14N,
    HEADER,
    ID,
    SECURITY,
    SIGNATURE,
    SIGNATURES,
    SOAP,
    TIMESTAMP,
    TOKEN,
    WSSE,
    X509V3,
    SecurityError,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from lxml.etree import _Element

_STR, _REFERENCE = f"{{{WSSE}}}SecurityTokenReference", f"{{{WSSE}}}Reference"
_INCLUSIVE = f"{{{EXC_C14N}}}InclusiveNamespaces"
_NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
# A header as we ask for it has some 30 elements, and its longest text is a certificate of some 3 kB.
_MOST_ELEMENTS = 40
_LONGEST_TEXT = 16_384
_MOST_PREFIXES = 30
# Canonicalisation sorts them by insertion.
_CROWDED = etree.XPath("boolean(//*[count(@*) > 50])")
# It becomes part of an expression in xmlsec.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}", re.ASCII)
# Whatever some library takes for an Id.
_IDS = etree.XPath("//@*[translate(local-name(), 'ID', 'id') = 'id']", smart_strings=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """An element that must be signed, and what the signature says of it."""

    element: _Element = field(repr=False)
    prefixes: list[str]
    """What exclusive canonicalisation is told to keep (PrefixList)."""
    hash: str
    """hashlib's name for the digest's algorithm."""
    digest: bytes


@dataclass(frozen=True, slots=True)
class Selected:
    """The parts of a signed message, each the only one of its kind and in its place."""

    body: Reference
    timestamp: Reference
    signature: _Element = field(repr=False)
    signed_info: _Element = field(repr=False)
    prefixes: list[str]
    """Those of `signed_info`."""
    algorithm: str
    certificate: bytes = field(repr=False)
    """What the token holds: a certificate in DER, if it is what it says."""


def for_us(envelope: _Element) -> list[_Element]:
    """The Security header blocks that are for this node. The standard allows one."""
    blocks = envelope.findall(f"{HEADER}/{SECURITY}")
    return [block for block in blocks if block.get(f"{{{SOAP}}}actor", _NEXT).strip() in {_NEXT, ""}]


def select(envelope: _Element) -> Selected:
    """The parts of a SOAP 1.1 envelope. Raises `SecurityError`."""
    headers = for_us(envelope)
    if [child.tag for child in envelope.iterchildren(etree.Element)] != [HEADER, BODY] or len(headers) != 1:
        raise SecurityError("InvalidSecurity", "not one Security header in one Header before one Body")
    if _CROWDED(envelope):
        raise SecurityError("InvalidSecurity", "too many attributes on an element")
    timestamp, token, signature = _parts(headers[0])
    signed_info, value, key_info = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    canonical, method, *references = _children(
        signed_info, "CanonicalizationMethod", "SignatureMethod", *["Reference"] * (len(signed_info) - 2)
    )
    said = {reference.get("URI"): reference for reference in references}
    (body,) = envelope.iterchildren(BODY)
    names = _ids(envelope, body, timestamp, token)
    if len(references) != 2 or said.keys() != {f"#{name}" for name in names[:2]}:  # noqa: PLR2004 - those two
        raise SecurityError("InvalidSecurity", "not exactly the Body and the Timestamp are signed")
    _check_key_info(key_info, names[2])
    base64(value)
    return Selected(
        _reference(body, said[f"#{names[0]}"]),
        _reference(timestamp, said[f"#{names[1]}"]),
        signature,
        signed_info,
        _prefixes(canonical),
        _algorithm(method, SIGNATURES),
        _certificate(token),
    )


def base64(element: _Element) -> bytes:
    """The bytes that an element's text stands for. Raises `SecurityError`."""
    text = element.text or ""
    try:
        if len(element) == 0 and len(text) <= _LONGEST_TEXT:
            return b64decode("".join(text.split()), validate=True)
    except ValueError:
        pass
    raise SecurityError("InvalidSecurity", "a value that is not base64, or too long")


def _parts(header: _Element) -> tuple[_Element, _Element, _Element]:
    """Timestamp, token and Signature, in whichever order they stand."""
    if len(list(islice(header.iter(), _MOST_ELEMENTS + 1))) > _MOST_ELEMENTS:
        raise SecurityError("InvalidSecurity", "too many elements in the Security header")
    parts = {child.tag: child for child in header}
    if parts.keys() - {TIMESTAMP, TOKEN, SIGNATURE}:
        raise SecurityError(
            "UnsupportedSecurityToken", "something else than Timestamp, token and Signature in the Security header"
        )
    if not len(header) == len(parts) == 3:  # noqa: PLR2004 - those three
        raise SecurityError("InvalidSecurity", "not one Timestamp, one token and one Signature in the Security header")
    return parts[TIMESTAMP], parts[TOKEN], parts[SIGNATURE]


def _children(parent: _Element, *names: str) -> list[_Element]:
    """The children of an element of a signature, which must be these and no others."""
    children = list(parent)
    if [child.tag for child in children] != [f"{{{DS}}}{name}" for name in names]:
        raise SecurityError("InvalidSecurity", "a Signature of another shape than ours")
    return children


def _ids(envelope: _Element, *elements: _Element) -> list[str]:
    """Each one's wsu:Id, for which no other attribute of the document can be taken, whatever it is called by."""
    there = _IDS(envelope)
    names = [element.get(ID, "") for element in elements]
    if not all(_NAME.fullmatch(name) and there.count(name) == 1 for name in names):
        raise SecurityError("InvalidSecurity", "a wsu:Id that is missing, odd or not unique")
    return names


def _check_key_info(key_info: _Element, token: str) -> None:
    """It says that the key is in the token `token`, and no other way to a key is gone."""
    shape = [element.tag for element in key_info.iter()][1:]
    reference = key_info.find(f"{_STR}/{_REFERENCE}")
    if (
        shape != [_STR, _REFERENCE]
        or reference is None
        or (reference.get("URI"), reference.get("ValueType", X509V3)) != (f"#{token}", X509V3)
    ):
        raise SecurityError("SecurityTokenUnavailable", "KeyInfo does not refer to the token beside it")


def _certificate(token: _Element) -> bytes:
    if (token.get("ValueType"), token.get("EncodingType", BASE64)) != (X509V3, BASE64):
        raise SecurityError("UnsupportedSecurityToken", "the token is not an X.509 certificate in base64")
    return base64(token)


def _reference(element: _Element, reference: _Element) -> Reference:
    transforms, method, value = _children(reference, "Transforms", "DigestMethod", "DigestValue")
    (transform,) = _children(transforms, "Transform")
    return Reference(element, _prefixes(transform), DIGESTS[_algorithm(method, DIGESTS)], base64(value))


def _prefixes(method: _Element) -> list[str]:
    """The PrefixList of an exclusive canonicalisation, which is the only one there is. WSS4J writes one."""
    if method.get("Algorithm") != EXC_C14N or [child.tag for child in method] not in ([], [_INCLUSIVE]):
        raise SecurityError("UnsupportedAlgorithm", "a transform other than exclusive canonicalisation")
    prefixes = method[0].get("PrefixList", "").split() if len(method) else []
    named = all(prefix == "#default" or _NAME.fullmatch(prefix) for prefix in prefixes)
    if len(prefixes) > _MOST_PREFIXES or not named:
        raise SecurityError("UnsupportedAlgorithm", "a PrefixList that is odd or too long")
    return prefixes


def _algorithm(method: _Element, allowed: Collection[str]) -> str:
    """Its identifier; it takes no parameters, HMAC's shortened output among them."""
    identifier = method.get("Algorithm", "")
    if identifier not in allowed or len(method):
        raise SecurityError("UnsupportedAlgorithm", "an algorithm that is not allowed")
    return identifier
