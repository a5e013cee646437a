"""chaincode/energy/baas/choosing: decisions from the ledger's own record."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.energy.baas.decision import Failure
from gridloom.chaincode.energy.baas.evidence import Frame, combine
from gridloom.chaincode.energy.baas.evidence_sources import (
    GRID,
    Observation,
    Source,
    bodies,
    records_of,
)
from gridloom.chaincode.energy.baas.trade_records import Decision
from gridloom.chaincode.energy.qualifications import UnitId
from gridloom.chaincode.energy.roles import Role


def test_the_unit_with_the_better_record_is_chosen(market):
    market.plan()
    market.good_record()
    decision = market.decide()
    assert (decision.choice, decision.failures) == ("SU1", [])
    masses = {each.hypothesis: each.mass for each in decision.masses}
    assert masses["SU1"] > masses[GRID] > masses["SU2"]
    stored = market.baas.evaluate("baas_evidence:decision", decision.decision_id)
    assert stored.value(Decision) == decision


def test_without_a_record_there_is_no_decision(market):
    market.plan()
    decision = market.decide()
    assert decision.choice is None
    assert decision.failures == [Failure.GAP, Failure.IGNORANCE, Failure.BELOW_OMEGA]


def test_units_that_never_keep_their_word_leave_the_buyer_to_the_grid(market):
    market.plan()
    for source in Source:
        for unit in ("SU1", "SU2"):
            market.observe(source, unit, *[10] * 40)
    assert market.decide().choice == GRID


def test_a_unit_behind_a_full_line_is_no_potential_unit(market):
    market.plan()
    market.good_record()
    decision = market.decide(energy=1_200_000)  # two lines of 530 kW lead to either
    first, second = decision.candidates
    assert (first.unit, first.potential, second.potential) == ("SU1", False, False)
    assert 0 < first.capacity < 1_060_000
    assert decision.choice is None or decision.choice == GRID


def test_a_unit_behind_a_faulty_line_scores_less(market):
    market.plan()
    for unit in ("SU1", "SU2"):
        market.observe(Source.GENERATION, unit, *[100] * 40)
    lines = {each.unit: each.lines for each in market.decide().candidates}
    for line in range(6):
        faulty = line in lines["SU2"] and line not in lines["SU1"]
        market.observe(Source.LINE, f"line:{line}", *[40 if faulty else 100] * 40)
    assert market.decide().choice == "SU1"


def test_who_is_no_longer_approved_is_no_candidate(market):
    market.plan()
    market.good_record()
    market.authentication.submit("revoke", [UnitId(Role.SU, 1)], by=market.operator)
    assert [each.unit for each in market.decide().candidates] == ["SU2"]


def test_a_decision_is_asked_for_by_the_buyer_himself(market):
    market.plan()
    for caller in (market.su1, market.operator):
        with pytest.raises(ChaincodeError, match="BU3 and its orders belong to another"):
            market.baas.submit("baas_evidence:decide", 3, 1, 100, by=caller)


@pytest.mark.parametrize(
    ("period", "energy", "says"),
    [(1, 0, "the demand of BU3"), (1, -5, "the demand of BU3"), (2, 100, "no plan of period 2")],
)
def test_a_decision_that_cannot_be_meant_is_refused(market, period, energy, says):
    market.plan()
    with pytest.raises(ChaincodeError, match=says):
        market.baas.submit("baas_evidence:decide", 3, period, energy, by=market.bu3)


def test_a_buyer_off_the_feeder_cannot_trade_on_it(market):
    market.plan()
    stranger = market.admit(Role.BU, 9)
    with pytest.raises(ChaincodeError, match="no place of BU9 on the feeder"):
        market.baas.submit("baas_evidence:decide", 9, 1, 100, by=stranger)


FRAME = Frame(("SU1", "SU2", GRID))
reports = st.lists(
    st.builds(
        Observation,
        st.sampled_from(Source),
        st.sampled_from(["SU1", "SU2", "line:0", "line:1"]),
        st.just(0),
        st.just(100),
        st.integers(0, 100),
    ),
    max_size=20,
)


@given(reports)
def test_every_source_is_evidence_and_together_they_never_conflict_wholly(observed):
    sources = bodies(FRAME, records_of(observed), {"SU1": ["line:0"], "SU2": ["line:0", "line:1"]})
    assert len(sources) == 4
    for source in sources:
        assert sum(source.mass(s) for s in (1, 2, 4, FRAME.omega)) == 1
    assert combine(FRAME, sources).conflict < 1


@given(reports, st.sampled_from(Source))
def test_keeping_ones_word_once_more_never_costs_belief_against_a_rival(observed, source):
    def ratio(listed):
        (masses,) = [
            body
            for each, body in zip(Source, bodies(FRAME, records_of(listed), {}), strict=True)
            if each is source
        ]
        rival = masses.mass(2)
        return masses.mass(1) / rival if rival else None

    before = ratio([*observed, Observation(source, "SU1", 1, 100, 0)])
    after = ratio([*observed, Observation(source, "SU1", 1, 100, 100)])
    if source is not Source.LINE and before is not None:
        assert after > before
    assert Fraction(0) <= Observation(source, "SU1", 1, 100, 140).share <= 10**6
