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
    rest, money = dict(metered), dict.fromkeys(metered, 0)
    spread = 0
    for seller, buyer, energy, pays, earns in trades:
        earned = value_of(energy, earns)
        paid = earned if pays == earns else value_of(energy, pays)
        rest[seller] -= energy
        rest[buyer] += energy
        money[seller] += earned
        money[buyer] -= paid
        spread += paid - earned
    grid_money, (sell, buy) = 0, (grid.sell, grid.buy)
    for party, energy in rest.items():
        due = value_of(energy, sell) if energy > 0 else -value_of(-energy, buy)
        money[party] += due
        grid_money -= due
    energies = {**metered, OPERATOR: 0, GRID: -sum(rest.values())}
    money |= {OPERATOR: spread, GRID: grid_money}
    parties = sorted(money)
    columns = zip(parties, map(energies.get, parties), map(money.get, parties), strict=True)
    accounts = tuple(map(Account._make, columns))
    check_zero_sum(accounts)
    return accounts
