"""What only the purchase desk refuses; its other refusals are the suite's (faults.py).

    MarketFault
    ├── CapExceeded   the average delivered price is above the cap       422
    └── TooDear       the same energy costs noticeably less otherwise    422

(Fabric counterpart: shim.Error with a status.)
"""

from __future__ import annotations

from ..faults import MarketFault


class CapExceeded(MarketFault):
    """A purchase breaks eq. (7); cost in micro-yuan per kWh x Wh, quantity in Wh."""

    def __init__(self, cost: int, quantity: int, cap: int) -> None:
        average = -(-cost // quantity)
        message = f"an average delivered price of {average} micro-yuan per kWh is above {cap}"
        super().__init__(message, status=422)
        self.cost = cost
        self.quantity = quantity
        self.cap = cap


class TooDear(MarketFault):
    """A purchase costs more than the merit order; micro-yuan per kWh x Wh."""

    def __init__(self, cost: int, cheapest: int) -> None:
        message = (
            f"the purchase costs {cost // 1000} micro-yuan, the merit order {cheapest // 1000}"
        )
        super().__init__(message, status=422)
        self.cost = cost
        self.cheapest = cheapest
