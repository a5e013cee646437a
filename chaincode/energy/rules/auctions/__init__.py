"""Clearing rules that the ledger recomputes: orders in, trades and prices out.

`RULES` maps a rule's name to a pure function of an interval's orders and the grid's
prices.  A new rule is one module with such a function and one line here; the chaincode
`auction` and the market's scenarios then know it by its name.  Every rule keeps what
tests/chaincode/energy/rules/test_auctions.py states for all of them: nobody trades more
than he ordered or beyond his limit, both sides' energies are equal, and pays >= earns.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ..orders import Cleared, Order
from ..prices import GridPrices
from . import (
    bill_sharing,
    continuous,
    grid_only,
    mid_market,
    pay_as_bid,
    pay_as_clear,
    supply_demand,
)

Rule = Callable[[Sequence[Order], GridPrices], Cleared]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "pay_as_clear": pay_as_clear.clear,
        "pay_as_bid": pay_as_bid.clear,
        "continuous": continuous.clear,
        "mid_market": mid_market.clear,
        "supply_demand": supply_demand.clear,
        "bill_sharing": bill_sharing.clear,
        "grid_only": grid_only.clear,
    }
)
