"""Mechanisms of paper 003, the consortium microgrid.

`microgrid` prices an interval as the paper does: with a surplus of orders at p_a, when
energy is short by a mode of microgrid.pricing (its Nash bargain unless the scenario says
another), rounded to micro-units; then eq. (13) shares the energy (auctions.pool).  Orders
are what the ledger has, so sellers' answer to the price moves the price only, not the
energy; their loads, which calibrate lam = p_s (1 + load), are the community's means.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from gridloom.chaincode.energy.rules.auctions.pool import share
from gridloom.chaincode.energy.rules.orders import NOTHING, Cleared, Order, sides
from gridloom.chaincode.energy.rules.prices import GridPrices

from ..community import Community
from ..errors import ScenarioError
from ..mechanism import Mechanism, MechanismEntry, Parameters
from ..microgrid.followers import Followers
from ..microgrid.pricing import DEFAULT_MODE
from ..microgrid.pricing import MECHANISMS as MODES
from ..tariff import Tariff

_MICRO = 1_000_000


def _make(parameters: Parameters, community: Community) -> Mechanism:
    mode = parameters.get("mode", DEFAULT_MODE)
    unknown = set(parameters) - {"mode"}
    if unknown or mode not in MODES:
        reason = f"{mode!r} is none of {', '.join(sorted(MODES))}"
        raise ScenarioError("mechanism microgrid", min(unknown, default="mode"), reason)
    price_of = MODES[str(mode)]
    means = community.load.mean(axis=0) / 1000 if community.intervals else np.zeros(0)
    loads = dict(zip(community.names, means.tolist(), strict=True))

    def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
        buying, selling = sides(orders)
        if not buying or not selling:
            return NOTHING
        supply = sum(order.energy for order in selling)
        demand = sum(order.energy for order in buying)
        if supply >= demand:
            return share(orders, grid.compromise)
        tariff = Tariff(grid.sell / _MICRO, grid.buy / _MICRO)
        load = np.asarray([loads[order.party] for order in selling])
        offered = np.asarray([order.energy / 1000 for order in selling])
        followers = Followers(
            generation=load + offered,
            low=np.zeros_like(load),
            high=load + offered,
            lam=(tariff.sell * (1 + load))[None, :],
            weight=np.ones(1),
            demand=demand / 1000,
            tariff=tariff,
        )
        price = round(price_of(followers) * _MICRO)
        return share(orders, min(max(price, grid.sell), grid.buy))

    return clear


MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType(
    {
        "microgrid": MechanismEntry(
            "the microgrid's pricing game", "Zhao et al. 2019, eqs. 8-15", "open", _make
        )
    }
)
