"""What four prices are worth to the three parties (paper 002, eqs. (1)-(12) as restated).

    H_G = P_GU Q_GU + P_GC Q_GC - n(P_CG) Q_CG
    H_C = n(P_CU) Q_CU + n(P_CG) Q_CG - P_GC Q_GC        n(P) = P - s P^2
    R_U = n(P_CU) Q_CU + P_GU Q_GU

in yuan, quantities in kWh, prices in yuan per kWh, subsidy s in kWh per yuan.  Summed,
H_G + H_C - R_U is zero for all prices: the printed problem only moves money between the
three.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from typing import NamedTuple

from gridloom.chaincode.energy.learning.flows import Flows

SUBSIDY = 0.05
"""s of eqs. (3), (6) and (8), kWh per yuan."""


class Prices(NamedTuple):
    """What the first letter asks of the second, yuan per kWh."""

    gu: float
    gc: float
    cu: float
    cg: float


class Objectives(NamedTuple):
    """Yuan: gained by the company, gained by the bureau, paid by the users."""

    company: float
    bureau: float
    users: float

    @property
    def balance(self) -> float:
        """H_G + H_C - R_U: zero but for rounding."""
        return self.company + self.bureau - self.users


def net(price: float, subsidy: float) -> float:
    """n(P) = P - s P^2, what is left of a price after its subsidy."""
    return price - subsidy * price * price


def objectives(flows: Flows[float], prices: Prices, subsidy: float = SUBSIDY) -> Objectives:
    """H_G, H_C and R_U of an hour."""
    gu, gc = prices.gu * flows.gu, prices.gc * flows.gc
    cu, cg = net(prices.cu, subsidy) * flows.cu, net(prices.cg, subsidy) * flows.cg
    return Objectives(gu + gc - cg, cu + cg - gc, cu + gu)
