"""The exact trade-off between cost and quantity, and how much of it a set of points covers.

(Paper 004 as restated in NOTES 5.2: merit order; Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridloom.chaincode.energy.distribution.merit_order import breakpoints

from .offers import Floats, Offers, Values, exact


@dataclass(frozen=True, slots=True)
class Front:
    """C(Q) by its corners: quantities in MWh and costs in thousand yuan, both from 0."""

    quantity: tuple[float, ...]
    cost: tuple[float, ...]

    @property
    def most(self) -> float:
        """Q_max: where the cap or the capacity ends the front."""
        return self.quantity[-1]

    @property
    def reference(self) -> tuple[float, float]:
        """The worst corner (0, C(Q_max)), from which hypervolume is measured."""
        return 0.0, self.cost[-1]

    @property
    def hypervolume(self) -> float:
        """The area between the reference and the whole front: what no archive can exceed."""
        quantity, cost = np.asarray(self.quantity), np.asarray(self.cost)
        heights = cost[-1] - (cost[1:] + cost[:-1]) / 2
        return float(np.sum(np.diff(quantity) * heights))

    def cost_at(self, quantity: Floats) -> Floats:
        """C(Q) for quantities in [0, Q_max]."""
        return np.interp(quantity, self.quantity, self.cost)


def exact_front(offers: Offers) -> Front:
    """The front of the offers."""
    capacity = [exact(own) for own in offers.capacity]
    corners = breakpoints(offers.exact_delivered, capacity, exact(offers.cap))
    return Front(
        tuple(float(corner.quantity) for corner in corners),
        tuple(float(corner.cost) for corner in corners),
    )


def hypervolume(points: Values, reference: tuple[float, float]) -> float:
    """The area that points dominate between them and the reference (quantity, cost)."""
    inside = (points.cost <= reference[1]) & (points.quantity >= reference[0])
    order = np.lexsort((-points.quantity[inside], points.cost[inside]))
    cost, quantity = points.cost[inside][order], points.quantity[inside][order]
    best = np.maximum.accumulate(np.concatenate([[reference[0]], quantity]))
    return float(np.sum(np.diff(best) * (reference[1] - cost)))
