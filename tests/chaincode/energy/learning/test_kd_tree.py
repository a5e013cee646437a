"""chaincode/energy/learning: nearest quotes, flows and payments in integers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.learning.flows import dispatch
from gridloom.chaincode.energy.learning.kd_tree import Found, KdTree, Point, weights_of
from gridloom.chaincode.energy.learning.payments import Prices, accounts, payment

PLACE = st.tuples(st.integers(-6, 6), st.integers(-6, 6))
PRICE = st.none() | st.integers(0, 2_000_000)
WH = st.integers(0, 10**9)


@settings(deadline=None)
@given(st.lists(PLACE, max_size=60), PLACE, st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_the_tree_equals_brute_force_and_ties_go_to_the_lowest_id(places, target, weights):
    points = [Point(f"q{i:03}", at) for i, at in enumerate(places)]

    def squared(point):
        return sum(w * (x - y) ** 2 for w, x, y in zip(weights, point.at, target, strict=True))

    best = min(points, key=lambda point: (squared(point), point.id), default=None)
    expected = None if best is None else Found(best.id, squared(best))
    for order in (points, points[::-1]):
        assert KdTree(order, weights).nearest(target) == expected


def test_weights_make_a_scale_the_unit_of_its_axis():
    weights = weights_of([300_000, 75_000])
    assert weights[0] * 300_000**2 == weights[1] * 75_000**2
    assert weights_of([7]) == (1,)


@settings(deadline=None)
@given(WH, WH, WH, st.tuples(PRICE, PRICE, PRICE, PRICE), st.integers(0, 2_000_000))
def test_the_three_accounts_sum_to_zero_to_the_micro_yuan(generation, load, demand, ask, subsidy):
    money = accounts(dispatch(generation, load, demand), Prices(*ask), subsidy)
    assert money.company + money.bureau - money.users == 0


def test_a_payment_is_the_price_less_its_subsidy_rounded_half_up():
    assert payment(200_000, 600_000) == 120_000_000
    assert payment(200_000, 600_000, 50_000) == 116_400_000
    assert payment(1, 500) == 1
    assert payment(1, 499) == 0
    assert payment(5, None) == 0
