"""Dempster-Shafer evidence, exactly: paper 000, section 2.3.1, eqs. (6)-(8).

A frame of discernment is a list of mutually exclusive hypotheses (here: the units one
might trade with); a set of them is an integer with one bit for each.  A body of evidence
gives masses to sets, M(empty) = 0 and sum M = 1.  Masses are integers over a common
denominator, so that combining never rounds and the order of the sources cannot matter.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from gridloom.chaincode import ChaincodeError


class BadEvidence(ChaincodeError):
    """Masses that are no body of evidence; subset: the set at fault, "" for all of them."""

    def __init__(self, subset: str, reason: str) -> None:
        super().__init__(f"evidence for {subset or 'the frame'}: {reason}", status=422)
        self.subset = subset
        self.reason = reason


class TotalConflict(ChaincodeError):
    """The sources contradict each other wholly (K = 1): their combination is undefined."""

    def __init__(self) -> None:
        super().__init__("the sources contradict each other wholly, K = 1", status=409)


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of discernment; hypothesis i is bit i of a set."""

    hypotheses: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.hypotheses:
            raise BadEvidence("", "it has no hypotheses")
        if len(set(self.hypotheses)) != len(self.hypotheses):
            raise BadEvidence("", "a hypothesis is in it twice")

    @property
    def omega(self) -> int:
        """The set of all hypotheses: ignorance."""
        return (1 << len(self.hypotheses)) - 1

    def subset(self, members: Iterable[str]) -> int:
        """The set of these hypotheses; BadEvidence for one that is not in the frame."""
        bits = 0
        for member in members:
            if member not in self.hypotheses:
                raise BadEvidence(member, "is not in the frame")
            bits |= 1 << self.hypotheses.index(member)
        return bits

    def members(self, subset: int) -> tuple[str, ...]:
        """The hypotheses of a set, in the frame's order."""
        return tuple(name for i, name in enumerate(self.hypotheses) if subset >> i & 1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A body of evidence; weights: set -> mass times denominator."""

    frame: Frame
    weights: Mapping[int, int]
    denominator: int

    def mass(self, subset: int) -> Fraction:
        """M(subset)."""
        return Fraction(self.weights.get(subset, 0), self.denominator)

    def belief(self, subset: int) -> Fraction:
        """Bel: what is committed to the set or a part of it."""
        inside = sum(w for focal, w in self.weights.items() if focal & ~subset == 0)
        return Fraction(inside, self.denominator)

    def plausibility(self, subset: int) -> Fraction:
        """Pl: what does not speak against the set."""
        touching = sum(w for focal, w in self.weights.items() if focal & subset)
        return Fraction(touching, self.denominator)


def body(frame: Frame, masses: Mapping[int, Fraction]) -> Evidence:
    """Evidence of these masses; BadEvidence unless they are >= 0, sum to 1, none empty."""
    for subset, mass in masses.items():
        if mass < 0:
            raise BadEvidence("|".join(frame.members(subset)), f"its mass {mass} is negative")
    if masses.get(0, 0):
        raise BadEvidence("", "the empty set has a mass")
    total = sum(masses.values(), Fraction(0))
    if total != 1:
        raise BadEvidence("", f"the masses add up to {total}, not 1")
    denominator = lcm(*(mass.denominator for mass in masses.values()))
    weights = {
        subset: mass.numerator * (denominator // mass.denominator)
        for subset, mass in masses.items()
        if mass
    }
    return Evidence(frame, weights, denominator)


def vacuous(frame: Frame) -> Evidence:
    """Knowing nothing: M(Omega) = 1, the neutral element of combination."""
    return Evidence(frame, {frame.omega: 1}, 1)


def discount(evidence: Evidence, reliability: Fraction) -> Evidence:
    """Shafer's discounting: M(A) shrinks to r M(A), the rest of the mass goes to Omega."""
    if not 0 <= reliability <= 1:
        raise BadEvidence("", f"a reliability of {reliability} is not in [0, 1]")
    omega = evidence.frame.omega
    masses = {subset: reliability * evidence.mass(subset) for subset in evidence.weights}
    masses[omega] = masses.get(omega, Fraction(0)) + 1 - reliability
    return body(evidence.frame, masses)


@dataclass(frozen=True, slots=True)
class Combination:
    """The orthogonal sum of sources; conflict: K = 1 - c, the mass that fell on nothing."""

    evidence: Evidence
    conflict: Fraction


def combine(frame: Frame, sources: Sequence[Evidence]) -> Combination:
    """Dempster's rule (8) for any number of sources; TotalConflict when K = 1."""
    weights: dict[int, int] = {frame.omega: 1}
    denominator = 1
    for source in sources:
        joint: dict[int, int] = {}
        for left, left_weight in weights.items():
            for right, right_weight in source.weights.items():
                meet = left & right
                joint[meet] = joint.get(meet, 0) + left_weight * right_weight
        joint.pop(0, None)  # a set that meets nothing meets nothing later either
        weights = joint
        denominator *= source.denominator
    kept = sum(weights.values())
    if not kept:
        raise TotalConflict
    shared = gcd(*weights.values())
    reduced = {subset: weight // shared for subset, weight in weights.items()}
    return Combination(Evidence(frame, reduced, kept // shared), 1 - Fraction(kept, denominator))
