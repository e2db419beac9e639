"""The names of the standards, and what is said of a message that does not follow them."""

from __future__ import annotations

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DS = "http://www.w3.org/2000/09/xmldsig#"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{_OASIS}wssecurity-secext-1.0.xsd"
WSU = f"{_OASIS}wssecurity-utility-1.0.xsd"
X509V3 = f"{_OASIS}x509-token-profile-1.0#X509v3"
BASE64 = f"{_OASIS}soap-message-security-1.0#Base64Binary"

HEADER, BODY = f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"
SECURITY, TOKEN = f"{{{WSSE}}}Security", f"{{{WSSE}}}BinarySecurityToken"
TIMESTAMP, SIGNATURE = f"{{{WSU}}}Timestamp", f"{{{DS}}}Signature"
ID = f"{{{WSU}}}Id"

# What is not here is not accepted: SHA-1 and MD5 are broken, and with an HMAC a public key would be the secret one.
RSA_SHA256, ECDSA_SHA256, ECDSA_SHA384 = (f"{_MORE}{name}" for name in ("rsa-sha256", "ecdsa-sha256", "ecdsa-sha384"))
RSA = (RSA_SHA256, f"{_MORE}rsa-sha384", f"{_MORE}rsa-sha512")
SIGNATURES = {*RSA, ECDSA_SHA256, ECDSA_SHA384}
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
# By hashlib's name.
DIGESTS = {
    SHA256: "sha256",
    f"{_MORE}sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}


class SecurityError(Exception):
    """A message that is not believed.

    `code` is the local name of the standard's fault code (SOAP Message Security 1.1, section 12); `reason` is fixed
    English text for the operator's log and holds nothing of the message.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
