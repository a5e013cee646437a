"""chaincode/energy/rules/allocation."""

from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.allocation import allocate

ENERGIES = st.lists(st.integers(0, 30_000), max_size=7)


@given(ENERGIES, ENERGIES)
def test_the_smaller_side_is_traded_whole_and_nobody_beyond_his_order(supplies, demands):
    inside = allocate(supplies, demands)
    assert inside.traded == sum(inside.bought) == min(sum(supplies), sum(demands))
    assert all(0 <= q <= s for q, s in zip(inside.sold, supplies, strict=True))
    assert all(0 <= q <= d for q, d in zip(inside.bought, demands, strict=True))


@given(ENERGIES, ENERGIES)
def test_paths_make_up_every_sellers_and_every_buyers_share(supplies, demands):
    inside = allocate(supplies, demands)
    pairs = [(path.seller, path.buyer) for path in inside.paths]
    assert len(set(pairs)) == len(pairs)
    assert all(path.energy > 0 for path in inside.paths)
    for i, sold in enumerate(inside.sold):
        assert sum(path.energy for path in inside.paths if path.seller == i) == sold
    for j, bought in enumerate(inside.bought):
        assert sum(path.energy for path in inside.paths if path.buyer == j) == bought


@given(ENERGIES, ENERGIES, st.randoms())
def test_order_of_the_offers_moves_a_share_by_at_most_one_wh(supplies, demands, random):
    order = list(range(len(supplies)))
    random.shuffle(order)
    straight = allocate(supplies, demands)
    shuffled = allocate([supplies[i] for i in order], demands)
    assert straight.bought == shuffled.bought
    for place, i in enumerate(order):
        assert abs(straight.sold[i] - shuffled.sold[place]) <= 1


def test_every_share_is_within_one_wh_of_equation_13():
    supplies, demands = [9_693, 3_988], [3_000, 7_080, 3_580]  # paper, Table 13, hour 7
    inside = allocate(supplies, demands)
    assert inside.bought == (3_000, 7_080, 3_580)
    for sold, supply in zip(inside.sold, supplies, strict=True):
        assert abs(sold - 13_660 * supply / 13_681) < 1
    for path in inside.paths:
        exact = inside.sold[path.seller] * inside.bought[path.buyer] / inside.traded
        assert abs(path.energy - exact) <= 1


def test_without_the_other_side_nothing_is_traded():
    assert allocate([5], []) == ((0,), (), ())
    assert allocate([], [5]) == ((), (0,), ())
    assert allocate([0], [5]).paths == ()
