"""What an audit row says, and how a person is written in it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from ssbtek_gateway.model import Failure, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.authorisation import Grant
    from ssbtek_gateway.model import Caller, Outcome, PersonId, Question

Row = dict[str, Any]
# What a row says (tables.py tells each), and its place in the chain, which the writer adds.
COLUMNS = (
    "tidpunkt",
    "incident",
    "handelse",
    "certifikat_organisation",
    "certifikat",
    "bitrade",
    "ingivare",
    "handlaggare",
    "person",
    "person_nyckel",
    "arende",
    "syfte",
    "lagtext",
    "version",
    "bastjanster",
    "tider",
    "felkod",
)
PLACE = ("writer", "seq", "mac")
_EMPTY: Row = dict.fromkeys(COLUMNS)
_VERDICTS = tuple(Verdict)
_WITHOUT_PERIOD = {"TNS", "MIV"}


@dataclass(frozen=True, slots=True)
class PersonKey:
    """HMAC-SHA-256 under a key kept outside the database: rows about a person can be found with the key only.

    Still personal data: whoever has the key can try every number.
    """

    key_id: str
    key: bytes

    def pseudonym(self, person: PersonId) -> str:
        """64 hexadecimal digits."""
        return hmac.digest(self.key, person.reveal().encode(), "sha256").hex()


def asked(incident: str, caller: Caller, question: Question, grant: Grant, key: PersonKey) -> Row:
    """The row that must be durable before any base service is called."""
    return _row(incident, "FRAGAD", caller) | {
        "bitrade": grant.bitrade,
        "ingivare": question.ingivare.organisationsnummer,
        "handlaggare": question.handlaggare,
        "person": key.pseudonym(question.person),
        "person_nyckel": key.key_id,
        "arende": question.arendeidentitet,
        "syfte": question.syfte,
        "lagtext": question.lagtext,
        "version": question.version,
        "bastjanster": _json({kod: _period(question, kod) for kod in question.perioder}),
    }


def _period(question: Question, kod: str) -> list[str]:
    """The first and last day that a service is asked about: FK's stand in its own question, TNS and MIV have none."""
    if kod in _WITHOUT_PERIOD:
        return []
    if kod == "FK":
        own = question.fk.content.get("period") if question.fk else None
        return [str(own.get(end))[:10] for end in ("from", "tom")] if isinstance(own, dict) else []
    period = question.perioder[kod]
    return [period.from_datum.isoformat(), period.tom_datum.isoformat()]


def answered(incident: str, caller: Caller, outcomes: Mapping[str, Outcome], took: Mapping[str, float]) -> Row:
    """The row that must be durable before the answer leaves. `took` is in seconds, by base service and `FRAGAN`."""
    return _row(incident, "BESVARAD", caller) | {
        "bastjanster": _json({kod: summary(outcome) for kod, outcome in outcomes.items()}),
        "tider": _json({name: round(1000 * seconds) for name, seconds in took.items()}),
    }


def _json(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()


def denied(incident: str, caller: Caller, felkod: str, version: str | None = None) -> Row:
    """The row of a question that an authenticated caller sent, to a version's address, and that was refused."""
    return _row(incident, "NEKAD", caller) | {"felkod": felkod, "version": version}


def summary(outcome: Outcome) -> str:
    """`kalla felkod` of a failure; of data the verdicts in it, such as `SVARAT+KAN_EJ_AVGORAS`. For audit and log."""
    if isinstance(outcome, Failure):
        return f"{outcome.kalla} {outcome.felkod}"
    found = {bedomning.verdict for bedomning in outcome.bedomningar}
    return "+".join([verdict for verdict in _VERDICTS if verdict in found])


def _row(incident: str, handelse: str, caller: Caller) -> Row:
    return _EMPTY | {
        "tidpunkt": datetime.now(UTC).isoformat(),
        "incident": incident,
        "handelse": handelse,
        "certifikat_organisation": caller.organisationsnummer,
        "certifikat": caller.fingerprint,
    }
