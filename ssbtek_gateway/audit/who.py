"""Who asked about a person: the rows under the person's pseudonym, each with what came of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from ssbtek_gateway.audit.reader import stream
from ssbtek_gateway.audit.tables import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from ssbtek_gateway.audit.reader import Parts
    from ssbtek_gateway.audit.record import PersonKey, Row
    from ssbtek_gateway.model import PersonId


@dataclass(frozen=True, slots=True)
class Asked:
    """One question about the person. `utfall` is None where the question was never answered."""

    tidpunkt: str
    incident: str
    organisation: str
    bitrade: str | None
    ingivare: str | None
    handlaggare: str | None
    arende: str | None
    syfte: str | None
    lagtext: str | None
    version: str | None
    bastjanster: Mapping[str, Any]
    utfall: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """`other_keys`: how many questions were recorded under a key with another name, about whomever."""

    asked: tuple[Asked, ...]
    other_keys: Mapping[str, int]


def who(parts: Parts, key: PersonKey, person: PersonId) -> Answer:
    """Every question about `person` that was recorded under `key`, of all parts, by time."""
    about = (ROWS.c.person == key.pseudonym(person), ROWS.c.handelse == "FRAGAD")
    others = (
        select(ROWS.c.person_nyckel, func.count())
        .where(ROWS.c.person.is_not(None), ROWS.c.person_nyckel != key.key_id)
        .group_by(ROWS.c.person_nyckel)
    )
    asked: list[Asked] = []
    other_keys: Counter[str] = Counter()
    for connection in parts.values():
        # A question's rows are all in one part. The list: one connection reads one thing at a time.
        asked += [_asked(row, _outcome(connection, row["incident"])) for row in list(stream(connection, ROWS, *about))]
        other_keys.update({str(name): count for name, count in connection.execute(others)})
    return Answer(tuple(sorted(asked, key=lambda question: str(question.tidpunkt))), other_keys)


def _outcome(connection: Connection, incident: str) -> Mapping[str, Any] | None:
    rows = list(stream(connection, ROWS, ROWS.c.incident == incident, ROWS.c.handelse != "FRAGAD"))
    if not rows:
        return None
    return {"fel": rows[0]["felkod"]} if rows[0]["handelse"] == "NEKAD" else _values(rows[0]["bastjanster"])


def _asked(row: Row, outcome: Mapping[str, Any] | None) -> Asked:
    return Asked(
        tidpunkt=row["tidpunkt"],
        incident=row["incident"],
        organisation=row["certifikat_organisation"],
        bitrade=row["bitrade"],
        ingivare=row["ingivare"],
        handlaggare=row["handlaggare"],
        arende=row["arende"],
        syfte=row["syfte"],
        lagtext=row["lagtext"],
        version=row["version"],
        bastjanster=_values(row["bastjanster"]),
        utfall=outcome,
    )


def _values(text: str | None) -> Mapping[str, Any]:
    """The JSON of a row; a row that somebody changed need hold none, which is for `audit verify` to tell."""
    try:
        values = json.loads(text or "{}")
    except (ValueError, TypeError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
