"""Whom to trade with: paper 000, eq. (9), with a guard against conflict.

x is the unit with the largest mass, y the next.  x is accepted iff M(x) - M(y) > eps1,
M(Omega) < eps2 and M(x) > M(Omega), all strict, so a tie is no decision.  Dempster's rule
prefers an unlikely unit when its sources contradict each other (Zadeh); the guard, an
extension, asks for K < K_max as well.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from .evidence import Combination


class Failure(StrEnum):
    """Why rule (9) accepts nobody."""

    GAP = "gap"
    IGNORANCE = "ignorance"
    BELOW_OMEGA = "below_omega"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """eps1, eps2 of (9); conflict: K_max, None for no guard."""

    eps1: Fraction
    eps2: Fraction
    conflict: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """choice: the accepted unit, None with the failures that forbid one.

    best, second: M(x) and M(y); ignorance: M(Omega).
    """

    choice: str | None
    failures: tuple[Failure, ...]
    best: Fraction
    second: Fraction
    ignorance: Fraction


def decide(combined: Combination, thresholds: Thresholds) -> Judgement:
    """Apply (9) to the combined evidence.

    In a frame of one unit M(y) = 0 and {x} is Omega itself, so nothing can be accepted:
    who wants a decision there needs an alternative in the frame.
    """
    evidence = combined.evidence
    frame = evidence.frame
    masses = [evidence.mass(1 << i) for i in range(len(frame.hypotheses))]
    ranked = sorted(range(len(masses)), key=lambda i: -masses[i])
    best = masses[ranked[0]]
    second = masses[ranked[1]] if len(ranked) > 1 else Fraction(0)
    ignorance = evidence.mass(frame.omega)
    checks = (
        (Failure.GAP, best - second > thresholds.eps1),
        (Failure.IGNORANCE, ignorance < thresholds.eps2),
        (Failure.BELOW_OMEGA, best > ignorance),
        (Failure.CONFLICT, thresholds.conflict is None or combined.conflict < thresholds.conflict),
    )
    failures = tuple(failure for failure, holds in checks if not holds)
    choice = None if failures else frame.hypotheses[ranked[0]]
    return Judgement(choice, failures, best, second, ignorance)
