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
from .settlement import GRID, Account, check_zero_sum

OPERATOR = "operator"


def settle_interval(
    trades: Iterable[Trade], metered: Mapping[str, int], grid: GridPrices
) -> tuple[Account, ...]:
    """One account for each party, the grid and the operator, ordered by name.

    metered: Wh fed in (+) or taken (-) by every party, those without trades too.
    KeyError if a trade names a party without a meter.  UnbalancedSettlement never, unless
    this function is wrong: what does not balance must not reach the ledger.
    """
    money = dict.fromkeys((*metered, GRID, OPERATOR), 0)
    rest = dict(metered)
    for trade in trades:
        earned, paid = value_of(trade.energy, trade.earns), value_of(trade.energy, trade.pays)
        rest[trade.seller] -= trade.energy
        rest[trade.buyer] += trade.energy
        money[trade.seller] += earned
        money[trade.buyer] -= paid
        money[OPERATOR] += paid - earned
    fed_in = 0
    for party, energy in rest.items():
        fed_in += energy
        due = value_of(energy, grid.sell) if energy > 0 else -value_of(-energy, grid.buy)
        money[party] += due
        money[GRID] -= due
    energies = {**metered, OPERATOR: 0, GRID: -fed_in}
    accounts = tuple(Account(party, energies[party], money[party]) for party in sorted(money))
    check_zero_sum(accounts)
    return accounts
