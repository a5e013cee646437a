"""market/microgrid/swarm: the particle swarm against the exact price."""

import numpy as np
import pytest
from hypothesis import given, settings

from gridloom.market.microgrid.period import Period
from gridloom.market.microgrid.pricing import MECHANISMS, nash_bargain
from gridloom.market.microgrid.swarm import maximise, nash_bargain_price, stackelberg_buyer_price
from gridloom.market.tariff import PAPER_TARIFF
from harness.energy import periods
from harness.shared import shared


def paper_hours():
    tables = shared("papers", "tables")
    load, pv = (
        np.loadtxt(tables / name, delimiter=",", skiprows=1)
        for name in ("p003_table08_load.csv", "p003_table09_pv.csv")
    )
    for row, generation in zip(load, pv, strict=True):
        yield int(row[0]), Period(tuple(generation[1:]), tuple(row[1:]), PAPER_TARIFF)


SHORT = [(hour, period) for hour, period in paper_hours() if period.e_net < 0]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("hour", "period"), SHORT, ids=[f"h{hour}" for hour, _ in SHORT])
def test_the_swarm_finds_the_bargaining_price_of_the_papers_hours(hour, period, seed):
    followers = period.followers()
    found = nash_bargain_price(followers, np.random.default_rng(seed))
    assert found == pytest.approx(MECHANISMS["nash_bargain"](followers), abs=1e-6)


def test_the_swarm_finds_the_leading_buyers_price_inside_the_bounds_at_hour_18():
    followers = dict(paper_hours())[18].followers()
    found = stackelberg_buyer_price(followers, np.random.default_rng(5))
    assert found == pytest.approx(MECHANISMS["stackelberg_buyer"](followers), abs=1e-6)
    assert found == pytest.approx(0.786929, abs=1e-6)


@settings(max_examples=20)
@given(periods(deficit=True))
def test_the_swarm_comes_as_high_as_the_exact_bargain_on_any_hour(period):
    followers = Period(period.pv, period.load, period.tariff).followers()
    exact = np.asarray([MECHANISMS["nash_bargain"](followers)])
    found = np.asarray([nash_bargain_price(followers, np.random.default_rng(0))])
    best = nash_bargain.objective(followers, exact)[0]
    assert nash_bargain.objective(followers, found)[0] >= best * (1 - 1e-9) - 1e-15


def test_the_same_seed_gives_the_same_flight_and_the_bounds_hold():
    def climb(x):
        assert np.all((x >= -1.0) & (x <= 2.0))
        return x

    runs = [maximise(climb, -1.0, 2.0, np.random.default_rng(9), iterations=30) for _ in "ab"]
    assert runs[0] == runs[1]
    assert runs[0].position == 2.0
