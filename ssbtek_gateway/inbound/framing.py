"""HTTP requests that two readers could read differently, or that are no question, are refused before they are read.

RFC 9110 and RFC 9112. The listener's parser has refused what is no HTTP at all; where a body ends is checked again
here, for a body that somebody else reads differently holds a second, smuggled request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Scope = MutableMapping[str, Any]

# Where the listener puts the status with which to refuse what it could not read as HTTP.
UNREADABLE = "ssbtek.unreadable"
UNREADABLE_TEXTS = {
    400: "Anropet är inte giltig HTTP/1.1.",
    414: "Adressen är för lång.",
    431: "HTTP-huvudena är för långa eller för många.",
    501: "Metoden stöds inte.",
    505: "Använd HTTP/1.1.",
}
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s;"']*)""", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_ONCE = (b"host", b"content-type")


class HttpError(Exception):
    """Refused before it is a SOAP message: a fixed text, and the connection is closed."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(status)
        self.status = status
        self.text = text
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]


def check_readable(scope: Scope) -> None:
    """Raises `HttpError` where the listener found, by now, that the request is not HTTP as we accept it."""
    status = scope["extensions"].get(UNREADABLE)
    if status is not None:
        raise HttpError(status, UNREADABLE_TEXTS[status])


def check(scope: Scope) -> None:
    """What holds for every request: one reading of its version, host and length. Raises `HttpError`."""
    check_readable(scope)
    old = scope["http_version"] == "1.0"
    if not old and scope["http_version"] != "1.1":
        raise HttpError(505, UNREADABLE_TEXTS[505])
    names = [name for name, _ in scope["headers"]]
    if any(names.count(name) > 1 for name in _ONCE) or (b"host" not in names and not old):
        raise HttpError(400, "Ange exakt ett Host-huvud och högst ett Content-Type.")
    if header(scope, b"expect") not in {None, "100-continue"}:
        raise HttpError(417, "Av Expect stöds bara 100-continue.")
    length, coding = header(scope, b"content-length"), header(scope, b"transfer-encoding")
    if names.count(b"content-length") + names.count(b"transfer-encoding") > 1 or (old and coding is not None):
        raise HttpError(400, "Meddelandets längd är tvetydig.")
    if length is not None and not _LENGTH.fullmatch(length):
        raise HttpError(400, "Content-Length är inte ett tal.")
    if coding is not None and coding.strip().lower() != "chunked":
        raise HttpError(415, "Av Transfer-Encoding stöds bara chunked.")
    if scope["method"] in {"GET", "HEAD"} and (coding is not None or int(length or 0)):
        raise HttpError(400, "En GET har inget innehåll.")


def charset(scope: Scope) -> str | None:
    """The charset of a question's Content-Type, if any. It comes by POST as text/xml (SOAP 1.1 section 6).

    Raises `HttpError` for what is no question.
    """
    if scope["method"] != "POST":
        raise HttpError(405, "Skicka frågan med POST.", allow="POST")
    content_type = header(scope, b"content-type") or ""
    if content_type.partition(";")[0].strip().lower() != "text/xml":
        raise HttpError(415, "Skicka SOAP 1.1 med Content-Type: text/xml; charset=utf-8.")
    if header(scope, b"content-encoding") is not None:
        raise HttpError(415, "Skicka meddelandet utan Content-Encoding.")
    # Without either there is no body, and what follows would be read as the next request.
    if header(scope, b"content-length") is None and header(scope, b"transfer-encoding") is None:
        raise HttpError(411, "Ange Content-Length.")
    found = _CHARSET.search(content_type)
    return found[1] if found else None


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a header; its name in lower case."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)
