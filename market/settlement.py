"""Settlement of a traded interval in exact integers: the ledger's rule on a community.

Accounts of all users, the operator and the grid sum to zero, in Wh and in micro-units of
the currency.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gridloom.chaincode.energy.rules.interval_settlement import OPERATOR, settle_interval
from gridloom.chaincode.energy.rules.orders import Cleared
from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.chaincode.energy.rules.settlement import GRID


class Settled(NamedTuple):
    """money: micro-units earned (+) or paid (-) by each user in order; operator, grid: the
    same of those two.  All of it sums to zero."""

    money: tuple[int, ...]
    operator: int
    grid: int


def settle(
    names: Sequence[str], cleared: Cleared, metered: Sequence[int], prices: GridPrices
) -> Settled:
    """Settle an interval; metered: Wh fed in (+) or taken (-) by each of names."""
    accounts = settle_interval(cleared.trades, dict(zip(names, metered, strict=True)), prices)
    money = {account.party: account.money for account in accounts}
    return Settled(tuple(money[name] for name in names), money[OPERATOR], money[GRID])
