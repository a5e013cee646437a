"""The three objectives of paper 002, eqs. (1)-(8), as four transfers of whole micro-yuan.

    H_G = P_GU Q_GU + P_GC Q_GC - P_CG Q_CG + s P_CG^2 Q_CG
    H_C = P_CU Q_CU + P_CG Q_CG - P_GC Q_GC - s P_CU^2 Q_CU - s P_CG^2 Q_CG
    R_U = P_CU Q_CU + P_GU Q_GU - s P_CU^2 Q_CU

Every term stands twice with opposite signs: what one party pays another receives.  So each
flow is one payment, rounded once, and H_G + H_C - R_U = 0 holds to the micro-yuan.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .flows import Flows

_MICRO = 1_000_000
_WH_PER_KWH = 1_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What the first letter asks of the second, micro-yuan per kWh; None: nothing is sold."""

    gu: int | None
    gc: int | None
    cu: int | None
    cg: int | None


class Account(NamedTuple):
    """An hour's money, micro-yuan: earned by G, earned by C, paid by U."""

    company: int
    bureau: int
    users: int


def net_price(price: int, subsidy: int) -> tuple[int, int]:
    """The price less its subsidy, P - s P^2, as a fraction (numerator, denominator).

    price: micro-yuan per kWh; subsidy: s in micro-kWh per yuan (the paper's 0.05 is 50,000).
    """
    return price * _MICRO**2 - subsidy * price * price, _MICRO**2


def payment(energy: int, price: int | None, subsidy: int = 0) -> int:
    """Money for energy (Wh) at a price less its subsidy, rounded half up."""
    if energy == 0 or price is None:
        return 0
    numerator, denominator = net_price(price, subsidy)
    scale = denominator * _WH_PER_KWH
    return (2 * energy * numerator + scale) // (2 * scale)


def accounts(flows: Flows[int], prices: Prices, subsidy: int) -> Account:
    """The three parties' money for an hour; company + bureau - users is zero."""
    gu, gc = payment(flows.gu, prices.gu), payment(flows.gc, prices.gc)
    cu, cg = payment(flows.cu, prices.cu, subsidy), payment(flows.cg, prices.cg, subsidy)
    return Account(company=gu + gc - cg, bureau=cu + cg - gc, users=gu + cu)
