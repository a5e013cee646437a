"""market/learning: objectives and the prices that are best for given quantities."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.learning.flows import Flows, dispatch
from gridloom.market.learning.objectives import Prices, net, objectives
from gridloom.market.learning.vertex import (
    PAPER_BOX,
    Box,
    Weights,
    asked_prices,
    coefficients,
    weighted_optimum,
)

ENERGY = st.floats(0, 2_000)
PRICE = st.floats(0, 2)
SUBSIDY = st.floats(0, 2)
WEIGHT = st.floats(0, 1)


@settings(deadline=None)
@given(ENERGY, ENERGY, ENERGY, st.tuples(PRICE, PRICE, PRICE, PRICE), SUBSIDY)
def test_money_only_moves_between_the_three(generation, load, demand, prices, subsidy):
    flows = dispatch(generation, load, demand)
    assert abs(objectives(flows, Prices(*prices), subsidy).balance) < 1e-9


@settings(deadline=None)
@given(ENERGY, ENERGY, ENERGY, st.none() | ENERGY)
def test_the_company_serves_itself_first_and_never_buys_and_sells(generation, load, demand, bureau):
    flows = dispatch(generation, load, demand, bureau)
    assert min(flows) >= 0
    assert flows.cg == 0 or flows.gu + flows.gc == 0
    assert flows.gc == 0 or flows.cu == 0
    assert np.isclose(flows.gu + flows.gc, max(generation - load, 0))
    assert np.isclose(flows.gu + flows.cu + flows.cg + flows.unserved,
                      demand + max(load - generation, 0))  # fmt: skip
    if bureau is not None:
        assert flows.cu + flows.cg <= bureau * (1 + 1e-12)


@st.composite
def boxes(draw):
    sides = (sorted(draw(st.tuples(PRICE, PRICE))) for _ in range(4))
    return Box(*(tuple(side) for side in sides))


@settings(deadline=None)
@given(st.tuples(ENERGY, ENERGY, ENERGY, ENERGY), st.tuples(WEIGHT, WEIGHT, WEIGHT), boxes(),
       SUBSIDY)  # fmt: skip
def test_no_price_in_the_box_is_worth_more_than_the_optimum(sold, weights, box, subsidy):
    flows, weights = Flows(*sold, 0.0), Weights(*weights)
    best = weighted_optimum(flows, weights, box, subsidy)
    others = [np.linspace(low, high, 41) for low, high in box]
    terms = zip(coefficients(weights), others, sold, (0, 0, subsidy, subsidy), strict=True)
    tried = sum((c * net(prices, s) * q).max() for c, prices, q, s in terms)
    assert best.value >= tried - 1e-9 * max(1.0, abs(tried))
    for price, (low, high) in zip(best.prices, box, strict=True):
        assert price is None or low <= price <= high


def test_without_weight_or_quantity_a_price_is_open():
    flows = dispatch(500.0, 300.0, 400.0)
    equal = weighted_optimum(flows, Weights(0.3, 0.1 + 0.2, 0.3), PAPER_BOX)
    assert equal == ((None, None, None, None), 0.0)
    assert asked_prices(flows, PAPER_BOX) == (0.7, None, 0.6, None)


def test_a_large_subsidy_has_its_best_price_inside():
    flows = Flows(0.0, 0.0, 100.0, 0.0, 0.0)
    best = weighted_optimum(flows, Weights(0, 1, 0), PAPER_BOX, subsidy=1.0)
    assert best.prices[2] == 0.5
