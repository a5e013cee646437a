"""The paper's multi-objective particle swarm: purchases that cost little and buy much.

Paper 004, eq. (5), with P_gd drawn from the archive of non-inferior solutions; the step and its
constants, which the paper does not give, are in flight.py.  A position outside an offer is put
on its edge; one above the price cap is cut back, the dearest supplier first.  In each step part
of the swarm also moves energy from a dearer to a cheaper supplier (the paper's "transaction
priority").  The flight alone ends about 1 % of C(Q_max) above the front; settling the archive by
the same moves, once for each pair of suppliers, brings it onto the front.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..flight import Particles, step
from .archive import Archive, non_dominated, thin
from .offers import Floats, Offers, Values

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Flight:
    """How the swarm flies.

    particles, iterations; archive: most members kept; exchange: share of the particles that
    move energy to a cheaper supplier in each step; settle: whether the archive does so at the
    end.
    """

    particles: int = 100
    iterations: int = 60
    archive: int = 200
    exchange: float = 0.2
    settle: bool = True


def search(offers: Offers, rng: np.random.Generator, flight: Flight = Flight()) -> Archive:
    """Fly a swarm over the offers; the archive it leaves.  The same rng state, the same archive."""
    swarm = _Swarm(offers, rng, flight)
    for _ in range(flight.iterations):
        swarm.fly()
    return settled(offers, swarm.archive) if flight.settle else swarm.archive


def settled(offers: Offers, archive: Archive) -> Archive:
    """The archive after every move from a dearer to a cheaper supplier: nobody buys less."""
    purchases = archive.purchases.copy()
    high, order = np.asarray(offers.capacity), offers.merit_order
    for place, cheap in enumerate(order):
        for dear in order[:place:-1]:
            _shift(purchases, slice(None), cheap, dear, high[cheap])
    return non_dominated(purchases, offers.values(purchases))


def _shift(purchases: Floats, rows: Rows | slice, cheap: Rows, dear: Rows, limit: Floats) -> None:
    """Move what fits below the cheap supplier's limit from the dear one to him."""
    moved = np.minimum(limit - purchases[rows, cheap], purchases[rows, dear])
    purchases[rows, cheap] += moved
    purchases[rows, dear] -= moved


class _Swarm:
    """Positions, velocities and own best purchases, and the archive of all."""

    def __init__(self, offers: Offers, rng: np.random.Generator, flight: Flight) -> None:
        self._offers, self._rng, self._flight = offers, rng, flight
        self._high = np.asarray(offers.capacity, dtype=np.float64)
        shape = (flight.particles, len(self._high))
        position = offers.curtail(rng.uniform(0.0, 1.0, shape) * self._high)
        self._swarm = Particles(position, rng.uniform(-0.5, 0.5, shape) * self._high)
        self._own = position.copy()
        self._own_values = offers.values(self._own)
        ends = offers.curtail(np.stack([np.zeros_like(self._high), self._high]))
        first = np.concatenate([ends, position])
        self.archive = thin(non_dominated(first, offers.values(first)), flight.archive)

    def fly(self) -> None:
        """One step of every particle, eq. (5)."""
        rng, flight = self._rng, self._flight
        leaders = self.archive.purchases[rng.integers(len(self.archive), size=flight.particles)]
        moved, velocity = step(self._swarm, self._own, leaders, (0.0, self._high), rng)
        self._exchange(moved)
        position = self._offers.curtail(moved)
        self._swarm = Particles(position, velocity)
        values = self._offers.values(position)
        self._remember(values)
        everybody = np.concatenate([self.archive.purchases, position])
        both = Values(
            np.concatenate([self.archive.values.cost, values.cost]),
            np.concatenate([self.archive.values.quantity, values.quantity]),
        )
        self.archive = thin(non_dominated(everybody, both), flight.archive)

    def _exchange(self, purchases: Floats) -> None:
        """Move energy from a dearer supplier to a cheaper one, in some of the purchases."""
        rng, suppliers = self._rng, purchases.shape[1]
        rows = np.flatnonzero(rng.uniform(size=len(purchases)) < self._flight.exchange)
        if suppliers < 2 or not rows.size:
            return
        delivered = self._offers.delivered
        pair = np.stack([rng.integers(suppliers, size=rows.size) for _ in range(2)])
        cheap, dear = np.where(delivered[pair[0]] <= delivered[pair[1]], pair, pair[::-1])
        two = cheap != dear
        cheap, dear, rows = cheap[two], dear[two], rows[two]
        _shift(purchases, rows, cheap, dear, self._high[cheap])

    def _remember(self, values: Values) -> None:
        """The own best: replaced by what is no worse in both, or by chance if neither is."""
        own = self._own_values
        no_worse = (values.cost <= own.cost) & (values.quantity >= own.quantity)
        worse = (values.cost >= own.cost) & (values.quantity <= own.quantity) & ~no_worse
        coin = self._rng.uniform(size=len(no_worse)) < 0.5
        take = no_worse | (~worse & coin)
        self._own[take] = self._swarm.position[take]
        self._own_values = Values(
            np.where(take, values.cost, own.cost), np.where(take, values.quantity, own.quantity)
        )
