"""Sending stored questions, unchanged, over one connection that is kept open."""

from __future__ import annotations

from contextlib import AbstractContextManager
from email.message import Message
from typing import TYPE_CHECKING, Self

import requests

from ssbtek_gateway import connection
from ssbtek_gateway.replay.compare import Reply

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_TIMEOUT = (connection.CONNECT_SECONDS, connection.READ_SECONDS)
# An answer is some kilobytes; beyond this it is something else.
_LARGEST = 20_000_000
_PIECE = 65_536


class SendError(Exception):
    """No answer came. The text holds nothing of the question."""


class Sender(AbstractContextManager["Sender"]):
    """One address, such as https://host:8443/ssbt/10. Raises `connection.SetupError`."""

    def __init__(self, url: str, authority: Path, certificate: Path, key: Path) -> None:
        connection.context(url, authority, certificate, key)
        self._url = url
        self._session = connection.session(authority, certificate, key)

    def post(self, request: bytes, charset: str) -> Reply:
        """The reply to these bytes, whatever its status; a redirect is not followed. Raises `SendError`."""
        headers = {
            "Content-Type": f"text/xml; charset={charset}",
            "SOAPAction": '""',
            "Accept": "text/xml",
            "Accept-Encoding": "identity",
        }
        try:
            with self._session.post(
                self._url, data=request, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True
            ) as response:
                return Reply(response.status_code, _body(response), _charset(response))
        except (requests.RequestException, OSError) as error:
            raise SendError(f"no answer: {connection.meaning(error)}") from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def __enter__(self) -> Self:
        return self


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > _LARGEST:
            raise SendError(f"no answer: more than {_LARGEST} bytes")
    return bytes(body)


def _charset(response: requests.Response) -> str | None:
    header = Message()
    header["Content-Type"] = response.headers.get("Content-Type", "")
    return header.get_content_charset()
