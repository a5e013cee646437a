"""From the swarm's archive to a purchase in whole Wh that the ledger accepts.

The archive trades cost against quantity; the users' demand decides which of its members is
taken: the smallest one that covers it, cut back to it, the dearest supplier first.
(Paper 004, section 3.2; Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridloom.chaincode.energy.distribution.purchases import (
    Purchase,
    SupplierOffer,
    UserDemand,
    bill,
    standard,
)
from gridloom.chaincode.energy.rules.amounts import apportion

from ..pareto.archive import Archive
from ..pareto.front import Front, exact_front, hypervolume
from ..pareto.mopso import Flight, search
from ..pareto.offers import Floats, Offers

_WH_PER_MWH = 1_000_000


@dataclass(frozen=True, slots=True)
class Bought:
    """An hour's purchase, the archive it comes from, and the exact front.

    energies: Wh by offer; covered: the archive's share of the front's hypervolume; gap: how
    far the archive's worst member lies above the front, as a share of C(Q_max).
    """

    energies: tuple[int, ...]
    purchase: Purchase
    archive: Archive
    front: Front
    covered: float
    gap: float


def in_model_units(offers: Sequence[SupplierOffer], cap: int) -> Offers:
    """The offers in yuan per kWh and MWh."""
    return Offers(
        tuple(offer.price / 1e6 for offer in offers),
        tuple(offer.transmission / 1e6 for offer in offers),
        tuple(offer.capacity / _WH_PER_MWH for offer in offers),
        cap / 1e6,
    )


def buy(
    interval: int,
    offers: Sequence[SupplierOffer],
    demands: Sequence[UserDemand],
    cap: int,
    rng: np.random.Generator,
    *,
    flight: Flight | None = None,
) -> Bought:
    """Fly the swarm and take from its archive what the users need."""
    model = in_model_units(offers, cap)
    archive = search(model, rng, flight or Flight())
    exact = standard(offers, cap)
    due = min(sum(demand.energy for demand in demands), exact.most)
    energies = choose(archive, offers, due)
    front = exact_front(model)
    purchase = bill(interval, offers, energies, demands, exact)
    return Bought(energies, purchase, archive, front, *_judged(archive, front))


def choose(archive: Archive, offers: Sequence[SupplierOffer], due: int) -> tuple[int, ...]:
    """Whole Wh of each offer that add up to due: the cheapest member that covers it, cut back."""
    covering = np.flatnonzero(archive.values.quantity * _WH_PER_MWH >= due)
    member = archive.purchases[covering[0] if covering.size else -1]
    energies = [
        min(int(energy), offer.capacity)
        for energy, offer in zip(np.floor(member * _WH_PER_MWH), offers, strict=True)
    ]
    cheapest_first = sorted(range(len(offers)), key=lambda i: (offers[i].delivered, i))
    surplus = sum(energies) - due
    for i in reversed(cheapest_first):
        cut = min(energies[i], max(surplus, 0))
        energies[i] -= cut
        surplus -= cut
    for i in cheapest_first:  # what rounding down has lost
        more = min(offers[i].capacity - energies[i], max(-surplus, 0))
        energies[i] += more
        surplus += more
    return tuple(energies)


def pro_rata(offers: Sequence[SupplierOffer], due: int) -> tuple[int, ...]:
    """The same quantity from all suppliers in proportion to what they offer."""
    return apportion(due, [offer.capacity for offer in offers])


def delivered_cost(offers: Sequence[SupplierOffer], energies: Sequence[int]) -> float:
    """Yuan for whole Wh at delivered prices."""
    pairs = zip(offers, energies, strict=True)
    return sum(offer.delivered * energy for offer, energy in pairs) / 1e9


def _judged(archive: Archive, front: Front) -> tuple[float, float]:
    """Share of the hypervolume covered, and the largest height above the front."""
    if front.hypervolume == 0:
        return 1.0, 0.0
    quantity: Floats = np.minimum(archive.values.quantity, front.most)
    above = float(np.max(archive.values.cost - front.cost_at(quantity)))
    covered = hypervolume(archive.values, front.reference) / front.hypervolume
    return covered, max(above, 0.0) / front.cost[-1]
