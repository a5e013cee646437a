"""chaincode/energy/baas/operating_point: what the solver finds, the ledger verifies."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.baas.grid_records import (
    Feeder,
    FeederNode,
    NodeKind,
    NodePower,
    OperatingPoint,
)
from gridloom.chaincode.energy.baas.operating_point import SCALE, NotAnOperatingPoint, verify
from gridloom.market.power_flow.ledger_point import per_unit, solve_for_ledger
from gridloom.market.power_flow.security import violations
from gridloom.market.power_flow.solution import operating_point
from harness.baas_market import LINES, PLAN, islanded_feeder

watts = st.integers(0, 250_000)
powers = st.lists(
    st.builds(NodePower, watts, watts.map(lambda w: w // 3), watts, watts.map(lambda w: w // 3)),
    min_size=5,
    max_size=5,
)
kinds = st.sampled_from(NodeKind)


@st.composite
def feeders(draw: st.DrawFn) -> Feeder:
    """The paper's five nodes, each of any kind but the first, which holds the balance."""

    def node(kind: NodeKind) -> FeederNode:
        return FeederNode(
            kind,
            draw(st.integers(990_000, 1_030_000)),
            draw(st.integers(5_000, 50_000)),
            draw(st.sampled_from([0, 50_000])),
            active_high=draw(st.sampled_from([None, 400_000])),
            active_exponent=draw(st.integers(0, 2)),
            reactive_exponent=draw(st.integers(0, 2)),
            active_slope=draw(st.sampled_from([0, 1_000_000])),
            reactive_slope=draw(st.sampled_from([0, -1_000_000])),
        )

    first = node(draw(st.sampled_from([NodeKind.SLACK, NodeKind.PD])))
    nodes = [replace(first, active_high=None), *(node(draw(kinds)) for _ in range(4))]
    return replace(islanded_feeder(), nodes=nodes, lines=LINES, places=[])


@settings(max_examples=40, deadline=None)
@given(feeders(), powers)
def test_the_ledger_accepts_what_the_solver_finds_and_names_the_same_violations(feeder, plan):
    if sum(node.kind is NodeKind.SLACK for node in feeder.nodes) > 1:
        return
    solved = operating_point(per_unit(feeder, plan))
    verdict = verify(feeder, plan, solve_for_ledger(feeder, plan))
    assert verdict.violations == violations(per_unit(feeder, plan), solved)
    assert verdict.flows == pytest.approx(solved.sent.real * feeder.base_power, abs=1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 4), st.sampled_from(["real", "imaginary"]), st.integers(10**6, 10**10))
def test_no_other_point_near_by_is_accepted(node, part, error):
    feeder = islanded_feeder()
    point = solve_for_ledger(feeder, PLAN)
    moved = list(getattr(point, part))
    moved[node] += error
    with pytest.raises(NotAnOperatingPoint):
        verify(feeder, PLAN, replace(point, **{part: moved}))


def test_the_angle_of_an_island_is_free_the_balance_nodes_is_not():
    feeder = islanded_feeder()
    point = solve_for_ledger(feeder, PLAN)
    turned = replace(point, real=[-f for f in point.imaginary], imaginary=list(point.real))
    assert verify(feeder, PLAN, turned) == verify(feeder, PLAN, point)
    connected = replace(feeder, nodes=[FeederNode(NodeKind.SLACK), *feeder.nodes[1:]])
    point = solve_for_ledger(connected, PLAN)
    verify(connected, PLAN, point)
    turned = replace(point, real=[-f for f in point.imaginary], imaginary=list(point.real))
    with pytest.raises(NotAnOperatingPoint, match="angle:0"):
        verify(connected, PLAN, turned)


def test_a_unit_at_its_reactive_limit_lets_its_voltage_slip():
    feeder = islanded_feeder()
    held = replace(feeder.nodes[0], reactive_droop=0, reactive_high=150_000)
    tight = replace(feeder, nodes=[held, *feeder.nodes[1:]])
    point = solve_for_ledger(tight, PLAN)
    verify(tight, PLAN, point)
    free = replace(tight, nodes=[replace(held, reactive_high=None), *feeder.nodes[1:]])
    with pytest.raises(NotAnOperatingPoint, match="V:0"):
        verify(free, PLAN, point)


def test_a_dead_feeder_is_no_operating_point():
    with pytest.raises(NotAnOperatingPoint):
        verify(islanded_feeder(), PLAN, OperatingPoint(SCALE, [0] * 5, [0] * 5))
