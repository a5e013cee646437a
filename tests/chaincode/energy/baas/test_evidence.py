"""chaincode/energy/baas/evidence: Dempster's rule and its algebra, exactly."""

from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.baas.evidence import (
    BadEvidence,
    Evidence,
    Frame,
    TotalConflict,
    body,
    combine,
    discount,
    vacuous,
)

FRAME = Frame(("a", "b", "c"))
A, B, C = 0b001, 0b010, 0b100


@st.composite
def bodies(draw: st.DrawFn, frame: Frame = FRAME) -> Evidence:
    """Evidence that leaves something to ignorance, so that no two conflict wholly."""
    sets = draw(st.lists(st.integers(1, frame.omega), min_size=1, max_size=4, unique=True))
    weights = {subset: draw(st.integers(1, 100)) for subset in sets}
    weights[frame.omega] = draw(st.integers(1, 100))
    total = sum(weights.values())
    return body(frame, {subset: Fraction(w, total) for subset, w in weights.items()})


def masses(evidence: Evidence) -> dict[int, Fraction]:
    return {s: evidence.mass(s) for s in range(1, evidence.frame.omega + 1) if evidence.mass(s)}


def by_definition(sources: list[Evidence]) -> tuple[dict[int, Fraction], Fraction]:
    """Eq. (8) as printed: the sum over all combinations of focal sets."""
    sums: dict[int, Fraction] = {}
    for combination in product(*(masses(source).items() for source in sources)):
        meet, weight = FRAME.omega, Fraction(1)
        for subset, mass in combination:
            meet, weight = meet & subset, weight * mass
        sums[meet] = sums.get(meet, Fraction(0)) + weight
    conflict = sums.pop(0, Fraction(0))
    return {s: mass / (1 - conflict) for s, mass in sums.items()}, conflict


@given(st.lists(bodies(), min_size=1, max_size=3))
def test_combination_is_equation_8(sources):
    combined = combine(FRAME, sources)
    assert (masses(combined.evidence), combined.conflict) == by_definition(sources)


@given(st.lists(bodies(), min_size=2, max_size=3))
def test_the_order_of_sources_does_not_matter(sources):
    outcomes = [combine(FRAME, list(order)) for order in permutations(sources)]
    assert all(outcome == outcomes[0] for outcome in outcomes)


@given(bodies(), bodies(), bodies())
def test_combining_in_steps_is_combining_at_once(one, two, three):
    first = combine(FRAME, [one, two]).evidence
    assert combine(FRAME, [first, three]).evidence == combine(FRAME, [one, two, three]).evidence


@given(bodies())
def test_knowing_nothing_changes_nothing(evidence):
    combined = combine(FRAME, [evidence, vacuous(FRAME)])
    assert (masses(combined.evidence), combined.conflict) == (masses(evidence), 0)


@given(bodies())
def test_belief_is_at_most_plausibility_and_both_bound_the_complement(evidence):
    for subset in range(1, FRAME.omega):
        assert evidence.belief(subset) <= evidence.plausibility(subset)
        assert evidence.plausibility(subset) == 1 - evidence.belief(FRAME.omega & ~subset)
    assert evidence.belief(FRAME.omega) == 1


@given(bodies(), st.fractions(0, 1, max_denominator=50))
def test_discounting_keeps_proportions_and_gives_the_rest_to_ignorance(evidence, reliability):
    weaker = discount(evidence, reliability)
    assert sum(masses(weaker).values()) == 1
    for subset in range(1, FRAME.omega):
        assert weaker.mass(subset) == reliability * evidence.mass(subset)


def test_zadehs_sources_agree_on_the_unlikely():
    sources = [
        body(FRAME, {A: Fraction(99, 100), B: Fraction(1, 100)}),
        body(FRAME, {C: Fraction(99, 100), B: Fraction(1, 100)}),
    ]
    combined = combine(FRAME, sources)
    assert (masses(combined.evidence), combined.conflict) == ({B: 1}, Fraction(9999, 10000))


def test_sources_that_contradict_each_other_wholly_cannot_be_combined():
    certain = [body(FRAME, {A: Fraction(1)}), body(FRAME, {B: Fraction(1)})]
    with pytest.raises(TotalConflict, match="K = 1"):
        combine(FRAME, certain)


@pytest.mark.parametrize(
    ("given_masses", "says"),
    [
        ({A: Fraction(1, 2)}, "add up to 1/2"),
        ({A: Fraction(3, 2), B: Fraction(-1, 2)}, "evidence for b: its mass -1/2 is negative"),
        ({0: Fraction(1, 2), A: Fraction(1, 2)}, "the empty set has a mass"),
    ],
)
def test_masses_that_are_no_evidence_are_refused(given_masses, says):
    with pytest.raises(BadEvidence, match=says):
        body(FRAME, given_masses)


def test_a_frame_has_distinct_hypotheses_and_no_others():
    for hypotheses in ((), ("a", "a")):
        with pytest.raises(BadEvidence):
            Frame(hypotheses)
    with pytest.raises(BadEvidence, match="evidence for d: is not in the frame"):
        FRAME.subset(["a", "d"])
    with pytest.raises(BadEvidence, match="a reliability of 2"):
        discount(vacuous(FRAME), Fraction(2))
