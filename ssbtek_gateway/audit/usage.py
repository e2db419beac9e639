"""Who asks in which contract version, how often, and when last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select

from ssbtek_gateway.audit.tables import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from ssbtek_gateway.audit.reader import Parts


@dataclass(frozen=True, slots=True)
class Used:
    """`fragor` were asked, `nekade` refused because the version was closed; `senast` is the last of both, in UTC.

    Of a refused question nothing is known but the certificate: its `organisation` is the certificate's.
    """

    organisation: str
    bitrade: str | None
    version: str
    fragor: int
    nekade: int
    senast: str

    def and_also(self, other: Used) -> Used:
        fragor, nekade = self.fragor + other.fragor, self.nekade + other.nekade
        return replace(self, fragor=fragor, nekade=nekade, senast=max(self.senast, other.senast))


def usage(parts: Parts, since: datetime | None = None) -> list[Used]:
    """By organisation, supplier and version, of all parts together.

    Raises `AuditError` by way of `reader.opened` where they cannot be read.
    """
    together: dict[tuple[str, str, str], Used] = {}
    for connection in parts.values():
        for one in _usage(connection, since):
            # Nobody sorts before somebody, as in the database.
            who = (one.organisation, one.bitrade or "", one.version)
            together[who] = together[who].and_also(one) if who in together else one
    return [together[who] for who in sorted(together)]


def _usage(connection: Connection, since: datetime | None) -> Iterator[Used]:
    asked, refused = ROWS.c.handelse == "FRAGAD", ROWS.c.felkod == "STANGD_VERSION"
    organisation = func.coalesce(ROWS.c.ingivare, ROWS.c.certifikat_organisation).label("organisation")
    who = (organisation, ROWS.c.bitrade, ROWS.c.version)
    counted = (
        func.sum(case((asked, 1), else_=0)).label("fragor"),
        func.sum(case((refused, 1), else_=0)).label("nekade"),
        func.max(ROWS.c.tidpunkt).label("senast"),
    )
    query = select(*who, *counted).where(asked | refused).group_by(*who)
    if since is not None:
        # ISO 8601 in UTC sorts as the moments do.
        query = query.where(ROWS.c.tidpunkt >= since.astimezone(UTC).isoformat())
    for row in connection.execute(query).mappings():
        yield Used(**row)
