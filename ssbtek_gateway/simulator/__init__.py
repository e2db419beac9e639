"""The agencies' base services, simulated: personas in, schema-valid answers out, and faults on demand.

The only stand-in of the project. It shares no code with what it tests, save the values, the schemas and the parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssbtek_gateway.simulator import af, csn, fk, miv, skv, so, tns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssbtek_gateway.simulator.agency import Agency

# The registry: one line a base service.
AGENCIES: Mapping[str, Agency] = {
    agency.code: agency
    for agency in (
        af.AGENCY,
        so.AGENCY,
        csn.AGENCY,
        fk.AGENCY,
        skv.AGENCY,
        tns.AGENCY,
        miv.AGENCY,
    )
}
