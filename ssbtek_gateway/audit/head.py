"""A signed head: how far each writer had come at a moment. Kept elsewhere, it shows later that an end was cut off."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import structlog

from ssbtek_gateway.audit.chain import Tail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from ssbtek_gateway.audit.chain import ChainKey

    Place = tuple[str, Tail]

_LOG = structlog.get_logger()
FORMAT = "ssbtek-gateway audit head 2"
# Had the number of all rows and no checkpoints.
_FORMAT_1 = "ssbtek-gateway audit head 1"
# A folder that hangs must not hold a stop for ever.
_STOP_SECONDS = 10


class HeadError(ValueError):
    """This is no head, or not one that was signed with this key."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far each writer that it names had come, and the last checkpoint where that is known."""

    tails: Mapping[str, Tail]
    checkpoints: tuple[Tail, ...] = ()


def sign(head: Head, key: ChainKey) -> dict[str, Any]:
    """The head as of now, as JSON values."""
    values: dict[str, Any] = {
        "format": FORMAT,
        "time": datetime.now(UTC).isoformat(),
        "writers": [{"writer": writer, "seq": tail.seq, "mac": tail.mac} for writer, tail in head.tails.items()],
        "checkpoints": [{"seq": last.seq, "mac": last.mac} for last in head.checkpoints],
    }
    return values | {"hmac": _mac(values, key)}


def read(text: str, key: ChainKey) -> Head:
    """The head that `sign` made. Raises `HeadError` where the text is no head that `key` signed."""
    try:
        values = json.loads(text)
        if values["format"] not in {FORMAT, _FORMAT_1}:
            raise HeadError(f"its format is not {FORMAT!r}")
        signed = hmac.compare_digest(values["hmac"], _mac(values, key))
        tails = {entry["writer"]: Tail(entry["seq"], entry["mac"]) for entry in values["writers"]}
        last_ones = values["checkpoints"] if values["format"] == FORMAT else ()
        checkpoints = tuple(Tail(last["seq"], last["mac"]) for last in last_ones)
    except (json.JSONDecodeError, KeyError, TypeError, RecursionError):
        raise HeadError("it is no head written by this program") from None
    if not signed:
        raise HeadError("it was changed, or signed with another key")
    return Head(tails, checkpoints)


def _mac(values: Mapping[str, Any], key: ChainKey) -> str:
    writers = [(entry["writer"], entry["seq"], entry["mac"]) for entry in values["writers"]]
    if values["format"] == _FORMAT_1:
        return key.mac("head", values["format"], values["time"], values["rows"], writers)
    checkpoints = [(last["seq"], last["mac"]) for last in values["checkpoints"]]
    return key.mac("head", values["format"], values["time"], writers, checkpoints)


def write(folder: Path, head: Head, key: ChainKey) -> Path:
    """A new file in `folder`, whole or not there at all, for our own user only. Raises `OSError`."""
    path = folder / f"head-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.json"
    unfinished = path.with_suffix(".tmp")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(sign(head, key), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    return path


@asynccontextmanager
async def exported(
    place: Callable[[], Place | None], key: ChainKey, folder: Path, seconds: float
) -> AsyncIterator[None]:
    """Write a head of `place`, a writer and how far it has come, every `seconds` and at the end.

    By a thread of its own, so that a slow folder delays nobody. What cannot be written is told in the log.
    """
    ending = Event()

    def write_heads() -> None:
        more = True
        while more:
            more = not ending.wait(seconds)
            now = place()
            if now is not None:
                _attempt(folder, Head(dict([now])), key)

    thread = Thread(target=write_heads, name="audit heads", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        await asyncio.to_thread(thread.join, _STOP_SECONDS)


def _attempt(folder: Path, head: Head, key: ChainKey) -> None:
    try:
        write(folder, head, key)
    except OSError as error:
        _LOG.error("audit-head-not-written", error=error.strerror)  # a trace would show the path
