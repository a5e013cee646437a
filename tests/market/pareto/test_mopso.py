"""market/pareto: the archive and the swarm that fills it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.market.pareto.archive import non_dominated, thin
from gridloom.market.pareto.front import exact_front, hypervolume
from gridloom.market.pareto.mopso import Flight, search
from gridloom.market.pareto.offers import Offers, Values

PAPER = Offers(
    (0.35, 0.42, 0.4, 0.45, 0.5, 0.58), (0.05, 0.06, 0.05, 0.08, 0.04, 0.07),
    (250.0, 60.0, 40.0, 80.0, 70.0, 150.0),
)  # fmt: skip
POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30)


@settings(deadline=None)
@given(POINTS)
def test_the_archive_keeps_exactly_what_nothing_beats(points):
    cost, quantity = np.asarray(points, dtype=float).T
    archive = non_dominated(np.asarray(points, dtype=float), Values(cost, quantity))
    best = {
        (c, q) for c, q in points
        if not any((c2 <= c and q2 >= q and (c2, q2) != (c, q)) for c2, q2 in points)
    }  # fmt: skip
    assert list(zip(*archive.values, strict=True)) == sorted(best)
    assert [tuple(row) for row in archive.purchases] == sorted(best)


@settings(deadline=None)
@given(POINTS, st.integers(2, 6))
def test_a_thinned_archive_keeps_its_ends_and_its_order(points, size):
    cost, quantity = np.asarray(points, dtype=float).T
    archive = non_dominated(np.asarray(points, dtype=float), Values(cost, quantity))
    kept = thin(archive, size)
    assert len(kept) <= max(size, 1)
    assert kept.values.cost[0] == archive.values.cost[0]
    assert kept.values.cost[-1] == archive.values.cost[-1]
    assert np.all(np.diff(kept.values.quantity) > 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_flight_alone_nearly_covers_the_front_and_keeps_the_cap(seed):
    flight = Flight(exchange=0.0, iterations=200, settle=False)
    archive = search(PAPER, np.random.default_rng(seed), flight)
    front = exact_front(PAPER)
    assert hypervolume(archive.values, front.reference) >= 0.98 * front.hypervolume
    assert np.all(archive.values.cost <= PAPER.cap * archive.values.quantity)
    assert np.all((archive.purchases >= 0) & (archive.purchases <= PAPER.capacity))


def test_a_settled_archive_lies_on_the_front():
    archive = search(PAPER, np.random.default_rng(3))
    front = exact_front(PAPER)
    assert archive.values.cost == pytest.approx(front.cost_at(archive.values.quantity), abs=1e-9)
    assert len(archive) >= 100


def test_the_same_seed_leaves_the_same_archive():
    one, two = (search(PAPER, np.random.default_rng(9)) for _ in "ab")
    assert one.purchases.tobytes() == two.purchases.tobytes()


def test_a_single_supplier_is_bought_from_alone():
    archive = search(Offers((0.4,), (0.0,), (10.0,)), np.random.default_rng(0))
    assert archive.values.cost == pytest.approx(0.4 * archive.values.quantity)
