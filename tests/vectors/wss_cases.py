"""Messages signed by WS-Security, such as a sound, an attacking or a careless sender makes, with what each must end in.

`sound` and `flawed` make them with a signer and a time that the test chooses. What is forged names another person than
what was signed.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta

from lxml import etree
from vectors.make import PERSON
from vectors.wss import (
    BASE64,
    BODY,
    DS,
    EXC,
    EXCLUSIVE,
    FORGED,
    INCLUSIVE,
    MORE,
    OTHER,
    WSU,
    X509,
    XENC,
    Draft,
    digest,
    reference,
    stamp,
    to_token,
)


@dataclass(frozen=True)
class Flaw:
    """A message and the fault code, local name, that it must end in."""

    text: str
    code: str


def sound(draft: Draft) -> dict[str, str]:
    """Messages that must be believed, by what is particular about them."""
    prefixes = '<ec:InclusiveNamespaces PrefixList="soapenv ssbt #default"/>'
    listed = f'<ds:Transform Algorithm="{EXC}">{prefixes}</ds:Transform>'
    token = Draft.token.replace(f' EncodingType="{BASE64}"', "")
    return {
        "as-we-sign": draft.sealed(),
        "body-first": draft.but(references=(reference("#body"), reference("#time"))).sealed(),
        "signature-first": draft.but(order="{signature}{token}{timestamp}").sealed(),
        "default-encoding-of-the-token": draft.but(token=token).sealed(),
        "prefixes-listed": draft.but(
            references=(reference("#time", listed), reference("#body", listed)),
            canonicalisation=f'<ds:CanonicalizationMethod Algorithm="{EXC}">{prefixes}</ds:CanonicalizationMethod>',
        ).sealed(),
        "no-prefixes-listed": draft.but(
            references=(reference("#time"), reference("#body", listed.replace("soapenv ssbt #default", "")))
        ).sealed(),
        "sha-384-digest": draft.but(references=_digested(f"{MORE}sha384")).sealed(),
        "sha-512-digest": draft.but(references=_digested(f"{XENC}sha512")).sealed(),
        "another-hash": draft.but(method=draft.algorithm.replace("256", "384")).sealed(),
        "fractions-of-seconds": draft.but(
            created=stamp(draft.now).replace("Z", ".123456789Z"), expires=stamp(draft.now).replace("Z", ".9Z")
        )
        .but(expires=stamp(draft.now + timedelta(minutes=5)).replace("Z", ".9Z"))
        .sealed(),
        "clock-ahead": draft.but(
            created=stamp(draft.now + timedelta(seconds=59)), expires=stamp(draft.now + timedelta(seconds=300))
        ).sealed(),
        "for-the-next-node": draft.but(actor=' soapenv:actor="http://schemas.xmlsoap.org/soap/actor/next"').sealed(),
        "security-for-somebody-else-too": draft.but(
            header='<wsse:Security soapenv:actor="urn:b" soapenv:mustUnderstand="1"><wsu:Timestamp/></wsse:Security>'
        ).sealed(),
        "a-header-that-is-not-signed": draft.but(header='<x:block xmlns:x="urn:x"/>').sealed(),
    }


def _digested(method: str) -> tuple[str, ...]:
    return reference("#time", digest=method), reference("#body", digest=method)


def flawed(draft: Draft) -> dict[str, Flaw]:
    """Messages that must not be believed, by their flaw."""
    texts = {
        **wrapped(draft),
        **_unsigned(draft),
        **_algorithms(draft),
        **_keys(draft),
        **_times(draft),
        **_load(draft),
    }
    return {name: Flaw(text, code) for name, (text, code) in texts.items()}


_Texts = dict[str, tuple[str, str]]


def wrapped(draft: Draft) -> _Texts:
    """What was signed is still there and verifies, and something else stands where it is read."""
    text, shape = draft.sealed(), "InvalidSecurity"
    forged = FORGED.replace('"body"', '"forged"')
    block = '<x:block xmlns:x="urn:x">{}</x:block>'
    signature = re.search("<ds:Signature>.*</ds:Signature>", text, re.DOTALL)[0]  # type: ignore[index]
    timestamp = re.search("<wsu:Timestamp.*</wsu:Timestamp>", text)[0]  # type: ignore[index]
    fresh = timestamp.replace('"time"', '"fresh"')
    envelope = text.removesuffix("</soapenv:Envelope>")
    return {
        "xsw-in-security": (
            text.replace("</wsse:Security>", f"{block.format(BODY)}</wsse:Security>").replace(
                f"</soapenv:Header>{BODY}", f"</soapenv:Header>{forged}"
            ),
            shape,
        ),
        "xsw-in-header": (_moved(text, block.format(BODY), forged), shape),
        "xsw-in-header-without-id": (_moved(text, block.format(BODY), forged.replace(' wsu:Id="forged"', "")), shape),
        "xsw-same-id": (_moved(text, block.format(BODY), FORGED), shape),
        "xsw-two-bodies-forged-first": (text.replace(BODY, forged + BODY), shape),
        "xsw-two-bodies-forged-last": (text.replace(BODY, BODY + forged), shape),
        "xsw-nested": (text.replace(BODY, forged.replace("</soapenv:Body>", f"{BODY}</soapenv:Body>")), shape),
        "xsw-nested-same-id": (text.replace(BODY, FORGED.replace("</soapenv:Body>", f"{BODY}</soapenv:Body>")), shape),
        "xsw-in-object": (
            text.replace(BODY, forged).replace("</ds:Signature>", f"<ds:Object>{BODY}</ds:Object></ds:Signature>"),
            shape,
        ),
        "xsw-unqualified-id": (_moved(text, block.format(BODY), FORGED.replace("wsu:Id", "Id")), shape),
        "xsw-xml-id": (_moved(text, block.format(BODY), FORGED.replace("wsu:Id", "xml:id")), shape),
        "xsw-both-ids": (
            _moved(text, block.format(BODY.replace("wsu:Id", "Id")), FORGED.replace("wsu:Id", 'ID="body" wsu:Id')),
            shape,
        ),
        "xsw-after-body": (text.replace(BODY, forged + block.format(BODY)), shape),
        "xsw-old-envelope-in-header": (_moved(text, block.format(text), forged), shape),
        "xsw-old-envelope-in-body": (
            f"{envelope.replace(BODY, forged.replace('<ssbt:hamta', text + '<ssbt:hamta', 1))}</soapenv:Envelope>",
            shape,
        ),
        "timestamp-wrapped": (
            text.replace(timestamp, fresh).replace("<soapenv:Header>", f"<soapenv:Header>{block.format(timestamp)}"),
            shape,
        ),
        "timestamp-wrapped-same-id": (
            text.replace("<soapenv:Header>", f"<soapenv:Header>{block.format(timestamp)}"),
            shape,
        ),
        "two-signatures": (text.replace(signature, signature * 2), shape),
        "two-signatures-the-second-forged": (
            text.replace(signature, signature + signature.replace("<ds:SignatureValue>", "<ds:SignatureValue>AAAA")),
            shape,
        ),
        "signature-in-header": (
            text.replace(signature, "").replace("</soapenv:Header>", f"{signature}</soapenv:Header>"),
            shape,
        ),
        "token-in-header": (
            re.sub("(<wsse:Security .*)(<wsse:Bin.*Token>)", r"\2\1", text),
            shape,
        ),
        "two-security-headers": (re.sub("(<wsse:Security.*</wsse:Security>)", r"\1\1", text), shape),
        "two-security-headers-one-empty": (
            text.replace("</soapenv:Header>", "<wsse:Security/></soapenv:Header>"),
            shape,
        ),
        "two-headers": (text.replace("<soapenv:Header>", "<soapenv:Header/><soapenv:Header>"), shape),
        "security-in-body": (
            re.sub("(<soapenv:Header>)(<wsse:Security.*)(</soapenv:Header><soapenv:Body[^>]*>)", r"\1\3\2", text),
            shape,
        ),
    }


def _moved(text: str, wrapper: str, forged: str) -> str:
    """The signed Body in a header block, and another in its place."""
    return text.replace(BODY, forged).replace("</soapenv:Header>", f"{wrapper}</soapenv:Header>")


def _unsigned(draft: Draft) -> _Texts:
    """Something that must be signed is not, or is not what was signed."""
    text, shape, check = draft.sealed(), "InvalidSecurity", "FailedCheck"
    block = '<x:block xmlns:x="urn:x" wsu:Id="block"/>'
    value = re.search("(?<=<ds:SignatureValue>).*?(?=</)", text)[0]  # type: ignore[index]
    digest = re.search("(?<=<ds:DigestValue>).*?(?=</)", text)[0]  # type: ignore[index]
    late = stamp(draft.now + timedelta(minutes=4))
    return {
        "no-security": (re.sub("<wsse:Security.*</wsse:Security>", "", text), shape),
        "no-header": (re.sub("<soapenv:Header>.*</soapenv:Header>", "", text), shape),
        "signature-stripped": (re.sub("<ds:Signature>.*</ds:Signature>", "", text), shape),
        "only-a-timestamp": (draft.but(order="{timestamp}").text, shape),
        "empty-security": (draft.but(order="").text, shape),
        "body-not-signed": (draft.but(references=(reference("#time"),)).sealed(), shape),
        "timestamp-not-signed": (draft.but(references=(reference("#body"),)).sealed(), shape),
        "only-another-header-signed": (
            draft.but(references=(reference("#time"), reference("#block")), header=block).sealed(),
            shape,
        ),
        "another-header-signed-too": (
            draft.but(references=(*Draft.references, reference("#block")), header=block).sealed(),
            shape,
        ),
        "token-signed-too": (draft.but(references=(*Draft.references, reference("#token"))).sealed(), shape),
        "body-signed-twice": (draft.but(references=(reference("#body"), reference("#body"))).sealed(), shape),
        "body-signed-once-more": (draft.but(references=(*Draft.references, reference("#body"))).sealed(), shape),
        "operation-signed-instead-of-body": (
            draft.but(
                references=(reference("#time"), reference("#operation")),
                body=BODY.replace("Information>", 'Information wsu:Id="operation">', 1),
            ).sealed(),
            shape,
        ),
        "no-reference": (draft.but(references=()).sealed(), shape),
        "reference-to-the-whole-document": (draft.but(references=(reference("#time"), reference(""))).sealed(), shape),
        "reference-to-nothing": (draft.but(references=(reference("#time"), reference("#nobody"))).sealed(), shape),
        "reference-without-uri": (
            draft.but(references=(reference("#time"), reference("").replace(' URI=""', ""))).sealed(),
            shape,
        ),
        "reference-by-expression": (
            draft.but(references=(reference("#time"), reference("#xpointer(id('body'))"))).sealed(),
            shape,
        ),
        "reference-outside": (
            draft.but(references=(reference("#time"), reference("https://192.0.2.1/body"))).sealed(),
            shape,
        ),
        "expression-as-id": (
            draft.but(
                references=(reference("#time"), reference("#body') or id('time")),
                body=BODY.replace('"body"', "\"body') or id('time\""),
            ).sealed(),
            shape,
        ),
        "no-id": (draft.but(body=BODY.replace(' wsu:Id="body"', "")).sealed(), shape),
        "body-changed": (text.replace(PERSON, OTHER), check),
        "timestamp-changed": (text.replace(stamp(draft.now + timedelta(minutes=5)), late), check),
        "digest-changed": (text.replace(digest, b64encode(bytes(32)).decode()), check),
        "digest-and-body-changed": (_rehashed(text), check),
        "value-changed": (text.replace(value, b64encode(bytes(len(value) * 3 // 4)).decode()), check),
        "value-empty": (text.replace(value, ""), check),
        "value-not-base64": (text.replace(value, "@"), shape),
        "value-split": (text.replace(value, f"{value[:20]}<x/>{value[20:]}"), shape),
        "signed-info-changed": (text.replace(f"{XENC}sha256", f"{XENC}sha512", 1), check),
        "body-replaced-by-encrypted": (
            draft.but(body='<soapenv:Body wsu:Id="body"><xenc:EncryptedData/></soapenv:Body>')
            .text.replace("@digest@", digest)
            .replace("@value@", value),
            check,
        ),
    }


def _rehashed(text: str) -> str:
    """Another Body with the right digest, under the old signature."""
    changed = text.replace(PERSON, OTHER)
    root = etree.fromstring(changed)
    body, elements = root[-1], root.findall(f".//{{{DS}}}Reference")
    old = elements[1].findtext(f"{{{DS}}}DigestValue") or ""
    assert body.get(f"{{{WSU}}}Id") == "body"
    return changed.replace(old, b64encode(digest(root, elements[1])).decode())


def _algorithms(draft: Draft) -> _Texts:
    unsupported = "UnsupportedAlgorithm"
    methods = {
        "rsa-sha1": f"{DS}rsa-sha1",
        "ecdsa-sha1": f"{MORE}ecdsa-sha1",
        "rsa-md5": f"{MORE}rsa-md5",
        "rsa-sha224": f"{MORE}rsa-sha224",
        "dsa": f"{DS}dsa-sha1",
        "hmac-with-the-public-key": f"{MORE}hmac-sha256",
        "hmac-sha1-with-the-public-key": f"{DS}hmac-sha1",
        "unknown": "urn:okand#none-sha256",
        "of-the-other-kind-of-key": f"{MORE}{'rsa' if 'ecdsa' in draft.algorithm else 'ecdsa'}-sha256",
    }
    digests = {"sha1": f"{DS}sha1", "md5": f"{MORE}md5"}
    canonical = '<ds:CanonicalizationMethod Algorithm="{}"/>'
    many = "".join(f' xmlns:p{number}="urn:p{number}"' for number in range(3000))
    return {
        **{f"signature-{name}": (draft.but(method=method).sealed(), unsupported) for name, method in methods.items()},
        **{
            f"digest-{name}": (draft.but(references=_digested(uri)).sealed(), unsupported)
            for name, uri in digests.items()
        },
        **{
            f"hmac-output-length-{bits}": (
                draft.but(
                    method=f"{MORE}hmac-sha256", parameters=f"<ds:HMACOutputLength>{bits}</ds:HMACOutputLength>"
                ).sealed(),
                unsupported,
            )
            for bits in (0, 8)
        },
        "parameters-of-the-signature": (
            draft.but(parameters="<ds:HMACOutputLength>0</ds:HMACOutputLength>").sealed(),
            unsupported,
        ),
        "canonicalisation-inclusive": (draft.but(canonicalisation=canonical.format(INCLUSIVE)).sealed(), unsupported),
        "canonicalisation-with-comments": (
            draft.but(canonicalisation=canonical.format(f"{EXC}WithComments")).sealed(),
            unsupported,
        ),
        "canonicalisation-unknown": (draft.but(canonicalisation=canonical.format("urn:okand")).sealed(), unsupported),
        "canonicalisation-missing": (draft.but(canonicalisation="").text, "InvalidSecurity"),
        "inclusive-over-3000-namespaces": (
            draft.but(references=_transformed(f'<ds:Transform Algorithm="{INCLUSIVE}"/>'))
            .sealed()
            .replace("<soapenv:Body", f"<soapenv:Body{many}"),
            unsupported,
        ),
        **{
            f"transform-{name}": (draft.but(references=_transformed(transform)).sealed(), code)
            for name, (transform, code) in _TRANSFORMS.items()
        },
    }


def _transformed(transforms: str) -> tuple[str, ...]:
    return reference("#time"), reference("#body", transforms)


_PREFIXES = '<ds:Transform Algorithm="{}"><ec:InclusiveNamespaces PrefixList="{}"/></ds:Transform>'
_XPATH = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>{}</ds:XPath></ds:Transform>'
_XSLT = """\
<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">\
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">\
<xsl:copy-of select="document('http://192.0.2.1/')"/></xsl:template></xsl:stylesheet></ds:Transform>"""
_STR_TRANSFORM = BASE64.replace("Base64Binary", "STR-Transform")
_TRANSFORMS: _Texts = {
    "xslt": (_XSLT, "UnsupportedAlgorithm"),
    "xpath-that-never-ends": (_XPATH.format("count(//.[count(//.[count(//.[count(//.)])])])"), "UnsupportedAlgorithm"),
    "xpath-that-selects-nothing": (_XPATH.format("false()"), "UnsupportedAlgorithm"),
    "xpath-filter-2": (
        '<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"/>',
        "UnsupportedAlgorithm",
    ),
    "enveloped": (f'<ds:Transform Algorithm="{DS}enveloped-signature"/>', "UnsupportedAlgorithm"),
    "base64": (f'<ds:Transform Algorithm="{DS}base64"/>', "UnsupportedAlgorithm"),
    "of-the-token": (f'<ds:Transform Algorithm="{_STR_TRANSFORM}"/>', "UnsupportedAlgorithm"),
    "with-comments": (f'<ds:Transform Algorithm="{EXC}WithComments"/>', "UnsupportedAlgorithm"),
    "without-algorithm": ("<ds:Transform/>", "UnsupportedAlgorithm"),
    "twice": (EXCLUSIVE * 2, "InvalidSecurity"),
    "none": ("", "InvalidSecurity"),
    "200": (EXCLUSIVE * 200, "InvalidSecurity"),
    "parameter-unknown": (f'<ds:Transform Algorithm="{EXC}"><ds:XPath/></ds:Transform>', "UnsupportedAlgorithm"),
    "prefixes-many": (_PREFIXES.format(EXC, " ".join(f"p{number}" for number in range(500))), "UnsupportedAlgorithm"),
    "prefixes-odd": (_PREFIXES.format(EXC, "ssbt *"), "UnsupportedAlgorithm"),
}


def _keys(draft: Draft) -> _Texts:
    """Where the key is said to be."""
    away = "SecurityTokenUnavailable"
    der = b64encode(draft.signer.der).decode()
    retrieval = '<ds:RetrievalMethod URI="{}" Type="http://www.w3.org/2000/09/xmldsig#rawX509Certificate"/>'
    identifier = "<wsse:SecurityTokenReference>{}</wsse:SecurityTokenReference>"
    infos = {
        "none": "",
        "value": "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>"
        "</ds:RSAKeyValue></ds:KeyValue>",
        "name": "<ds:KeyName>nyckel</ds:KeyName>",
        "certificate-itself": f"<ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data>",
        "retrieved-over-http": retrieval.format("http://192.0.2.1/cert"),
        "retrieved-from-a-file": retrieval.format("file:///etc/hostname"),
        "reference-over-http": to_token("https://192.0.2.1/cert"),
        "reference-to-a-file": to_token("file:///etc/hostname"),
        "reference-to-nothing": to_token("#nobody"),
        "reference-to-the-body": to_token("#body"),
        "reference-to-another-kind": to_token(value_type=f"{X509}X509PKIPathv1"),
        "two-references": to_token() * 2,
        "reference-and-value": f"{to_token()}<ds:KeyValue/>",
        "issuer-and-serial": identifier.format(
            "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName>"
            "<ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
        ),
        "key-identifier": identifier.format(
            f'<wsse:KeyIdentifier ValueType="{X509}X509SubjectKeyIdentifier">AAAA</wsse:KeyIdentifier>'
        ),
        "embedded": identifier.format(
            f"<wsse:Embedded>{draft.token.format(der).replace('token', 'inside')}</wsse:Embedded>"
        ),
    }
    token = Draft.token
    of_version_4 = draft.signer.der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020103"))
    tokens = {
        "junk": (token.replace("{}", "AAAA"), "InvalidSecurityToken"),
        "not-base64": (token.replace("{}", "****"), "InvalidSecurity"),
        "empty": (token.replace("{}", ""), "InvalidSecurityToken"),
        "huge": (token.replace("{}", "A" * 200_000), "InvalidSecurity"),
        "with-more-after-it": (
            token.replace("{}", b64encode(draft.signer.der + b"more").decode()),
            "InvalidSecurityToken",
        ),
        "of-version-4": (token.replace("{}", b64encode(of_version_4).decode()), "InvalidSecurityToken"),
        "pkcs7": (token.replace("X509v3", "PKCS7"), "UnsupportedSecurityToken"),
        "pkipath": (token.replace("X509v3", "X509PKIPathv1"), "UnsupportedSecurityToken"),
        "without-kind": (token.replace(f'ValueType="{X509}X509v3" ', ""), "UnsupportedSecurityToken"),
        "hexadecimal": (token.replace("Base64Binary", "HexBinary"), "UnsupportedSecurityToken"),
        "missing": ("", "InvalidSecurity"),
        "twice": (token + token.replace('"token"', '"second"').replace("{}", der), "InvalidSecurity"),
    }
    beside = {
        "username-token": "<wsse:UsernameToken><wsse:Username>x</wsse:Username></wsse:UsernameToken>",
        "encrypted-key": f'<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{XENC}rsa-1_5"/></xenc:EncryptedKey>',
        "encrypted-data": "<xenc:EncryptedData/>",
        "saml": '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>',
    }
    return {
        **{
            f"key-{name}": (draft.but(key_info=info).sealed(), away if info else "InvalidSecurity")
            for name, info in infos.items()
        },
        **{f"token-{name}": (draft.but(token=text).sealed(), code) for name, (text, code) in tokens.items()},
        **{
            f"{name}-in-security": (draft.but(more=text).sealed(), "UnsupportedSecurityToken")
            for name, text in beside.items()
        },
        "username-token-alone": (
            draft.but(order="{more}", more=beside["username-token"]).text,
            "UnsupportedSecurityToken",
        ),
    }


def _times(draft: Draft) -> _Texts:
    shape, now = "InvalidSecurity", draft.now

    def at(seconds: int) -> str:
        return stamp(now + timedelta(seconds=seconds))

    one = '<wsu:Timestamp wsu:Id="time">{}</wsu:Timestamp>'
    created, expires = "<wsu:Created>{0}</wsu:Created>", "<wsu:Expires>{1}</wsu:Expires>"
    return {
        "expired": (draft.but(created=at(-301), expires=at(-1)).sealed(), "MessageExpired"),
        "expired-this-second": (draft.but(created=at(-300), expires=at(0)).sealed(), "MessageExpired"),
        "from-the-future": (draft.but(created=at(120), expires=at(300)).sealed(), shape),
        "valid-for-too-long": (draft.but(created=at(-1), expires=at(300)).sealed(), shape),
        "until-the-year-9999": (draft.but(expires="9999-12-31T23:59:59Z").sealed(), shape),
        "expires-before-created": (draft.but(created=at(30), expires=at(20)).sealed(), shape),
        "expires-as-created": (draft.but(expires=at(0)).sealed(), shape),
        "times-swapped": (draft.but(timestamp=one.format(expires + created)).sealed(), shape),
        "no-timestamp": (draft.but(timestamp="", references=(reference("#body"),)).sealed(), shape),
        "no-expires": (draft.but(timestamp=one.format(created)).sealed(), shape),
        "no-created": (draft.but(timestamp=one.format(expires)).sealed(), shape),
        "two-timestamps": (
            draft.but(timestamp=Draft.timestamp + Draft.timestamp.replace("time", "two")).sealed(),
            shape,
        ),
        "two-expires": (draft.but(timestamp=one.format(created + expires * 2)).sealed(), shape),
        "local-time": (draft.but(created=at(0).replace("Z", "+00:00")).sealed(), shape),
        "time-without-zone": (draft.but(created=at(0).replace("Z", "")).sealed(), shape),
        "no-such-time": (draft.but(expires=at(0)[:11] + "25:00:00Z").sealed(), shape),
        "not-a-time": (draft.but(expires="snart").sealed(), shape),
        "time-in-two-parts": (draft.but(created=at(0)[:4] + "<wsu:x/>" + at(0)[4:]).sealed(), shape),
        "time-with-something-after-it": (draft.but(created=f"{at(0)}<wsu:x/>").sealed(), shape),
        "time-in-arabic-digits": (draft.but(expires=at(300).replace("0", "\u0660")).sealed(), shape),
    }


def _load(draft: Draft) -> _Texts:
    """What would cost a verifier that looks before it counts."""
    text = draft.sealed()
    deep = "<x>" * 200 + "</x>" * 200
    return {
        "references-5000": (
            draft.but(references=(*Draft.references, *[reference("#body")] * 5000)).text,
            "InvalidSecurity",
        ),
        "elements-in-security": (draft.but(more="<x/>" * 20_000).text, "InvalidSecurity"),
        "deep-in-security": (draft.but(more=deep).text, "InvalidSecurity"),
        "value-huge": (text.replace("<ds:SignatureValue>", f"<ds:SignatureValue>{'A' * 200_000}"), "InvalidSecurity"),
        "id-long": (text.replace('"body"', f'"{"b" * 200}"').replace("#body", f"#{'b' * 200}"), "InvalidSecurity"),
        "relative-namespace": (
            text.replace("<soapenv:Body ", '<soapenv:Body xmlns:r="../r" r:a="b" '),
            "FailedCheck",
        ),
        "relative-namespace-signed-for-nothing": (_void(draft), "FailedCheck"),
        "attributes-20000": (
            text.replace("<soapenv:Body ", "<soapenv:Body " + " ".join(f'a{n}=""' for n in range(20_000)) + " "),
            "InvalidSecurity",
        ),
        "namespaces-3000": (
            text.replace(
                "<soapenv:Body ",
                "<soapenv:Body " + " ".join(f'xmlns:n{n}="urn:{n}" n{n}:a=""' for n in range(3000)) + " ",
            ),
            "InvalidSecurity",
        ),
    }


def _void(draft: Draft) -> str:
    """What does not canonicalise, under the digest of nothing: libraries have taken an error for no octets."""
    nothing = b64encode(hashlib.sha256(b"").digest()).decode()
    text = draft.but(references=(reference("#time"), reference("#body").replace("@digest@", nothing))).sealed()
    return text.replace("<soapenv:Body ", '<soapenv:Body xmlns:r="../r" r:a="b" ')
