"""chaincode/energy/rules/amounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.amounts import apportion, payments, value_of

WEIGHTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=12).filter(any)


@given(st.integers(0, 10**12), WEIGHTS)
def test_shares_add_up_to_the_total_and_miss_their_quota_by_less_than_one(total, weights):
    shares = apportion(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * whole - total * weight) < whole


@given(WEIGHTS, st.data())
def test_no_share_exceeds_its_weight_when_the_total_does_not(weights, data):
    total = data.draw(st.integers(0, sum(weights)))
    shares = apportion(total, weights)
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))


def test_left_over_units_go_to_the_largest_remainders_and_ties_to_the_first():
    assert apportion(10, [1, 1, 1]) == (4, 3, 3)
    assert apportion(7, [10, 25, 65]) == (1, 2, 4)
    assert apportion(5, [0, 3, 0]) == (0, 5, 0)


def test_nothing_to_split_needs_no_weight_but_something_does():
    assert apportion(0, [0, 0]) == (0, 0)
    assert apportion(0, []) == ()
    with pytest.raises(ValueError, match="7 cannot be split"):
        apportion(7, [0, 0])


def test_a_value_is_rounded_half_up_to_one_micro_yuan():
    assert value_of(1000, 809_908) == 809_908
    assert value_of(1, 1_500) == 2
    assert value_of(1, 1_499) == 1
    assert value_of(0, 850_000) == 0


@given(st.lists(st.integers(0, 10**6), max_size=8), st.integers(1, 10**7))
def test_payments_add_up_to_the_value_of_the_whole_energy(energies, price):
    assert sum(payments(energies, price)) == value_of(sum(energies), price)
