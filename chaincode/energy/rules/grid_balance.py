"""Supply-and-demand compensation: the grid takes what is left and gives what is missing.

Buyers bear the cost of the shortage at p_b, sellers earn the surplus at p_s (paper 003,
Table 6).  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .allocation import Allocation
from .amounts import payments
from .prices import GridPrices


class GridShare(NamedTuple):
    """What one unit exchanges with the grid: Wh and micro-yuan, both >= 0."""

    energy: int
    money: int


class GridBalance(NamedTuple):
    """exported: per seller, paid by the grid; imported: per buyer, paid to the grid."""

    exported: tuple[GridShare, ...]
    imported: tuple[GridShare, ...]


def balance(
    supplies: Sequence[int], demands: Sequence[int], inside: Allocation, grid: GridPrices
) -> GridBalance:
    """Settle with the grid what the allocation of the same orders leaves over."""
    left = [supply - sold for supply, sold in zip(supplies, inside.sold, strict=True)]
    missing = [demand - got for demand, got in zip(demands, inside.bought, strict=True)]
    return GridBalance(_shares(left, grid.sell), _shares(missing, grid.buy))


def _shares(energies: Sequence[int], price: int) -> tuple[GridShare, ...]:
    return tuple(map(GridShare, energies, payments(energies, price)))
