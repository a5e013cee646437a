"""market/learning/elastic: the game in which an equilibrium exists."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.market.learning.elastic import ElasticGame, NoEquilibrium
from harness.shared import shared

BOXES = {"company_box": (0.5, 0.7), "bureau_box": (0.4, 0.6)}


def game(b=1.6, demand=500.0, supply=500.0, feed_in=0.42, cost=0.12, subsidy=0.05, **boxes):
    return ElasticGame(b, demand, supply, feed_in, cost, subsidy, **(BOXES | boxes))


games = st.builds(
    game,
    b=st.floats(0.0, 1 / 0.6),
    demand=st.floats(1, 1_000),
    supply=st.floats(1_000, 3_000),
    feed_in=st.floats(0.1, 0.6),
    cost=st.floats(0, 0.5),
    subsidy=st.sampled_from([0.0, 0.05, 0.3]),
)


@settings(max_examples=60, deadline=None)
@given(games)
def test_nobody_gains_by_deviating_from_the_equilibrium(own):
    assert own.well_posed
    found = own.equilibrium()
    company, bureau = np.asarray(found.company_price), np.asarray(found.bureau_price)
    others = np.linspace(*own.company_box, 501)
    assert found.company_profit >= own.company_profit(others, bureau).max() - 1e-9
    others = np.linspace(*own.bureau_box, 501)
    assert found.bureau_profit >= own.bureau_profit(company, others).max() - 1e-9
    assert own.regret(company, bureau) <= 1e-9


@settings(max_examples=30, deadline=None)
@given(games, st.tuples(st.floats(0.5, 0.7), st.floats(0.4, 0.6)))
def test_regret_is_never_negative_and_profits_add_up_to_the_demand(own, prices):
    company, bureau = map(np.asarray, prices)
    assert own.regret(company, bureau) >= 0
    share = own.share(company, bureau)
    assert 0 <= share <= own.largest_share


def test_the_published_prices_are_those_after_the_published_number_of_rounds():
    listed = json.loads(shared("papers", "cases", "p002.json").read_text())["cases"]
    cases = [case for case in listed if case["kind"] == "elastic_nash"]
    assert cases
    for case in cases:
        given, published = case["input"], case["expected"]
        own = ElasticGame(
            given["b"], given["D"], given["SG"], given["P_GC"], given["cC"], given["s"],
            tuple(given["box_GU"]), tuple(given["box_CU"]),
        )  # fmt: skip
        found = own.equilibrium()
        assert found.iterations == published["iterations"]
        # One round more or less moves the prices by 9e-15 or more.
        assert found.company_price == pytest.approx(published["P_GU"], rel=0, abs=5e-16)
        assert found.bureau_price == pytest.approx(published["P_CU"], rel=0, abs=5e-16)


def test_without_elasticity_both_ask_the_most():
    found = game(b=0.0).equilibrium()
    assert (found.company_price, found.bureau_price, found.share) == (0.7, 0.6, 0.5)


def test_responses_hold_where_a_bound_of_the_share_is_reached():
    own = game(b=3.0, supply=400.0, company_box=(0.3, 1.0), bureau_box=(0.3, 1.0))
    assert not own.well_posed
    rivals = np.linspace(0.3, 1.0, 29)
    grid = np.linspace(0.3, 1.0, 7_001)
    company = own.company_response(rivals)
    bureau = own.bureau_response(rivals)
    for i, rival in enumerate(rivals):
        best = own.company_profit(grid, rival).max()
        assert own.company_profit(company[i], rival) >= best - 1e-9
        best = own.bureau_profit(rival, grid).max()
        assert own.bureau_profit(rival, bureau[i]) >= best - 1e-9


def test_best_responses_that_go_round_are_no_equilibrium():
    own = game(b=3.0, supply=400.0, feed_in=0.05, cost=0.05,
               company_box=(0.3, 1.0), bureau_box=(0.3, 1.0))  # fmt: skip
    with pytest.raises(NoEquilibrium, match="return every") as caught:
        own.equilibrium()
    assert caught.value.period == 3
