"""Integer money for integer energy, and totals split so that no unit is lost.

Energy is in Wh, money in micro-yuan, a price in micro-yuan per kWh.  A total is rounded
once, then divided by largest remainder; rounding each share by itself would leave the
shares' sum some micro-yuan away from the total.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

WH_PER_KWH = 1000
_HALF = WH_PER_KWH // 2


def value_of(energy: int, price: int) -> int:
    """Money for energy >= 0 at price, rounded half up to a whole micro-yuan."""
    return (energy * price + _HALF) // WH_PER_KWH


def apportion(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split total >= 0 in proportion to weights >= 0; the shares add up to total.

    Largest remainder: everyone gets his quota rounded down, the units left over go to
    the largest remainders, ties to the earlier position.  Where total <= sum(weights) no
    share exceeds its weight.  ValueError if there is something to split and no weight.
    """
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError(f"{total} cannot be split: all weights are zero")
        return tuple(0 for _ in weights)
    shares = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    order = sorted(range(len(shares)), key=lambda i: -remainders[i])
    for i in order[: total - sum(shares)]:
        shares[i] += 1
    return tuple(shares)


def payments(energies: Sequence[int], price: int) -> tuple[int, ...]:
    """Money for each of energies; together exactly the value of their sum."""
    return apportion(value_of(sum(energies), price), energies)
