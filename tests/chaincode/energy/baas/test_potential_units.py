"""chaincode/energy/baas/potential_units: routings as the linear programme has them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridloom.chaincode.energy.baas.potential_units import Line, Routing, route, trade_cost
from gridloom.chaincode.energy.baas.shortfall import penalty


def line(start, end, limit, flow="0", risk="1"):
    return Line(start, end, Fraction(limit), Fraction(flow), Fraction(risk))


@st.composite
def grids(draw: st.DrawFn, *, overloaded: bool = False) -> tuple[int, list[Line], int]:
    """A network of up to five nodes with lines in hundredths, and a target."""
    nodes = draw(st.integers(2, 5))
    lines = []
    for _ in range(draw(st.integers(1, 7))):
        start = draw(st.integers(0, nodes - 1))
        end = draw(st.integers(0, nodes - 2))
        limit = draw(st.integers(0, 60))
        most = limit + 10 if overloaded else limit
        flow = draw(st.integers(-most, most))
        risk = draw(st.integers(0, 20))
        lines.append(
            Line(start, end + (end >= start), *(Fraction(n, 100) for n in (limit, flow, risk)))
        )
    return nodes, lines, draw(st.integers(1, nodes - 1))


def programme(nodes, lines, target, power):
    """Least cost and most power by scipy: flows split in two directions."""
    balance = np.zeros((nodes, 2 * len(lines) + 1))
    for i, each in enumerate(lines):
        balance[each.start, [i, len(lines) + i]] += (1, -1)
        balance[each.end, [i, len(lines) + i]] += (-1, 1)
    balance[[0, target], -1] = (-1, 1)
    differences = np.hstack((np.eye(len(lines)), -np.eye(len(lines)), np.zeros((len(lines), 1))))
    room = [float(each.limit - each.flow) for each in lines]
    room += [float(each.limit + each.flow) for each in lines]
    common = {
        "A_eq": balance,
        "b_eq": np.zeros(nodes),
        "A_ub": np.vstack((differences, -differences)),
        "b_ub": room,
    }
    risks = [float(each.risk) for each in lines]
    flows = [(0, None)] * (2 * len(lines))
    most = linprog([0] * (2 * len(lines)) + [-1], bounds=[*flows, (0, None)], **common)
    least = linprog([*risks, *risks, 0], bounds=[*flows, (float(power),) * 2], **common)
    return (least.fun if least.success else None), (-most.fun if most.success else None)


@settings(max_examples=60, deadline=None)
@given(grids(), st.integers(0, 60))
def test_the_routing_is_the_linear_programmes(grid, power):
    nodes, lines, target = grid
    wanted = Fraction(power, 100)
    routing = route(nodes, lines, 0, target, wanted)
    cost, most = programme(nodes, lines, target, wanted)
    assert routing.capacity == pytest.approx(most, abs=1e-9)
    assert (routing.transmission is None) == (cost is None)
    if cost is not None:
        assert routing.transmission == pytest.approx(cost, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(grids(overloaded=True))
def test_lines_beyond_their_limits_must_be_relieved(grid):
    nodes, lines, target = grid
    routing = route(nodes, lines, 0, target, Fraction(1, 10))
    cost, most = programme(nodes, lines, target, Fraction(1, 10))
    assert (routing.transmission is None) == (cost is None)
    if cost is not None:
        assert routing.transmission == pytest.approx(cost, abs=1e-9)
        assert routing.capacity == pytest.approx(most, abs=1e-9)


def test_what_just_fits_fits_exactly():
    lines = [line(0, 1, "0.53", "0.45"), line(0, 1, "0.53", "0.4", "2")]
    full = Fraction(21, 100)
    assert route(2, lines, 0, 1, full) == Routing(Fraction(34, 100), full, (0, 1))
    assert route(2, lines, 0, 1, full + Fraction(1, 10**9)) == Routing(None, full)


def test_a_unit_may_be_where_the_energy_is_or_where_no_line_leads():
    assert route(2, [], 0, 0, Fraction(1)) == Routing(Fraction(0), None)
    assert route(2, [], 0, 1, Fraction(1)) == Routing(None, Fraction(0))


def test_the_cost_of_a_trade_is_equation_1():
    cost = trade_cost(Fraction(3, 10), Fraction(3, 10), Fraction(1, 10), Fraction(5, 100))
    assert cost == Fraction(345, 1000)


@pytest.mark.parametrize(
    ("actual", "owed"), [("8", "0.375"), ("9.5", "0"), ("9.4999", "0.000025"), ("12", "0")]
)
def test_who_delivers_less_than_95_percent_pays_the_difference_in_price(actual, owed):
    paid = penalty(Fraction(10), Fraction(actual), Fraction("0.85"), Fraction("0.6"))
    assert paid == Fraction(owed)
