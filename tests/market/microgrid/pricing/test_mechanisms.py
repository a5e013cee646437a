"""market/microgrid/pricing: every mechanism against its definition on a dense grid."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.market.microgrid.bayes import SellerType, bayes_price
from gridloom.market.microgrid.followers import Followers
from gridloom.market.microgrid.period import Period
from gridloom.market.microgrid.pricing import MECHANISMS, nash_bargain
from gridloom.market.tariff import PAPER_TARIFF
from harness.energy import periods

HOURS = periods(deficit=True)


def dense(followers: Followers) -> np.ndarray:
    return np.linspace(followers.tariff.sell, followers.tariff.buy, 20_001)


@given(HOURS)
def test_the_bargain_is_at_least_as_good_as_every_point_of_a_dense_grid(period):
    followers = period.followers()
    price = MECHANISMS["nash_bargain"](followers)
    best = nash_bargain.objective(followers, np.asarray([price]))[0]
    grid = nash_bargain.objective(followers, dense(followers))
    assert best >= grid.max() - 1e-12 * max(1.0, grid.max())


@given(HOURS)
def test_the_slope_of_the_product_of_gains_is_its_derivative(period):
    followers = period.followers()
    cuts = [piece.low for piece in followers.pieces()] + [followers.tariff.buy]
    step = 1e-6
    middles = [(a + b) / 2 for a, b in itertools.pairwise(cuts) if b - a > 4 * step]
    prices = np.asarray(middles)
    rise = nash_bargain.objective(followers, prices + step)
    rise -= nash_bargain.objective(followers, prices - step)
    slope = followers.gains(prices).slope_of_product
    assert rise / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-6)


@given(HOURS)
def test_the_leading_buyers_bill_is_the_smallest_on_a_dense_grid(period):
    followers = period.followers()
    price = MECHANISMS["stackelberg_buyer"](followers)
    best = followers.bill(np.asarray([price]))[0]
    assert best <= followers.bill(dense(followers)).min() + 1e-9


@given(HOURS)
def test_the_clearing_price_meets_the_demand_or_is_a_bound(period):
    followers = period.followers()
    price = MECHANISMS["clearing"](followers)
    offered = float(followers.supply(price)[0])
    if followers.tariff.sell < price < followers.tariff.buy:
        assert offered == pytest.approx(followers.demand, abs=1e-9)
    elif price == followers.tariff.buy:
        assert offered <= followers.demand + 1e-9
    else:
        assert offered >= followers.demand


@given(HOURS)
def test_an_equal_split_gives_both_sides_the_same_or_as_nearly_as_any_price_can(period):
    followers = period.followers()
    gains = followers.gains(np.asarray([MECHANISMS["equal_split"](followers)]))
    grid = followers.gains(dense(followers))
    differences = grid.buyers - grid.sellers
    if differences.min() < -1e-9:
        assert gains.buyers[0] == pytest.approx(gains.sellers[0], abs=1e-9)
    else:
        assert gains.buyers[0] - gains.sellers[0] <= differences.min() + 1e-9


@given(HOURS)
def test_the_sellers_gain_is_the_integral_of_their_supply_while_energy_is_short(period):
    followers = period.followers()
    prices = dense(followers)
    supply = np.asarray([followers.supply(p)[0] for p in prices[::100]])
    short = supply <= followers.demand
    gained = followers.gains(prices[::100]).sellers[short]
    width = prices[100] - prices[0]
    integral = np.concatenate([[0.0], np.cumsum((supply[1:] + supply[:-1]) / 2) * width])
    assert gained == pytest.approx(integral[short], abs=1e-3)


@pytest.mark.parametrize(
    ("mode", "price"),
    [("literal_nash", 0.77), ("midpoint", 0.81), ("welfare", 0.85), ("linear_sdr", 0.85 - 0.024)],
)
def test_prices_that_follow_from_the_tariff_and_the_ratio_alone(mode, price):
    followers = Period((3.0, 0.0), (0.0, 10.0), PAPER_TARIFF).followers()
    assert MECHANISMS[mode](followers) == pytest.approx(price, abs=1e-12)


def test_the_supply_demand_ratio_price_is_liu_s_hyperbola():
    followers = Period((3.0, 0.0), (0.0, 10.0), PAPER_TARIFF).followers()
    expected = 0.77 * 0.85 / (0.08 * 0.3 + 0.77)
    assert MECHANISMS["sdr"](followers) == pytest.approx(expected, abs=1e-12)


@given(HOURS, st.sampled_from(["nash_bargain", "buyer_cost"]))
def test_certain_types_are_priced_as_if_they_were_public(period, objective):
    followers = Period(period.pv, period.load, period.tariff, None, period.lam).followers()
    types = [[SellerType(1.0, float(lam))] for lam in followers.lam[0]]
    mode = {"nash_bargain": "nash_bargain", "buyer_cost": "stackelberg_buyer"}[objective]
    price = bayes_price(
        types, list(followers.generation), followers.demand, period.tariff, objective
    )
    assert price == pytest.approx(MECHANISMS[mode](followers), abs=1e-12)


def test_interior_types_are_priced_by_their_expectation():
    spread = [[SellerType(0.5, 1.0), SellerType(0.5, 1.4)]]
    mean = [[SellerType(1.0, 1.2)]]
    prices = [
        bayes_price(types, [9.0], 20.0, PAPER_TARIFF, "buyer_cost") for types in (spread, mean)
    ]
    assert prices[0] == pytest.approx(prices[1], abs=1e-12)
