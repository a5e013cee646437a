"""Who gets how much from whom: paper 003, eq. (13), capped at everyone's order.

q = min(S, D) is shared among the sellers in proportion to their supply and among the
buyers in proportion to their demand, both by largest remainder.  A seller's share then
flows to the buyers in proportion to what each still lacks, seller after seller, which
meets every seller's and every buyer's share exactly.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .amounts import apportion


class Path(NamedTuple):
    """Energy (Wh, > 0) from one seller to one buyer, by position."""

    seller: int
    buyer: int
    energy: int


class Allocation(NamedTuple):
    """sold: Wh per seller; bought: Wh per buyer; paths: at most one for each pair."""

    sold: tuple[int, ...]
    bought: tuple[int, ...]
    paths: tuple[Path, ...]

    @property
    def traded(self) -> int:
        """q, the energy that stays inside the microgrid, Wh."""
        return sum(self.sold)


def allocate(supplies: Sequence[int], demands: Sequence[int]) -> Allocation:
    """Match supplies with demands (Wh, >= 0); the result depends on their order only
    where a single Wh cannot be split, so callers put both in order of their ids."""
    traded = min(sum(supplies), sum(demands))
    sold = apportion(traded, supplies)
    bought = apportion(traded, demands)
    paths: list[Path] = []
    lacking = list(bought)
    for seller, share in enumerate(sold):
        for buyer, energy in enumerate(apportion(share, lacking)):
            lacking[buyer] -= energy
            if energy:
                paths.append(Path(seller, buyer, energy))
    return Allocation(sold, bought, tuple(paths))
