"""What only the learning market refuses; its other refusals are the suite's (faults.py).

    MarketFault
    ├── OutsideBounds   a price outside the party's bidding space   422
    └── StageClosed     quotes of the stage are no longer taken     409

(Fabric counterpart: shim.Error with a status.)
"""

from __future__ import annotations

from ..faults import MarketFault
from .parties import Bounds


class OutsideBounds(MarketFault):
    """A price outside a party's bidding space; micro-yuan per kWh."""

    def __init__(self, what: str, price: int, bounds: Bounds) -> None:
        span = f"[{bounds.low}, {bounds.high}]"
        super().__init__(f"{what}: {price} is outside {span} micro-yuan per kWh", status=422)
        self.price = price
        self.bounds = bounds


class StageClosed(MarketFault):
    """A stage of a delivery hour has ended."""

    def __init__(self, hour: int, stage: str) -> None:
        super().__init__(f"the {stage} stage of hour {hour} is closed", status=409)
        self.hour = hour
        self.stage = stage
