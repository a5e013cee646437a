"""market/power_flow: operating points against another method and against their definition."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import root

from gridloom.market.power_flow.equations import Equations, State
from gridloom.market.power_flow.feeder import Feeder, Line, Load, Node, NodeType
from gridloom.market.power_flow.security import violations
from gridloom.market.power_flow.solution import operating_point
from harness.feeders import feeders, two_nodes
from harness.shared import shared


@settings(max_examples=40, deadline=None)
@given(feeders())
def test_an_operating_point_satisfies_the_laws_it_was_solved_for(feeder):
    point = operating_point(feeder)
    state = point.state
    injected = np.zeros(5, complex)
    for line, sent, received in zip(feeder.lines, point.sent, point.received, strict=True):
        injected[line.start] += sent
        injected[line.end] += received
    for i, node in enumerate(feeder.nodes):
        load = node.load
        p = load.active * state.voltage[i] ** load.active_exponent
        p *= 1 + load.active_slope * (state.frequency - 1)
        assert injected[i].real + p == pytest.approx(point.generation[i].real, abs=1e-9)
        if node.type is NodeType.PD:
            wanted = node.active + (1 - state.frequency) / node.active_droop
            assert np.clip(wanted, *node.active_limits) == pytest.approx(
                point.generation[i].real, abs=1e-8
            )


@settings(max_examples=20, deadline=None)
@given(feeders())
def test_another_solver_finds_the_same_operating_point(feeder):
    point = operating_point(feeder)
    fixed = {int(name[1:]): float(point.generation[int(name[1:])].real) for name in point.clamped}
    equations = Equations(feeder, fixed, {})
    start = equations.start()
    size = len(equations.mismatch(start))
    other = root(lambda x: equations.mismatch(equations.moved(start, x)), np.zeros(size), tol=1e-12)
    found = equations.moved(start, other.x)
    assert found.voltage == pytest.approx(point.state.voltage, abs=1e-8)
    assert found.angle == pytest.approx(point.state.angle, abs=1e-8)
    assert found.frequency == pytest.approx(point.state.frequency, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(feeders(), st.integers(0, 2**32 - 1))
def test_the_jacobian_is_the_derivative_of_the_mismatch(feeder, seed):
    equations = Equations(feeder, {}, {})
    rng = np.random.default_rng(seed)
    state = State(1 + 0.05 * rng.standard_normal(5), 0.05 * rng.standard_normal(5), 0.99)
    size = len(equations.mismatch(state))
    numeric = np.empty((size, size))
    for column, h in zip(range(size), np.eye(size) * 1e-6, strict=True):
        ahead, back = equations.moved(state, h), equations.moved(state, -h)
        numeric[:, column] = (equations.mismatch(ahead) - equations.mismatch(back)) / 2e-6
    assert equations.jacobian(state) == pytest.approx(numeric, abs=1e-5, rel=1e-5)


def test_the_33_bus_feeder_loses_what_baran_and_wu_say():
    listed = json.loads(shared("papers", "cases", "p000.json").read_text())["cases"]
    case = next(case for case in listed if case["id"] == "case33bw_grid")["input"]
    nodes = [
        Node(NodeType(n["type"]), Load(n["PL"], n["QL"]), voltage=n.get("V", 1.0))
        for n in case["nodes"]
    ]
    lines = [Line(e["from"], e["to"], e["r"], e["x"], e["smax"]) for e in case["lines"]]
    point = operating_point(Feeder(tuple(nodes), tuple(lines)))
    assert 1000 * point.loss == pytest.approx(202.677, abs=5e-4)
    assert int(np.argmin(point.state.voltage)) == 17
    assert point.state.voltage.min() == pytest.approx(0.91309, abs=5e-6)


def test_limits_are_closed_intervals_and_violations_are_named():
    for voltage, found in ((1.06, []), (1.0601, ["voltage:0"]), (0.9, ["voltage:0", "voltage:1"])):
        feeder = two_nodes(voltage=voltage, active=0.4)
        assert violations(feeder, operating_point(feeder)) == found
    slow = two_nodes(active_droop=0.1)
    assert violations(slow, operating_point(slow)) == ["frequency"]


def test_a_voltage_that_a_unit_cannot_hold_is_let_go():
    free = operating_point(two_nodes(voltage=1.05, active=0.4))
    tight = operating_point(two_nodes(voltage=1.05, active=0.4, reactive_limits=(-0.1, 0.1)))
    assert (free.clamped, tight.clamped) == ((), ("Q0",))
    assert tight.generation[0].imag == pytest.approx(0.1)
    assert tight.state.voltage[0] < free.state.voltage[0]
