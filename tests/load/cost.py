"""`make cost`: has a stage of a question's way become twice as expensive?

CPU time only, in one process, without sockets. Each stage is measured as a multiple of a fixed work of the same kinds
(hashing, XML, JSON, Python), so that machines compare; tests/load/cost.json has what they were when they were last
written (`make cost ARGS=--write`). The best of several tries counts. Exit code 1 where a stage is more than twice its
baseline, or has none.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import os
import sys
from functools import partial
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import structlog
from cryptography.hazmat.primitives.serialization import Encoding
from load import rig
from lxml import etree
from pki import Authority
from unit.builders import CALLER, CONTRACT, organisation

from ssbtek_gateway import config, observe, telemetry, xmlgate
from ssbtek_gateway.audit import record
from ssbtek_gateway.audit.chain import Chain, ChainKey
from ssbtek_gateway.audit.record import PersonKey
from ssbtek_gateway.authorisation import Register
from ssbtek_gateway.contracts import size
from ssbtek_gateway.faults import failure
from ssbtek_gateway.flow import Written
from ssbtek_gateway.inbound import envelope
from ssbtek_gateway.inbound.identity import Identity, Issuer
from ssbtek_gateway.inbound.soap import SoapEndpoint
from ssbtek_gateway.model import Data
from ssbtek_gateway.services import REGISTRY
from ssbtek_gateway.services.transport import Reply, Transport, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

    from ssbtek_gateway.model import Outcome, Question
    from ssbtek_gateway.services.service import BaseService

BASELINE = Path(__file__).with_suffix(".json")
WORSE = 2.0
TRIES = 9
# CPU time of one try, long against the clock's grain and short against a neighbour's turn.
TRY_SECONDS = 0.02
_REPLIES = {
    path.stem: Reply(200, None if path.suffix == ".json" else "utf-8", path.read_bytes())
    for path in rig.ANSWERS.iterdir()
}
T = TypeVar("T")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make cost", description=__doc__)
    parser.add_argument("--write", action="store_true", help="make what is measured now the baseline")
    options = parser.parse_args()
    measured = asyncio.run(_measured())
    if options.write:
        BASELINE.write_text(json.dumps(measured, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    text, worse = report(measured, json.loads(BASELINE.read_text(encoding="utf-8")))
    sys.stdout.write(text)
    return 1 if worse else 0


def report(measured: Mapping[str, float], baseline: Mapping[str, float]) -> tuple[str, bool]:
    """A line a stage, and whether any is worse than it may be."""
    lines, worse = [f"{'CPU, as a multiple of a fixed work':36} {'now':>7} {'was':>7}"], False
    for stage, now in measured.items():
        was = baseline.get(stage)
        wrong = was is None or now > WORSE * was
        worse |= wrong
        compared = "     no baseline" if was is None else f"{was:7.3f}  {now / was:5.2f} times"
        lines.append(f"{stage:36} {now:7.3f} {compared}{'  TOO MUCH' if wrong else ''}")
    return "\n".join(lines) + "\n", worse


async def _measured() -> dict[str, float]:
    work = dict(_stages())
    best = dict.fromkeys([_yardstick, *work.values()], float("inf"))
    often = {do: max(1, int(TRY_SECONDS / _seconds(do, 20))) for do in best}
    gc.collect()
    gc.freeze()
    for _ in range(TRIES):
        for do, times in often.items():
            best[do] = min(best[do], _seconds(do, times))
    return {stage: round(best[do] / best[_yardstick], 4) for stage, do in work.items()}


_away = False


async def _post(self: Transport, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:  # noqa: ARG001 - as it is called
    if _away:
        raise TransportError(failure("ANSLUTNING"))
    return _REPLIES[urlsplit(url).path.split("/")[1]]


def _asked(service: BaseService, question: Question, *, away: bool) -> Outcome:
    global _away  # noqa: PLW0603 - cheaper than anything that is asked in between
    _away = away
    return _run(service.ask(question))


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine that never waits returns."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("it waits for something")


def _settings(kod: str) -> Any:  # noqa: ANN401 - each has a class of its own
    services = {kod: {"url": f"http://localhost/{kod.lower()}", "allow_plain_http": True}}
    return getattr(config.Bastjanster.model_validate(services), kod)


class _Flow:
    """A flow that has the answer already."""

    def __init__(self, answer: bytes) -> None:
        self._answer = Written(answer)

    async def hamta(self, *_: object) -> Written:
        return self._answer


def _seconds(do: Callable[[], object], times: int) -> float:
    begun = process_time()
    for _ in range(times):
        do()
    return (process_time() - begun) / times


_DOCUMENT = b"<a>" + b"".join(b'<b n="%d">text<c/></b>' % number for number in range(300)) + b"</a>"


def _yardstick() -> None:
    """About a millisecond of what a question consists of."""
    hashlib.sha256(_DOCUMENT * 20).digest()
    root = etree.fromstring(_DOCUMENT)
    values = {element.get("n"): [child.tag for child in element] for element in root}
    json.loads(json.dumps(values))
    etree.tostring(root)


def _stages() -> Iterator[tuple[str, Callable[[], object]]]:
    """What each does once; on the running loop, where base services are made."""
    body = rig.question_text(rig.SECTIONS).encode()
    element = envelope.operation(xmlgate.parse_caller(body, None))
    question = CONTRACT.read_question(element)
    limits, register = config.Limits(), Register([organisation()])
    authority = Authority("Cost")
    identity = Identity([Issuer(authority.certificate())])
    certificate = authority.leaf(rig.ORGANISATION).certificate.public_bytes(Encoding.DER)
    grant = register.authorise(CALLER, question)

    yield "gate", lambda: envelope.operation(xmlgate.parse_caller(body, None))

    def read() -> None:
        CONTRACT.check_question(element)
        size.check(element, limits)
        CONTRACT.read_question(element)

    yield "question read, XSD", read
    yield "identity, register", lambda: register.authorise(identity.caller(certificate), question)

    outcomes = {}
    Transport.post = _post  # type: ignore[method-assign] # nothing is sent
    for kod in rig.SECTIONS:
        service = REGISTRY[kod].connect(_settings(kod))
        asked = partial(_asked, service, question)
        outcomes[kod] = asked(away=False)
        assert isinstance(outcomes[kod], Data), f"{kod}: {outcomes[kod]}"
        yield f"{kod}: message", partial(asked, away=True)
        yield f"{kod}: message, answer judged", partial(asked, away=False)

    answer = CONTRACT.write_answer(question, outcomes)
    assert not CONTRACT.invalid_sections(answer)
    yield "answer put together", lambda: CONTRACT.write_answer(question, outcomes)
    yield "answer, XSD", lambda: CONTRACT.invalid_sections(answer)
    endpoint = SoapEndpoint(CONTRACT, _Flow(answer))  # type: ignore[arg-type] # all that spyne uses of it
    yield "spyne", lambda: _run(endpoint.answer(element, CALLER, "incident"))

    key, chain = PersonKey("cost", b"k" * 32), Chain(ChainKey(b"c" * 32), "writer", "0" * 64)
    took = dict.fromkeys(outcomes, 0.1)

    def rows() -> None:
        asked = record.asked("incident", CALLER, question, grant, key)
        chain.link(json.loads(json.dumps([asked, record.answered("incident", CALLER, outcomes, took)])))

    yield "audit rows, chained", rows
    observe.configure()
    nowhere = observe.Lines(os.open(os.devnull, os.O_WRONLY))
    structlog.configure(logger_factory=lambda *_: nowhere)

    def told() -> None:
        telemetry.answered(question, outcomes, took, 0.4)
        telemetry.finished("10", "hamtaBastjanstInformation", CALLER, None, 12_000, 0.4)

    yield "log, metrics", told


if __name__ == "__main__":
    sys.exit(main())
