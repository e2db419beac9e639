"""The tables of the audit, for whoever reads, creates or changes them: the process that writes does without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, NullPool, String, Table, create_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from ssbtek_gateway.audit.backend import Backend, Driver

METADATA = MetaData()
# SQLite's own integer has 64 bits, and only under that name numbers its rows by itself.
BIG = BigInteger().with_variant(Integer, "sqlite")
# One row for each event, only ever inserted. `handelse` is FRAGAD, BESVARAD or NEKAD; one question's rows share
# `incident`.
ROWS = Table(
    "audit",
    METADATA,
    Column("id", BIG, primary_key=True),
    # UTC, ISO 8601.
    Column("tidpunkt", String(32), nullable=False),
    Column("incident", String(32), nullable=False, index=True),
    Column("handelse", String(8), nullable=False),
    Column("certifikat_organisation", String(12), nullable=False),
    Column("certifikat", String(64), nullable=False),
    Column("bitrade", String(12)),
    Column("ingivare", String(12)),
    Column("handlaggare", String),
    Column("person", String(64), index=True),
    Column("person_nyckel", String(40)),
    Column("arende", String),
    Column("syfte", String),
    Column("lagtext", String),
    Column("version", String(8)),
    # JSON: {"AF": ["2026-01-01", "2026-03-31"], …} when asked, {"AF": "SVARAT", "SO": "SSBT TIMEOUT", …} when answered.
    Column("bastjanster", String),
    # JSON: milliseconds, {"AF": 412, …, "FRAGAN": 431} of an answer: each base service that was called, and the whole.
    Column("tider", String),
    Column("felkod", String(40)),
    # The row's place in its writer's chain (audit/chain.py); the writer adds these.
    Column("writer", String(32), nullable=False),
    Column("seq", BIG, nullable=False),
    Column("mac", String(64), nullable=False),
    # How far a writer came, however long ago (1 to 2 µs a row).
    Index("ix_audit_writer_seq", "writer", "seq"),
)
WRITERS = Table(
    "audit_writer",
    METADATA,
    Column("id", BIG, primary_key=True),
    Column("writer", String(32), nullable=False, unique=True),
    # UTC, ISO 8601.
    Column("started", String(32), nullable=False),
    # The last row then of the writer before; none for the first writer.
    Column("previous_seq", BIG),
    Column("previous_mac", String(64)),
    Column("mac", String(64), nullable=False),
)
# What stands for rows that `audit purge` removed: how far one writer had come where its first kept row begins.
CHECKPOINTS = Table(
    "audit_checkpoint",
    METADATA,
    Column("id", BIG, primary_key=True),
    Column("writer", String(32), nullable=False),
    # The last row that was removed, and how many were by this purge.
    Column("seq", BIG, nullable=False),
    Column("row_mac", String(64), nullable=False),
    Column("rows", BIG, nullable=False),
    # The day that rows were removed before, and when it was done (UTC, ISO 8601).
    Column("before", String(32), nullable=False),
    Column("purged", String(32), nullable=False),
    # Over the checkpoint before it and all of the above.
    Column("mac", String(64), nullable=False),
)


def engine(backend: Backend, connect: Callable[[], Driver]) -> Engine:
    """SQLAlchemy over `connect` of the backend; a connection that is closed is gone."""
    return create_engine(f"{backend.dialect}://", creator=connect, poolclass=NullPool)
