"""Market mechanisms: orders in, trades and prices out, pure.

A mechanism is `Mechanism`: a function of one interval's orders and the grid's two prices.
To add one:

1. Write the function in a module of its own, the source's equations named.  A rule that
   the ledger recomputes goes to chaincode/energy/rules (pure, integers; the auctions'
   are in rules/auctions); one that only runs here goes beside its paper's modules.
2. Name it in `MECHANISMS` of your paper's module in mechanisms/, as a `MechanismEntry`.
   `make` gets what a scenario says under `mechanism` beside the name, and the community
   (for credits, distances, groups), and returns the function.
3. Its chaincode, in chaincode/energy, recomputes it; see studies/ for trading on a ledger.

tests/market/test_mechanisms.py then holds it to the properties that all must have.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gridloom.chaincode.energy.rules.orders import Cleared, Order
from gridloom.chaincode.energy.rules.prices import GridPrices

from .community import Community


class Mechanism(Protocol):
    """Clears one interval."""

    def __call__(self, orders: Sequence[Order], grid: GridPrices, /) -> Cleared:
        """The trades, none beyond an order's energy or limit."""


Parameters = Mapping[str, object]
"""What a scenario says beside a name; values as YAML has them."""


@dataclass(frozen=True, slots=True)
class MechanismEntry:
    """title: one line for `gridloom market list`; source: whose equations; bidding: the
    strategy (bidding.STRATEGIES) by which users order unless the scenario says another;
    on_ledger: whether chaincode `auction` recomputes it."""

    title: str
    source: str
    bidding: str
    make: Callable[[Parameters, Community], Mechanism]
    on_ledger: bool = False
