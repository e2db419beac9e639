"""Writes the questions in `questions/VERSION/ORGANISATION/`, and after review the answers that they are owed.

    PYTHONPATH=tests python -m conformance.make            # write the questions, show what is not answered as stored
    PYTHONPATH=tests python -m conformance.make --record   # the same, and store those answers: then read `git diff`

ORGANISATION names the certificate that asks: `client` is Testkommunen. Questions are about the simulator's personas, in
a period that is over and stays so, for AF, CSN and SO. CSN answers about the last two months only, so that its data
cannot be stored; what moves with the calendar in the others is in `ignore.txt`.

The gateway is the one at SSBTEK_URL (see `target`), or one of this process's own.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from harness import running_agencies, running_gateway
from vectors import make as vectors

from ssbtek_gateway import devpki, xmlgate
from ssbtek_gateway.replay import ignores, update
from ssbtek_gateway.replay.compare import judge
from ssbtek_gateway.replay.fixtures import IGNORE, REQUEST, RESPONSE, Fixture, charset
from ssbtek_gateway.replay.send import Sender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssbtek_gateway.replay.compare import Reply

FOLDER = Path(__file__).parent / "questions"
INGET, ARBETSLOS, SKYDDAD, SAMORDNINGSNUMMER = "199610202385", "199006022397", "200001022391", "191212721219"
GRANNKOMMUN = "162120009994"


def _asked(*edits: tuple[str, str], person: str = INGET, koder: tuple[str, ...] = ("AF", "CSN", "SO")) -> bytes:
    """The vectors' template about `person` with these base services only, then edited."""
    text = vectors.only(*koder).replace(vectors.PERSON, person)
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"stands {text.count(old)} times in the question: {old}")
        text = text.replace(old, new)
    return text.encode()


def _own_period(kod: str, from_datum: str, tom_datum: str) -> tuple[str, str]:
    period = (
        f"<ssbt:tidsperiod><ssbt:fromDatum>{from_datum}</ssbt:fromDatum>"
        f"<ssbt:tomDatum>{tom_datum}</ssbt:tomDatum></ssbt:tidsperiod>"
    )
    return f'<ssbt:{kod} inkludera="true"/>', f'<ssbt:{kod} inkludera="true">{period}</ssbt:{kod}>'


_SECOND_BITRADE = (
    "<ssbt:personuppgiftsbitrade><ssbt:ordningsnummer>2</ssbt:ordningsnummer>"
    f"<ssbt:organisationsnummer>{GRANNKOMMUN}</ssbt:organisationsnummer>"
    "<ssbt:namn>Grannkommunen</ssbt:namn></ssbt:personuppgiftsbitrade>"
)

_AS_GRANNKOMMUN = (f"r>{vectors.KOMMUN}<", f"r>{GRANNKOMMUN}<"), vectors.leaf("namn", "Testkommunen", "Grannkommunen")
_CLIENT = {
    "inget": _asked(),
    "inget-utf-16": b"\xff\xfe" + _asked(koder=("AF", "SO")).decode().encode("utf-16-le"),
    "inget-question-wanted-back": _asked(vectors.leaf("fraganSkallInkluderasISvaret", "false", "true"), koder=("SO",)),
    "arbetslos": _asked(person=ARBETSLOS),
    "arbetslos-own-period": _asked(_own_period("SO", "2020-01-01", "2099-12-31"), person=ARBETSLOS, koder=("AF", "SO")),
    "skyddad": _asked(person=SKYDDAD),
    "samordningsnummer": _asked(person=SAMORDNINGSNUMMER),
    "case-too-long-for-csn": _asked(vectors.leaf("arendeidentitet", "Ärende-17", "Ä" * 32)),
    "two-bitraden": _asked(("<ssbt:syfte>", f"{_SECOND_BITRADE}<ssbt:syfte>"), koder=("AF", "SO")),
    "in-anothers-name": _asked(*_AS_GRANNKOMMUN),
    "none-included": _asked(koder=()),
    **{
        name: vectors.FLAWED[name].content
        for name in ("two-bodies", "version-9", "personidentitet-eleven-digits", "tidsperiod-reversed", "truncated")
    },
}
_GRANNKOMMUN = {"service-not-granted": _asked(*_AS_GRANNKOMMUN, koder=("SKV", "SO"))}
QUESTIONS = {
    **{f"10/client/{name}": content for name, content in _CLIENT.items()},
    **{f"10/grannkommun/{name}": content for name, content in _GRANNKOMMUN.items()},
}


