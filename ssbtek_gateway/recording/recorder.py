"""Writes what has been asked and answered as fixtures, one question at a time and all of it or nothing.

    FOLDER/callers/VERSION/0001.request.xml, .response.xml      for `replay`
    FOLDER/agencies/PLACE/0001.request.xml, .response.xml       for `simulate --fixtures`; PLACE as `fk`, `skv/v11/PART`
    FOLDER/report.json                                          what was replaced: kinds and counts

JSON is in `.json`; a NAME.toml beside it says the HTTP status where that is not the usual one.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ssbtek_gateway.recording.documents import UnreadableError
from ssbtek_gateway.recording.persons import NumbersError, Persons
from ssbtek_gateway.recording.pseudonyms import Pseudonyms
from ssbtek_gateway.recording.survival import survivors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from ssbtek_gateway.config import Settings

REPORT = "report.json"
_OK, _SERVER_ERROR = 200, 500
_FAULT = b"Fault>"


class RecordingError(Exception):
    """Nothing can be recorded here; the text says why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer as they were. `place` is the folder that they belong in. Never printed."""

    place: str
    request: bytes = field(repr=False)
    request_charset: str | None
    response: bytes = field(repr=False)
    response_charset: str | None
    status: int

    def messages(self) -> tuple[tuple[bytes, str | None], tuple[bytes, str | None]]:
        return (self.request, self.request_charset), (self.response, self.response_charset)


class Recorder:
    """Not for two threads at once. Raises `RecordingError` where it may not or cannot record."""

    def __init__(self, settings: Settings, folder: Path, numbers: Iterable[str], today: date) -> None:
        if settings.miljo == "produktion":
            raise RecordingError('miljo is "produktion": questions about real people are never recorded')
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise RecordingError(f"{folder}: is not empty: what stands for whom differs from run to run")
        except OSError as error:
            raise RecordingError(f"{folder}: {error.strerror}") from None
        self._folder = folder
        self._pseudonyms = Pseudonyms(Persons(numbers, today))
        self._questions = 0
        self._refused: Counter[str] = Counter()

    def keep(self, exchanges: Sequence[Exchange]) -> None:
        """Write one question's exchanges, without anybody in them; or count why not.

        An exchange that cannot be read is left out by itself. Where an original would survive in one file, or cannot be
        replaced, none is written.
        """
        try:
            files = self._files([exchange for exchange in exchanges if self._is_readable(exchange)])
            left = set[str]().union(*(self._left(content) for content in files.values()))
            if left:
                self._refused[f"an original survived: {', '.join(sorted(left))}"] += 1
                return
            for name, content in files.items():
                _put(self._folder / name, content)
        except NumbersError as error:
            self._refused[str(error)] += 1
        except OSError as error:
            self._refused[f"cannot be written: {error.strerror}"] += 1
        else:
            self._questions += bool(files)

    def report(self) -> Mapping[str, Any]:
        """What was replaced and what was refused: kinds and counts, no values. Written to the folder too."""
        replaced = {kind: count for kind, count in sorted(self._pseudonyms.replaced.items()) if count}
        told = {"questions": self._questions, "replaced": replaced, "refused": dict(sorted(self._refused.items()))}
        (self._folder / REPORT).write_text(f"{json.dumps(told, ensure_ascii=False, indent=2)}\n", encoding="utf-8")
        return told

    def _is_readable(self, exchange: Exchange) -> bool:
        """Whether it can be read; then everybody in it has been met. Raises `NumbersError`."""
        try:
            self._pseudonyms.learn(exchange.messages())
        except UnreadableError as error:
            self._refused[str(error)] += 1
            return False
        return True

    def _files(self, exchanges: Sequence[Exchange]) -> dict[str, bytes]:
        """Name and content, pseudonymised, of every file."""
        files: dict[str, bytes] = {}
        for exchange in exchanges:
            name = f"{exchange.place}/{self._questions + 1:04}"
            request, response = (self._pseudonyms.write(*message) for message in exchange.messages())
            files[f"{name}.request.{_ending(request)}"] = request
            files[f"{name}.response.{_ending(response)}"] = response
            if exchange.status != (_SERVER_ERROR if _FAULT in response else _OK):
                files[f"{name}.toml"] = f"status = {exchange.status}\n".encode()
        return files

    def _left(self, content: bytes) -> set[str]:
        return survivors(content, self._pseudonyms.numbers, self._pseudonyms.texts)


def _ending(content: bytes) -> str:
    return "xml" if content.startswith(b"<") else "json"


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # For nobody else on this machine: what stands here is about nobody, but it was.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
