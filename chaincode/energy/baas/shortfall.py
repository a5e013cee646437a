"""The penalty of a seller who delivers less than planned: paper 000, payment_A.

Below 95 % of the plan he pays the purchaser (0.95 plan - actual)(value_1 - value_2), the
extra cost of replacing the energy at the grid's price value_1 instead of the contract's
value_2; from 95 % on nothing, so the penalty is continuous.  What was delivered is
settled at value_2 apart from it.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from fractions import Fraction

BAND = Fraction(95, 100)


def penalty(
    plan: Fraction, actual: Fraction, value_1: Fraction, value_2: Fraction, band: Fraction = BAND
) -> Fraction:
    """Money from seller to purchaser, in the unit of energy times price."""
    missing = band * plan - actual
    return missing * (value_1 - value_2) if missing > 0 else Fraction(0)