@dataclass(frozen=True)
class Target:
    """A gateway to ask: its address with `{version}`, its authority, and each organisation's certificate and key."""

    url: str
    authority: Path
    certificate: Path
    key: Path

    def sender(self, version: str, organisation: str) -> Sender:
        """Whoever asks in that version. Raises `LookupError` where there is no certificate of that organisation."""
        certificate, key = (
            path if organisation == "client" else path.with_name(f"{organisation}{path.suffix}")
            for path in (self.certificate, self.key)
        )
        if not certificate.exists():
            raise LookupError(f"{certificate} does not exist")
        return Sender(self.url.replace("{version}", version), self.authority, certificate, key)


@contextmanager
def target(folder: Path) -> Iterator[Target]:
    """The gateway at SSBTEK_URL, such as `https://127.0.0.1:8443/ssbt/{version}`, or one that works in `folder`.

    With SSBTEK_URL go SSBTEK_CA, SSBTEK_CERT and SSBTEK_KEY; a certificate of another organisation than Testkommunen
    stands beside, such as grannkommun.pem and grannkommun.key.
    """
    if url := os.environ.get("SSBTEK_URL"):
        authority, certificate, key = (Path(os.environ[f"SSBTEK_{name}"]) for name in ("CA", "CERT", "KEY"))
        yield Target(url, authority, certificate, key)
        return
    pki = folder / "pki"
    devpki.write(pki)
    with running_agencies(pki) as agencies, running_gateway(pki, folder, agencies) as gateway:
        url = f"https://127.0.0.1:{gateway.port}/ssbt/{{version}}"
        yield Target(url, pki / "ca.pem", pki / "client.pem", pki / "client.key")


def main(*, record: bool) -> int:
    """Write the questions; show, and with `record` store, each answer that is not as stored. Returns an exit code."""
    for stale in FOLDER.rglob(f"*{REQUEST}"):
        stale.unlink()
    for name, content in QUESTIONS.items():
        path = FOLDER / f"{name}{REQUEST}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for orphan in FOLDER.rglob(f"*{RESPONSE}"):
        if not orphan.with_name(orphan.name.replace(RESPONSE, REQUEST)).exists():
            orphan.unlink()
    changed = 0
    with TemporaryDirectory() as folder, target(Path(folder)) as gateway:
        for name, content in QUESTIONS.items():
            version, organisation, _ = name.split("/")
            with gateway.sender(version, organisation) as sender:
                changed += _answer(name, content, sender.post(content, charset(content)), record=record)
    return 0 if record or not changed else 1


def _answer(name: str, content: bytes, reply: Reply, *, record: bool) -> bool:
    """Whether the answer is not as stored; shown and, if wanted, stored."""
    path = FOLDER / f"{name}{RESPONSE}"
    ignored = path.with_name(IGNORE)
    known = ignores.parse(ignored.read_text(encoding="utf-8")) if ignored.exists() else ()
    if path.exists():
        stored = xmlgate.parse_own(path.read_bytes())
        result = judge(Fixture(name, content, stored, known), reply, ignores.DEFAULT)
        if result.equal:
            return False
        sys.stdout.write(f"{name}: {result.error or ''}\n")
        sys.stdout.writelines(f"  {found}\n" for found in result.differences)
    else:
        sys.stdout.write(f"{name}: new\n")
    if record:
        path.write_bytes(update.readable(xmlgate.parse_agency(reply.body, reply.charset)))
    return True


if __name__ == "__main__":
    sys.exit(main(record="--record" in sys.argv[1:]))
