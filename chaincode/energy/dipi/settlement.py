"""Settlement of a DIPI contract: paper 001, the rule behind Table 2.

Traded is what was both used and generated, whatever had been agreed.  The buyer pays
price and wheeling charge on it and the retail price for what he lacks; the seller gets
the price, and the grid's buy-back price for what is left over; the grid gets the rest, so
buyer = seller + grid exactly.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Prices:
    """Money per unit of energy: of the contract, the grid's wheeling, retail and buy-back."""

    price: Fraction
    wheeling: Fraction
    retail: Fraction
    buyback: Fraction


@dataclass(frozen=True, slots=True)
class Bill:
    """traded, deficit, surplus: energy; buyer pays, seller and grid earn: money."""

    traded: Fraction
    deficit: Fraction
    surplus: Fraction
    buyer: Fraction
    seller: Fraction
    grid: Fraction


def settle(used: Fraction, generated: Fraction, prices: Prices) -> Bill:
    """The bill for a period in which the buyer used and the seller generated so much."""
    traded = min(used, generated)
    deficit = used - traded
    surplus = generated - traded
    return Bill(
        traded,
        deficit,
        surplus,
        buyer=traded * (prices.price + prices.wheeling) + deficit * prices.retail,
        seller=traded * prices.price + surplus * prices.buyback,
        grid=traded * prices.wheeling + deficit * prices.retail - surplus * prices.buyback,
    )
