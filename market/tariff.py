"""The two outside prices between which every internal price must lie.

Source: paper 003, inequality (8) and the surplus rule below eq. (15).
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tariff:
    """Grid prices in yuan per kWh.

    sell: p_s, what the grid pays for surplus; buy: p_b, what the grid asks.
    0 < sell < buy is the caller's duty (solve and profiles check it by field).
    """

    sell: float
    buy: float

    @property
    def compromise(self) -> float:
        """p_a = (p_s + p_b) / 2, the price of an hour with surplus."""
        return (self.sell + self.buy) / 2


PAPER_TARIFF = Tariff(sell=0.77, buy=0.85)
