"""The paper's colony: ants in a box, local and global steps, pheromone on each ant's place.

Paper 002, II.C.6-7, with the constants it leaves out as restated [X]: 35 ants, 200 iterations;
p_i = (tau_max - tau_i) / tau_max; an ant with p_i < p0 = 0.2 looks around itself within
lambda = 0.1 (upper - lower) / iteration, the others jump by up to half the box (eq. 15);
steps are clipped to the box and kept if they are better.  Pheromone evaporates by rho and
grows by the quality of the ant's place, from 0 for the worst ant to 1 for the best.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import evaporation

Floats = npt.NDArray[np.float64]

Objective = Callable[[Floats], Floats]
"""From places of shape (ants, dimensions) to values of shape (ants,); larger is better."""


@dataclass(frozen=True, slots=True)
class Colony:
    """How the colony searches; defaults are the paper's, or the restated model's."""

    ants: int = 35
    iterations: int = 200
    local_below: float = 0.2  # p0
    local_reach: float = 0.1  # lambda at the first iteration, in widths of the box
    smallest_evaporation: float = evaporation.SMALLEST


class Search(NamedTuple):
    """Where the search ended: the best place, its value, best value after each iteration."""

    place: tuple[float, ...]
    value: float
    course: tuple[float, ...]


def maximise(
    objective: Objective,
    box: Sequence[tuple[float, float]],
    rng: np.random.Generator,
    colony: Colony = Colony(),
) -> Search:
    """Search the box for the largest objective; the same rng state gives the same search."""
    low, high = np.asarray(box, dtype=np.float64).T
    width = high - low
    places = rng.uniform(low, high, (colony.ants, len(low)))
    values = objective(places)
    pheromone, rho = np.ones(colony.ants), evaporation.INITIAL
    best, course = float(values.max()), []
    for iteration in range(1, colony.iterations + 1):
        attraction = (pheromone.max() - pheromone) / pheromone.max()
        local = attraction < colony.local_below
        reach = np.where(local, colony.local_reach / iteration, 0.5)[:, None] * width
        steps = np.clip(places + rng.uniform(-1.0, 1.0, places.shape) * reach, low, high)
        found = objective(steps)
        better = found > values
        places[better], values[better] = steps[better], found[better]
        pheromone = (1 - rho) * pheromone + _quality(values)
        improved = float(values.max()) > best
        best = max(best, float(values.max()))
        rho = evaporation.next_factor(rho, improved=improved, smallest=colony.smallest_evaporation)
        course.append(best)
    leader = int(np.argmax(values))
    return Search(tuple(map(float, places[leader])), float(values[leader]), tuple(course))


def _quality(values: Floats) -> Floats:
    """From 0 at the worst ant to 1 at the best; all 1 when they are equal."""
    spread = values.max() - values.min()
    if spread == 0:
        return np.ones_like(values)
    return np.asarray((values - values.min()) / spread)
