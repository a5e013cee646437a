"""market/mechanisms: properties of a traded day that every mechanism must have."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.market.bidding import STRATEGIES
from gridloom.market.community import Community, User
from gridloom.market.mechanisms import MECHANISMS
from gridloom.market.metrics import measure
from gridloom.market.trading import expect, trade_day

few = settings(max_examples=25, deadline=None)
AUCTIONS = ("pay_as_clear", "pay_as_bid", "continuous", "nearest_quote")
MARKETS = sorted(set(MECHANISMS) - {"grid_only"})


@st.composite
def communities(draw, users=5, intervals=3):
    size = users * intervals
    energies = st.lists(st.integers(0, 4000), min_size=size, max_size=size)
    prices = st.builds(
        lambda sell, margin: GridPrices(sell, sell + margin),
        st.integers(1, 200_000),
        st.integers(1, 300_000),
    )
    return Community(
        users=tuple(User(f"u{i}") for i in range(draw(st.integers(users, users)))),
        load=np.reshape(draw(energies), (intervals, users)).astype(np.int64),
        generation=np.reshape(draw(energies), (intervals, users)).astype(np.int64),
        prices=tuple(draw(prices) for _ in range(intervals)),
    )


def traded(community, name, *, strategy=None, error=0.0, seed=1):
    entry = MECHANISMS[name]
    return trade_day(
        community,
        name,
        entry.make({}, community),
        strategy=strategy or entry.bidding,
        expected=expect(community, error, np.random.default_rng(seed)),
        rng=lambda interval: np.random.default_rng([seed, interval]),
        lot=str(seed),
    )


@pytest.mark.parametrize("name", MECHANISMS)
@few
@given(community=communities(), error=st.sampled_from([0.0, 0.3]), seed=st.integers(0, 99))
def test_money_sums_to_zero_whatever_the_meters_show(name, community, error, seed):
    day = traded(community, name, error=error, seed=seed)
    for interval in day.intervals:
        settled = interval.settled
        assert sum(settled.money) + settled.operator + settled.grid == 0
        assert settled.operator >= 0
    assert measure(day).imbalance == 0


@pytest.mark.parametrize("name", AUCTIONS)
@few
@given(community=communities(), strategy=st.sampled_from(["truthful", "random"]))
def test_auctions_are_individually_rational_when_forecasts_hold(name, community, strategy):
    metrics = measure(traded(community, name, strategy=strategy))
    rounding = 3 * len(metrics.gains)  # every trade is rounded to a micro-unit
    assert metrics.gains.min() >= -rounding
    assert metrics.welfare >= -rounding


@pytest.mark.parametrize("name", ["mid_market", "supply_demand", "cost_aware", "storage_aware"])
@few
@given(community=communities())
def test_pools_between_the_grids_prices_are_individually_rational(name, community):
    assert measure(traded(community, name)).gains.min() >= -15


def test_bill_sharing_is_not_individually_rational():
    community = Community(
        (User("sun"), User("shade")),
        np.array([[0, 1000]]),
        np.array([[1000, 0]]),
        (GridPrices(80_000, 300_000),),
    )
    metrics = measure(traded(community, "bill_sharing"))
    assert metrics.worse_off == 1
    assert metrics.gains.tolist() == [-80_000, 300_000]


@pytest.mark.parametrize("name", MARKETS)
@few
@given(community=communities())
def test_welfare_is_the_traded_energy_times_the_grids_margin(name, community):
    day = traded(community, name)
    margin = sum(
        interval.cleared.energy * (prices.buy - prices.sell) / 1000
        for interval, prices in zip(day.intervals, community.prices, strict=True)
    )
    assert measure(day).welfare == pytest.approx(margin, abs=50)


@pytest.mark.parametrize("name", MECHANISMS)
@few
@given(community=communities(), error=st.sampled_from([0.0, 0.5]))
def test_shares_are_shares_and_energy_is_not_invented(name, community, error):
    metrics = measure(traded(community, name, error=error))
    assert 0 <= metrics.self_sufficiency <= 1
    assert 0 <= metrics.self_consumption <= 1
    assert (metrics.unmatched >= 0).all()
    served = metrics.self_sufficiency * metrics.load
    assert served == pytest.approx(metrics.self_consumption * metrics.generation, abs=1e-3)


@few
@given(community=communities())
def test_pools_leave_nothing_unmatched_that_both_sides_ordered(community):
    assert measure(traded(community, "mid_market")).unmatched.sum() == 0


@few
@given(community=communities())
def test_without_a_market_everybody_pays_as_alone(community):
    metrics = measure(traded(community, "grid_only"))
    assert metrics.welfare == 0
    assert (metrics.gains == 0).all()


def test_who_forecast_wrong_bears_it():
    true = Community(
        (User("sun"), User("shade")),
        np.array([[0, 1000]]),
        np.array([[600, 0]]),
        (GridPrices(80_000, 300_000),),
    )
    hoped = replace(true, generation=np.array([[1000, 0]]))
    entry = MECHANISMS["mid_market"]
    day = trade_day(
        true,
        "mid_market",
        entry.make({}, true),
        strategy="open",
        expected=hoped.net,
        rng=np.random.default_rng,
    )
    assert day.intervals[0].settled.money == (190_000 - 400 * 300, -190_000)
    assert measure(day).local == 600


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_stays_within_what_a_ledger_takes(strategy):
    grid, rng = GridPrices(80_000, 300_000), np.random.default_rng(0)
    limits = STRATEGIES[strategy]([5, -5, 7, -7], grid, rng)
    assert all(0 <= limit <= grid.buy for limit in limits)


@few
@given(community=communities())
def test_co2_and_peaks_follow_from_the_meters(community):
    metrics = measure(traded(community, "grid_only"))
    bought = np.maximum(-community.net, 0).sum()
    factors = community.emissions
    expected = (bought * factors.grid + community.generation.sum() * factors.local) / 1e6
    assert metrics.co2 == pytest.approx(expected)
    assert metrics.peak_import == pytest.approx(max(-community.net.sum(axis=1).min(), 0) / 250)


@pytest.mark.parametrize("name", MECHANISMS)
def test_the_document_of_markets_names_every_mechanism(name):
    text = (Path(__file__).parents[2] / "docs" / "markets.md").read_text()
    assert f"| `{name}` |" in text
