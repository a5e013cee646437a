"""market/pareto: exact fronts against linear programming's optimality and all choices."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.market.pareto.front import exact_front, hypervolume
from gridloom.market.pareto.offers import Offers, Values
from gridloom.market.pareto.selection import discrete_front


def decimal(low, high):
    return st.integers(int(low * 1_000), int(high * 1_000)).map(lambda value: value / 1_000)


@st.composite
def offered(draw, most=6):
    size = draw(st.integers(1, most))
    price, way = (draw(st.lists(decimal(*r), min_size=size, max_size=size))
                  for r in ((0.2, 0.6), (0, 0.1)))  # fmt: skip
    capacity = draw(st.lists(decimal(0, 90), min_size=size, max_size=size))
    return Offers(tuple(price), tuple(way), tuple(capacity))


@settings(deadline=None)
@given(offered(), st.integers(0, 2**32 - 1))
def test_no_purchase_within_the_cap_lies_below_or_beyond_the_front(offers, seed):
    front = exact_front(offers)
    bought = np.random.default_rng(seed).uniform(0, 1, (50, len(offers.price)))
    bought = offers.curtail(bought * np.asarray(offers.capacity))
    cost, quantity = offers.values(bought)
    assert np.all(cost <= offers.cap * quantity + 1e-9)
    assert np.all(quantity <= front.most + 1e-9)
    assert np.all(cost >= front.cost_at(quantity) - 1e-9)


@settings(deadline=None)
@given(offered())
def test_the_front_is_convex_and_ends_at_the_cap_or_the_capacity(offers):
    front = exact_front(offers)
    quantity, cost = np.asarray(front.quantity), np.asarray(front.cost)
    slopes = np.diff(cost) / np.diff(quantity)
    assert np.all(np.diff(slopes) >= -1e-9)
    full = front.most == pytest.approx(sum(offers.capacity))
    assert full or front.cost[-1] == pytest.approx(offers.cap * front.most)
    everything = offers.curtail(np.asarray([offers.capacity]))
    assert offers.values(everything).quantity[0] == pytest.approx(front.most, abs=1e-6)


def test_curtailing_leaves_what_keeps_the_cap_as_it_is():
    offers = Offers((0.4, 0.6), (0.0, 0.0), (10.0, 10.0))
    bought = np.asarray([[10.0, 9.0], [10.0, 10.0], [5.0, 10.0], [0.0, 3.0]])
    kept = offers.curtail(bought)
    assert kept == pytest.approx(np.asarray([[10, 9], [10, 10], [5, 5], [0, 0]]), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(offered(most=5))
def test_choices_are_those_that_no_other_choice_beats(offers):
    able = []
    for digits in product((0, 1), repeat=len(offers.price)):
        price = sum(round(1_000 * p) for p, d in zip(offers.price, digits, strict=True) if d)
        size = sum(round(1_000 * e) for e, d in zip(offers.capacity, digits, strict=True) if d)
        parts = zip(offers.price, offers.transmission, offers.capacity, digits, strict=True)
        cost = sum((round(1e3 * p) + round(1e3 * t)) * round(1e3 * e) for p, t, e, d in parts if d)
        if size and cost <= 500 * size:
            able.append((price, size))
    best = {
        (p, q) for p, q in able
        if not any((p2 <= p and q2 >= q and (p2, q2) != (p, q)) for p2, q2 in able)
    }  # fmt: skip
    found = discrete_front(offers)
    assert [(round(1e3 * c.price), round(1e3 * c.quantity)) for c in found] == sorted(best)
    for choice in found:
        members = zip(offers.capacity, choice.suppliers, strict=True)
        assert choice.quantity == pytest.approx(sum(e for e, d in members if d))


def test_numbers_of_many_digits_are_compared_exactly():
    tiny = 1e-19
    offers = Offers((0.3, 0.3 + 1e-16, tiny), (0.0, 0.0, 0.0), (5.0, 5.0, 1e-3))
    found = discrete_front(offers)
    assert [choice.suppliers for choice in found][:2] == [(0, 0, 1), (1, 0, 0)]
    assert found[-1].suppliers == (1, 1, 1)


def test_hypervolume_counts_what_points_dominate_once():
    points = Values(np.asarray([1.0, 2.0, 2.0, 9.0]), np.asarray([2.0, 3.0, 1.0, 9.0]))
    assert hypervolume(points, (0.0, 4.0)) == 2 * 3 + 1 * 2
    front = exact_front(Offers((0.4,), (0.0,), (10.0,)))
    assert front.hypervolume == pytest.approx(10 * 4 / 2)
