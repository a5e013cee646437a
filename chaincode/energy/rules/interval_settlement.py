"""An interval's trades and meters as accounts that sum to zero.

Trades are paid as agreed.  What a party's meter shows beyond its trades goes to or comes
from the grid at the grid's prices: a seller who delivered too little thereby buys the
shortfall at p_b, and unmatched energy is never lost.  A trade's spread is the operator's.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .amounts import value_of
from .orders import Trade
from .prices import GridPrices
from .settlement import GRID, Account, Transfer, settle

OPERATOR = "operator"


def settle_interval(
    trades: Iterable[Trade], metered: Mapping[str, int], grid: GridPrices
) -> tuple[Account, ...]:
    """One account for each party, the grid and the operator, ordered by name.

    metered: Wh fed in (+) or taken (-) by every party, those without trades too.
    KeyError if a trade names a party without a meter.
    """
    open_energy = dict(metered)
    transfers: list[Transfer] = []
    for trade in trades:
        open_energy[trade.seller] -= trade.energy
        open_energy[trade.buyer] += trade.energy
        earned, paid = value_of(trade.energy, trade.earns), value_of(trade.energy, trade.pays)
        transfers.append(Transfer(trade.seller, trade.buyer, trade.energy, earned))
        if paid != earned:
            transfers.append(Transfer(OPERATOR, trade.buyer, 0, paid - earned))
    for party, energy in open_energy.items():
        if energy > 0:
            transfers.append(Transfer(party, GRID, energy, value_of(energy, grid.sell)))
        elif energy < 0:
            transfers.append(Transfer(GRID, party, -energy, value_of(-energy, grid.buy)))
    return settle(transfers, {**metered, OPERATOR: 0})
