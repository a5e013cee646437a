"""Error compensation in yuan and kWh: what was agreed against what was metered.

Buyers pay for and receive the agreed volume; a seller who delivers less buys the
shortfall from the grid at p_b, one who delivers more sells the excess to it at p_s.
The ledger's own rule, in integers, is chaincode/energy/rules/; this one answers case
files to 1e-9.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..tariff import Tariff


@dataclass(frozen=True, slots=True)
class Metered:
    """One entry per seller: kWh, then yuan."""

    shortfall: tuple[float, ...]
    excess: tuple[float, ...]
    seller_net: tuple[float, ...]
    buyer_pays: tuple[float, ...]


def compensate(
    agreed: Sequence[float], actual: Sequence[float], price: float, tariff: Tariff
) -> Metered:
    """Settle agreed volumes (kWh, at price) whose sellers delivered actual (kWh)."""
    pairs = list(zip(agreed, actual, strict=True))
    shortfall = tuple(max(promised - given, 0.0) for promised, given in pairs)
    excess = tuple(max(given - promised, 0.0) for promised, given in pairs)
    pays = tuple(price * promised for promised in agreed)
    return Metered(
        shortfall=shortfall,
        excess=excess,
        seller_net=tuple(
            paid - tariff.buy * lacking + tariff.sell * spare
            for paid, lacking, spare in zip(pays, shortfall, excess, strict=True)
        ),
        buyer_pays=pays,
    )
