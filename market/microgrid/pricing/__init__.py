"""Ways to set the hour's internal price when energy is short, one module each.

`MECHANISMS` maps a case's `mode` to a function Followers -> price (yuan per kWh, in
[p_s, p_b]).  An hour with surplus needs none of them: its price is p_a.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..followers import Followers
from . import (
    clearing,
    equal_split,
    literal_nash,
    midpoint,
    nash_bargain,
    stackelberg_buyer,
    supply_demand_ratio,
    welfare,
)

Mechanism = Callable[[Followers], float]

DEFAULT_MODE = "nash_bargain"

MECHANISMS: Mapping[str, Mechanism] = MappingProxyType(
    {
        "literal_nash": literal_nash.price,
        "stackelberg_buyer": stackelberg_buyer.price,
        "nash_bargain": nash_bargain.price,
        "equal_split": equal_split.price,
        "midpoint": midpoint.price,
        "welfare": welfare.price,
        "sdr": supply_demand_ratio.price,
        "linear_sdr": supply_demand_ratio.linear_price,
        "clearing": clearing.price,
    }
)
