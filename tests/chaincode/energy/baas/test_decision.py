"""chaincode/energy/baas/decision: eq. (9), strict in all three conditions."""

from fractions import Fraction

import pytest

from gridloom.chaincode.energy.baas.decision import Failure, Thresholds, decide
from gridloom.chaincode.energy.baas.evidence import Frame, body, combine

FRAME = Frame(("a", "b"))
A, B, OMEGA = 0b01, 0b10, 0b11


def judge(a, b, omega, eps1="0.1", eps2="0.5", guard=None):
    masses = {A: Fraction(a), B: Fraction(b), OMEGA: Fraction(omega)}
    thresholds = Thresholds(Fraction(eps1), Fraction(eps2), guard and Fraction(guard))
    return decide(combine(FRAME, [body(FRAME, masses)]), thresholds)


def test_the_unit_with_the_clear_lead_is_chosen():
    judgement = judge("0.6", "0.3", "0.1")
    assert (judgement.choice, judgement.failures) == ("a", ())
    assert (judgement.best, judgement.second) == (Fraction(3, 5), Fraction(3, 10))


@pytest.mark.parametrize(
    ("masses", "failures"),
    [
        (("0.5", "0.4", "0.1"), (Failure.GAP,)),
        (("0.5", "0", "0.5"), (Failure.IGNORANCE, Failure.BELOW_OMEGA)),
        (("0.4", "0.4", "0.2"), (Failure.GAP,)),
        (("0", "0", "1"), tuple(Failure)[:3]),
    ],
)
def test_equality_is_no_decision(masses, failures):
    judgement = judge(*masses)
    assert (judgement.choice, judgement.failures) == (None, failures)


def test_the_guard_refuses_what_contradicting_sources_agree_on():
    frame = Frame(("a", "b", "c"))
    sources = [
        body(frame, {0b001: Fraction(99, 100), 0b010: Fraction(1, 100)}),
        body(frame, {0b100: Fraction(99, 100), 0b010: Fraction(1, 100)}),
    ]
    combined = combine(frame, sources)
    open_minded = Thresholds(Fraction(1, 10), Fraction(1, 10))
    guarded = Thresholds(Fraction(1, 10), Fraction(1, 10), Fraction(95, 100))
    assert decide(combined, open_minded).choice == "b"
    assert decide(combined, guarded).failures == (Failure.CONFLICT,)


def test_in_a_frame_of_one_unit_nothing_can_be_accepted():
    frame = Frame(("a",))
    judgement = decide(combine(frame, []), Thresholds(Fraction(0), Fraction(2)))
    assert judgement.failures == (Failure.BELOW_OMEGA,)
