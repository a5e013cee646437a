"""Rate controllers against naive models, and the search for the saturation point."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.bench.rates import FixedRate, LinearRate, MaximumRate
from gridloom.bench.saturation import Saturation

RATES = st.floats(0.5, 5000)


@given(RATES, st.integers(0, 10_000))
def test_a_fixed_rate_starts_at_equal_distances(tps: float, number: int) -> None:
    rate = FixedRate(tps)
    assert rate.start(number + 1) - rate.start(number) == pytest.approx(1 / tps, rel=1e-6)


@given(RATES, RATES, st.floats(1, 100), st.floats(0, 1))
def test_a_linear_rate_has_started_what_its_integral_says(
    starting: float, finishing: float, duration: float, part: float
) -> None:
    rate = LinearRate(starting, finishing, duration)
    moment = part * duration
    started = starting * moment + (finishing - starting) / duration * moment**2 / 2
    before, after = math.floor(started - 1e-6), math.ceil(started + 1e-6)
    assert before < 1 or rate.start(before) <= moment + 1e-6
    assert rate.start(after) >= moment - 1e-6


def test_a_falling_rate_ends_where_it_reaches_nothing() -> None:
    rate = LinearRate(100, 1e-9, 10)
    assert rate.start(499) < 10
    assert rate.start(1000) == math.inf


@given(RATES, st.floats(0, 10))
def test_a_warm_up_goes_at_the_starting_rate_and_begins_in_time(tps: float, warmup: float) -> None:
    for rate in (FixedRate(tps), LinearRate(tps, tps * 2, 10)):
        assert -warmup - 1e-9 <= rate.start(rate.first(warmup)) <= 0


@given(st.floats(1, 50_000))
def test_the_search_ends_near_the_highest_rate_that_holds(capacity: float) -> None:
    search = Saturation(MaximumRate(50, 2.0, 1.0, 1000.0))
    while (tps := search.next_rate()) is not None:
        search.report(tps, tps <= capacity)
    assert search.sustained is not None
    assert search.sustained <= capacity
    assert search.sustained >= capacity / 1.1 * 0.999


def test_a_search_that_nothing_sustains_ends_without_a_rate() -> None:
    search = Saturation(MaximumRate(50, 2.0, 1.0, 1000.0))
    while (tps := search.next_rate()) is not None:
        search.report(tps, False)
    assert search.sustained is None
