"""What an audit row says: who asked whom about what, and a person only under a key."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

from unit.builders import (
    BITRADE,
    CALLER,
    GRANNKOMMUN,
    KOMMUN,
    OTHER_PERSON,
    PERSON,
    data,
    question,
    so_answer,
)

from ssbtek_gateway.audit import record
from ssbtek_gateway.audit.record import PersonKey
from ssbtek_gateway.audit.tables import ROWS
from ssbtek_gateway.authorisation import Grant
from ssbtek_gateway.faults import agency_fault, failure
from ssbtek_gateway.model import Caller, Outcome, PersonId, Refused

KEY = PersonKey("nyckel-1", b"k" * 32)
GRANT = Grant({}, None)


def test_asked_says_who_about_whom_why_and_what() -> None:
    row = record.asked("incident-1", CALLER, question(), GRANT, KEY)
    now = datetime.now(UTC)
    assert now - timedelta(minutes=1) < datetime.fromisoformat(row.pop("tidpunkt")) <= now
    periods = json.loads(row.pop("bastjanster"))
    assert periods.pop("SO") == ["2025-12-01", "2026-01-15"]
    # FK is asked in a period of its own (here it names none); TNS and MIV are asked without one.
    assert (periods.pop("FK"), periods.pop("TNS"), periods.pop("MIV")) == ([], [], [])
    assert set(periods) == {"AF", "CSN", "SKV"}
    assert all(period == ["2026-01-01", "2026-01-31"] for period in periods.values())
    assert row == {
        "incident": "incident-1",
        "handelse": "FRAGAD",
        "certifikat_organisation": KOMMUN,
        "certifikat": CALLER.fingerprint,
        "bitrade": None,
        "ingivare": KOMMUN,
        "handlaggare": "asa01",
        "person": hmac.new(b"k" * 32, PERSON.encode(), hashlib.sha256).hexdigest(),
        "person_nyckel": "nyckel-1",
        "arende": "Ärende-17",
        "syfte": "Handläggning av ekonomiskt bistånd",
        "lagtext": "11 kap. 11 § SoL",
        "version": "10",
        "tider": None,
        "felkod": None,
    }


def test_a_supplier_and_its_principal_both_stand_in_the_row() -> None:
    row = record.asked("i", Caller(BITRADE, "cd" * 32), question(), Grant({}, BITRADE), KEY)
    assert (row["certifikat_organisation"], row["bitrade"], row["ingivare"]) == (BITRADE, BITRADE, KOMMUN)


def test_only_what_was_asked_stands_in_the_row() -> None:
    asked = question()
    only = question(perioder={"SO": asked.perioder["SO"]})
    assert list(json.loads(record.asked("i", CALLER, only, GRANT, KEY)["bastjanster"])) == ["SO"]


def test_answered_says_what_came_of_each_service_and_nothing_more() -> None:
    outcomes: dict[str, Outcome] = {
        "AF": failure("TIMEOUT", "detalj", reason="reason"),
        "CSN": Refused("SSBT", "EJ_BEHORIG", ("text",)),
        "SO": data(so_answer()),
        "TNS": agency_fault(detalj="detalj", reason="SOAP fault"),
    }
    row = record.answered("i", CALLER, outcomes, {"SO": 0.0304, "FRAGAN": 1.25})
    assert row["handelse"] == "BESVARAD"
    assert json.loads(row["bastjanster"]) == {
        "AF": "SSBT TIMEOUT",
        "CSN": "SSBT EJ_BEHORIG",
        "SO": "SVARAT",
        "TNS": "BT FAULT",
    }
    assert json.loads(row["tider"]) == {"SO": 30, "FRAGAN": 1250}
    assert PERSON not in str(row)


def test_denied_says_why_and_nothing_of_the_message() -> None:
    row = record.denied("i", Caller(GRANNKOMMUN, "ef" * 32), "EJ_BEHORIG")
    told = {key: value for key, value in row.items() if value is not None}
    assert set(told) == {"tidpunkt", "incident", "handelse", "certifikat_organisation", "certifikat", "felkod"}
    assert (told["handelse"], told["felkod"]) == ("NEKAD", "EJ_BEHORIG")


def test_every_row_has_every_column() -> None:
    # Rows of different kinds are inserted in one statement.
    # The writer adds id, writer, seq and mac.
    columns = {column.name for column in ROWS.columns} - {"id", "writer", "seq", "mac"}
    assert set(record.asked("i", CALLER, question(), GRANT, KEY)) == columns
    assert set(record.answered("i", CALLER, {}, {})) == columns
    assert set(record.denied("i", CALLER, "FOR_STOR")) == columns


def test_a_pseudonym_depends_on_person_and_key() -> None:
    person = PersonId(PERSON)
    assert KEY.pseudonym(person) == KEY.pseudonym(PersonId(PERSON))
    assert KEY.pseudonym(person) != KEY.pseudonym(PersonId(OTHER_PERSON))
    assert KEY.pseudonym(person) != PersonKey("nyckel-1", b"x" * 32).pseudonym(person)
    assert PERSON not in KEY.pseudonym(person)
