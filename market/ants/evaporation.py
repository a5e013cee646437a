"""The adaptive pheromone evaporation factor (paper 002, eq. 14).

    rho(0) = 1;  rho <- max(0.8 rho, rho_min) in every iteration without improvement

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterable

INITIAL = 1.0
DECAY = 0.8
SMALLEST = 0.1
"""rho_min [X]: the paper gives none; reached at the eleventh stall."""


def next_factor(factor: float, *, improved: bool, smallest: float = SMALLEST) -> float:
    """rho of the next iteration."""
    return factor if improved else max(DECAY * factor, smallest)


def factors(
    improved: Iterable[bool], smallest: float = SMALLEST, initial: float = INITIAL
) -> list[float]:
    """rho after each iteration, told whether each improved the best solution."""
    course = [initial]
    for did in improved:
        course.append(next_factor(course[-1], improved=did, smallest=smallest))
    return course[1:]
