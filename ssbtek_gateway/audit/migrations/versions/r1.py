"""The tables audit, audit_writer and audit_checkpoint.

They may be there already, from before revisions were noted; then only what is missing is created.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String, UniqueConstraint

revision = "1"
down_revision = None

_BIG = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit",
        Column("id", _BIG, primary_key=True),
        Column("tidpunkt", String(32), nullable=False),
        Column("incident", String(32), nullable=False),
        Column("handelse", String(8), nullable=False),
        Column("certifikat_organisation", String(12), nullable=False),
        Column("certifikat", String(64), nullable=False),
        Column("bitrade", String(12)),
        Column("ingivare", String(12)),
        Column("handlaggare", String),
        Column("person", String(64)),
        Column("person_nyckel", String(40)),
        Column("arende", String),
        Column("syfte", String),
        Column("lagtext", String),
        Column("version", String(8)),
        Column("bastjanster", String),
        Column("tider", String),
        Column("felkod", String(40)),
        Column("writer", String(32), nullable=False),
        Column("seq", _BIG, nullable=False),
        Column("mac", String(64), nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_audit_incident", "audit", ["incident"], if_not_exists=True)
    op.create_index("ix_audit_person", "audit", ["person"], if_not_exists=True)
    op.create_index("ix_audit_writer_seq", "audit", ["writer", "seq"], if_not_exists=True)
    op.create_table(
        "audit_writer",
        Column("id", _BIG, primary_key=True),
        Column("writer", String(32), nullable=False),
        Column("started", String(32), nullable=False),
        Column("previous_seq", _BIG),
        Column("previous_mac", String(64)),
        Column("mac", String(64), nullable=False),
        UniqueConstraint("writer"),
        if_not_exists=True,
    )
    op.create_table(
        "audit_checkpoint",
        Column("id", _BIG, primary_key=True),
        Column("writer", String(32), nullable=False),
        Column("seq", _BIG, nullable=False),
        Column("row_mac", String(64), nullable=False),
        Column("rows", _BIG, nullable=False),
        Column("before", String(32), nullable=False),
        Column("purged", String(32), nullable=False),
        Column("mac", String(64), nullable=False),
        if_not_exists=True,
    )
