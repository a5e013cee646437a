"""market/microgrid/period: allocation, regimes and the properties every priced hour must have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.market.microgrid.period import Period, Regime, solve_period
from gridloom.market.microgrid.pricing import MECHANISMS
from gridloom.market.tariff import PAPER_TARIFF, Tariff
from harness.energy import periods

MODES = st.sampled_from(sorted(MECHANISMS))


@given(periods(), MODES)
def test_price_lies_between_the_grids_prices_and_energy_adds_up(period, mode):
    out = solve_period(period, mode)
    if out.price is None:
        assert out.regime is Regime.NO_TRADE
    else:
        assert period.tariff.sell <= out.price <= period.tariff.buy
    assert sum(out.seller_internal) == pytest.approx(sum(out.buyer_internal), abs=1e-9)
    for place, i in enumerate(out.sellers):
        own = out.seller_load[place] + out.seller_internal[place] + out.seller_to_grid[place]
        assert own == pytest.approx(period.pv[i], abs=1e-9)
        assert out.seller_to_grid[place] >= -1e-9
    for place, j in enumerate(out.buyers):
        got = out.buyer_internal[place] + out.buyer_from_grid[place]
        assert got == pytest.approx(period.load[j] - period.pv[j], abs=1e-9)
        assert out.buyer_from_grid[place] >= -1e-9


@given(periods(), MODES)
def test_what_buyers_pay_inside_is_what_sellers_earn_inside(period, mode):
    out = solve_period(period, mode)
    tariff = period.tariff
    paid = sum(out.buyer_cost) - tariff.buy * sum(out.buyer_from_grid)
    earned = sum(out.seller_revenue) - tariff.sell * sum(out.seller_to_grid)
    assert paid == pytest.approx(earned, abs=1e-9)


@given(periods(), MODES, st.randoms())
def test_renumbering_the_users_changes_nothing(period, mode, random):
    order = list(range(len(period.pv)))
    random.shuffle(order)
    renumbered = Period(
        tuple(period.pv[i] for i in order),
        tuple(period.load[i] for i in order),
        period.tariff,
        period.band,
        None if period.lam is None else tuple(period.lam[i] for i in order),
    )
    out, again = solve_period(period, mode), solve_period(renumbered, mode)
    assert again.price == pytest.approx(out.price, abs=1e-9)
    loads = dict(zip((order[i] for i in again.sellers), again.seller_load, strict=True))
    for i, load in zip(out.sellers, out.seller_load, strict=True):
        assert loads[i] == pytest.approx(load, abs=1e-7)


@given(periods(deficit=True), MODES)
def test_no_seller_gains_by_moving_his_load_alone(period, mode):
    out = solve_period(period, mode)
    assert out.price is not None
    followers = period.followers()
    lam = followers.lam[0]
    for place, load in enumerate(out.seller_load):
        grid = np.linspace(followers.low[place], followers.high[place], 501)
        g = followers.generation[place]
        best = np.max(lam[place] * np.log1p(grid) + out.price * (g - grid))
        assert lam[place] * np.log1p(load) + out.price * (g - load) >= best - 1e-9


def test_with_a_surplus_everybody_keeps_his_load_at_the_compromise_price():
    out = solve_period(Period((9.0, 1.0), (1.0, 3.0), PAPER_TARIFF, lam=(5.0, 5.0)))
    assert (out.regime, out.price, out.seller_load) == (Regime.SURPLUS, 0.81, (1.0,))
    assert out.seller_to_grid == (6.0,)


@pytest.mark.parametrize(
    ("pv", "load", "sellers"),
    [((0.0, 0.0), (1.0, 2.0), ()), ((3.0, 2.0), (1.0, 2.0), (0, 1)), ((2.0,), (3.0,), ())],
)
def test_without_the_other_side_there_is_no_price(pv, load, sellers):
    out = solve_period(Period(pv, load, PAPER_TARIFF))
    assert (out.regime, out.price, out.sellers) == (Regime.NO_TRADE, None, sellers)
    assert sum(out.buyer_cost) == pytest.approx(0.85 * sum(out.buyer_from_grid))


def test_a_balance_that_misses_zero_by_rounding_is_a_surplus():
    period = Period((0.3, 0.0, 0.0), (0.0, 0.1, 0.2), Tariff(0.5, 0.6))
    assert period.e_net < 0
    assert period.regime is Regime.SURPLUS


@pytest.mark.parametrize("mode", ["nash_bargain", "equal_split"])
def test_sellers_with_nothing_to_offer_at_any_price_leave_the_compromise_price(mode):
    out = solve_period(Period((0.0, 0.0), (0.0, 5.0), PAPER_TARIFF), mode)
    assert (out.regime, out.price) == (Regime.DEFICIT, 0.81)
    assert (out.seller_internal, out.buyer_from_grid) == ((0.0,), (5.0,))
