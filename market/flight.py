"""One step of a particle swarm: paper 004's eq. (5), which paper 003 uses too.

    v <- w v + c1 z1 (own - x) + c2 z2 (leader - x),  x <- x + v

in the constriction form of Clerc and Kennedy (IEEE Trans. Evolutionary Computation 6, 2002):
all of it times chi = 0.7298 with c1 = c2 = 2.05, which is w = 0.7298 and c1 = c2 = 1.496.
A particle that leaves the box is put on its edge and stops in that direction.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_PULL = 2.05  # towards the particle's own best, and towards its leader
_PHI = 2 * _PULL
_CONSTRICTION = 2 / abs(2 - _PHI - math.sqrt(_PHI * _PHI - 4 * _PHI))


class Particles(NamedTuple):
    """Where all particles are and how fast they move: arrays of one shape."""

    position: Floats
    velocity: Floats


def step(
    particles: Particles,
    own: Floats,
    leader: Floats,
    box: tuple[Floats | float, Floats | float],
    rng: np.random.Generator,
) -> Particles:
    """The particles after a step within the box, its lowest and its highest corner.

    own: each particle's best place; leader: the place each one is drawn to.
    """
    position, velocity = particles
    pull = rng.uniform(0.0, _PULL, (2, *position.shape))
    velocity = velocity + pull[0] * (own - position) + pull[1] * (leader - position)
    velocity *= _CONSTRICTION
    moved = position + velocity
    low, high = box
    velocity[(moved < low) | (moved > high)] = 0.0
    return Particles(np.clip(moved, low, high), velocity)
