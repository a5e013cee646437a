"""How users turn their net energy into orders: strategies by name.

`open` takes any price (sellers ask 0, buyers bid p_b); `truthful` states what the grid
would pay or ask; `random` draws limits evenly between the grid's two prices, the
zero-intelligence trader with a budget of Gode and Sunder (J. Political Economy 101,
1993).  In which sequence they count is drawn by lot (rules/lottery), as on the ledger.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from gridloom.chaincode.energy.rules.orders import Order, Side
from gridloom.chaincode.energy.rules.prices import GridPrices

Limits = Callable[[Sequence[int], GridPrices, np.random.Generator], Sequence[int]]
"""Limit of each of the net energies, micro-units per kWh."""


def _open(net: Sequence[int], grid: GridPrices, rng: np.random.Generator) -> list[int]:
    return [0 if energy > 0 else grid.buy for energy in net]


def _truthful(net: Sequence[int], grid: GridPrices, rng: np.random.Generator) -> list[int]:
    return [grid.sell if energy > 0 else grid.buy for energy in net]


def _random(net: Sequence[int], grid: GridPrices, rng: np.random.Generator) -> list[int]:
    drawn: list[int] = rng.integers(grid.sell, grid.buy, size=len(net), endpoint=True).tolist()
    return drawn


STRATEGIES: Mapping[str, Limits] = MappingProxyType(
    {"open": _open, "truthful": _truthful, "random": _random}
)


def orders(
    names: Sequence[str],
    net: Sequence[int],
    grid: GridPrices,
    strategy: str,
    rng: np.random.Generator,
) -> tuple[Order, ...]:
    """One order for each user with net != 0 (Wh), not yet drawn; KeyError for a strategy."""
    limits = STRATEGIES[strategy](net, grid, rng)
    return tuple(
        Order(name, Side.SELL if energy > 0 else Side.BUY, abs(energy), limit, 0)
        for name, energy, limit in zip(names, net, limits, strict=True)
        if energy
    )
