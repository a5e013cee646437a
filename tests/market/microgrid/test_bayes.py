"""market/microgrid/bayes: the Bayesian game, held against its definition (eqs. 1-2)."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.market.microgrid.bayes import bayes_price, play, prior
from gridloom.market.microgrid.energy_day import paper_day
from gridloom.market.microgrid.period import Period, Regime, solve_period
from gridloom.market.tariff import PAPER_TARIFF, Tariff

energies = st.floats(0.1, 12).map(lambda value: round(value, 2))


@st.composite
def short_hours(draw):
    """Hours in which two sellers cannot serve one buyer."""
    loads = [draw(energies) for _ in range(2)]
    spare = [draw(energies) for _ in range(2)]
    lacking = sum(spare) * draw(st.floats(1.05, 3))
    pv = (loads[0] + spare[0], loads[1] + spare[1], 0.0)
    return Period(pv, (*loads, lacking), PAPER_TARIFF)


def test_a_prior_is_a_distribution_around_the_calibrated_type():
    types = prior(2.0, Tariff(0.5, 1.0), 0.2, 3)
    assert sum(own.probability for own in types) == pytest.approx(1)
    assert [own.lam for own in types] == pytest.approx([1.2, 1.5, 1.8])
    (single,) = prior(2.0, Tariff(0.5, 1.0), 0.2, 1)
    assert single.lam == 1.5


@settings(max_examples=25, deadline=None)
@given(short_hours(), st.integers(0, 99))
def test_without_spread_the_game_is_the_plain_hour(period, seed):
    rng = np.random.default_rng(seed)
    game = play(period, 0.0, 3, "nash_bargain", rng)
    plain = solve_period(period)
    assert game.outcome.price == pytest.approx(plain.price, abs=1e-9)
    assert game.informed.price == pytest.approx(plain.price, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(short_hours(), st.floats(0.05, 0.6), st.integers(0, 99))
def test_no_type_of_any_seller_gains_by_another_load(period, spread, seed):
    """Eq. (2): given the price, each type's answer is best whatever the others' types are."""
    game = play(period, spread, 3, "nash_bargain", np.random.default_rng(seed))
    price = game.outcome.price
    for seller in period.sellers:
        generation = period.pv[seller]
        for own in prior(period.load[seller], period.tariff, spread, 3):
            answer = min(max(own.lam / price - 1, 0), generation)

            def earns(load, own=own, generation=generation):
                return own.lam * math.log1p(load) + price * (generation - load)

            assert all(
                earns(load) <= earns(answer) + 1e-9 for load in np.linspace(0, generation, 60)
            )


@settings(max_examples=10, deadline=None)
@given(short_hours(), st.floats(0.05, 0.5))
def test_the_price_maximises_the_product_of_expected_gains(period, spread):
    types = [prior(period.load[i], period.tariff, spread, 2) for i in period.sellers]
    generation = [period.pv[i] for i in period.sellers]
    demand = sum(period.load[j] - period.pv[j] for j in period.buyers)
    price = bayes_price(types, generation, demand, period.tariff)

    def product(at):
        buyers = sellers = 0.0
        for profile in itertools.product(*types):
            weight = math.prod(own.probability for own in profile)
            loads, base = [], []
            for own, g in zip(profile, generation, strict=True):
                loads.append(min(max(own.lam / at - 1, 0), g))
                base.append(min(max(own.lam / period.tariff.sell - 1, 0), g))
            supply = sum(g - e for g, e in zip(generation, loads, strict=True))
            traded = min(supply, demand)
            utility = sum(own.lam * math.log1p(e) for own, e in zip(profile, loads, strict=True))
            alone = sum(
                own.lam * math.log1p(e) + period.tariff.sell * (g - e)
                for own, e, g in zip(profile, base, generation, strict=True)
            )
            earned = utility + at * traded + period.tariff.sell * (supply - traded)
            buyers += weight * (period.tariff.buy - at) * traded
            sellers += weight * (earned - alone)
        return buyers * sellers

    best = product(price)
    assert all(product(at) <= best * (1 + 1e-9) + 1e-12 for at in np.linspace(0.77, 0.85, 81))


def test_the_paper_s_day_is_played_under_a_seed():
    period = paper_day().period(12)
    one = play(period, 0.2, 3, "nash_bargain", np.random.default_rng(1))
    again = play(period, 0.2, 3, "nash_bargain", np.random.default_rng(1))
    assert one == again
    assert one.outcome.regime is Regime.DEFICIT


def test_too_many_joint_types_are_refused():
    period = Period((9.0,) * 12 + (0.0,), (1.0,) * 12 + (999.0,), PAPER_TARIFF)
    with pytest.raises(ValueError, match="more than"):
        play(period, 0.2, 9, "nash_bargain", np.random.default_rng(1))
