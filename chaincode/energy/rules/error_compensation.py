"""Error compensation: a seller answers for the difference between forecast and meter.

Buyers pay for and receive the agreed volume.  What the seller did not deliver he buys
from the grid at p_b; what he delivered beyond the agreed volume goes to the grid at p_s,
in place of the surplus he had planned to sell there (paper 003, Table 7).
(Fabric counterpart: none.)
"""

from __future__ import annotations

from typing import NamedTuple

from .amounts import value_of
from .prices import GridPrices


class ErrorCompensation(NamedTuple):
    """A seller's deviation in one hour; Wh and micro-yuan.

    shortfall, cost: bought from the grid at p_b in place of agreed energy; export_change,
    income: difference to the planned sale at p_s, both negative when less was left over.
    """

    shortfall: int
    cost: int
    export_change: int
    income: int


def compensate(
    agreed: int, planned_export: int, metered: int, grid: GridPrices
) -> ErrorCompensation:
    """Compare metered net output with what was agreed inside and planned for the grid.

    All in Wh, >= 0.
    """
    shortfall = max(agreed - metered, 0)
    exported = max(metered - agreed, 0)
    income = value_of(exported, grid.sell) - value_of(planned_export, grid.sell)
    change = exported - planned_export
    return ErrorCompensation(shortfall, value_of(shortfall, grid.buy), change, income)
