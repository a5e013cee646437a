"""market/ants: the colony against exact optima, and its evaporation."""

import numpy as np
import pytest

from gridloom.chaincode.energy.learning.flows import dispatch
from gridloom.market.ants.colony import Colony, maximise
from gridloom.market.ants.evaporation import factors, next_factor
from gridloom.market.learning.elastic import ElasticGame
from gridloom.market.learning.vertex import PAPER_BOX, Weights, coefficients, weighted_optimum

HOURS = [(900.0, 300.0, 400.0), (200.0, 300.0, 400.0), (500.0, 300.0, 400.0)]
WEIGHTS = [Weights(1, 0, 0), Weights(0, 1, 0), Weights(0.5, 0.3, 0.2), Weights(0.2, 0.2, 0.6)]


def weighted(flows, weights):
    factor = np.asarray(coefficients(weights)) * np.asarray(flows[:4])

    def value(prices):
        own = prices.copy()
        own[:, 2:] -= 0.05 * own[:, 2:] ** 2
        return own @ factor

    return value


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("hour", HOURS)
def test_ants_come_to_the_vertex(hour, weights):
    flows = dispatch(*hour)
    exact = weighted_optimum(flows, weights, PAPER_BOX)
    found = maximise(weighted(flows, weights), PAPER_BOX, np.random.default_rng(1))
    for price, vertex in zip(found.place, exact.prices, strict=True):
        assert vertex is None or abs(price - vertex) <= 1e-6
    assert found.value == pytest.approx(exact.value, abs=1e-6)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ants_come_to_the_equilibrium_of_the_elastic_game(seed):
    game = ElasticGame(1.6, 500, 500, 0.42, 0.12, 0.05, (0.5, 0.7), (0.4, 0.6))
    box = (game.company_box, game.bureau_box)
    rng = np.random.default_rng(seed)
    found = maximise(lambda places: -game.regret(places[:, 0], places[:, 1]), box, rng)
    exact = game.equilibrium()
    assert found.place == pytest.approx(exact[:2], abs=5e-5)
    assert -1e-6 < found.value <= 0


def test_the_best_never_gets_worse_stays_in_its_box_and_repeats_itself():
    box = [(-1.0, 2.0), (0.0, 0.0)]

    def hill(places):
        assert np.all((places >= [-1.0, 0.0]) & (places <= [2.0, 0.0]))
        return -((places[:, 0] - 0.3) ** 2)

    runs = [maximise(hill, box, np.random.default_rng(4), Colony(iterations=50)) for _ in "ab"]
    assert runs[0] == runs[1]
    assert list(runs[0].course) == sorted(runs[0].course)
    assert len(runs[0].course) == 50


def test_equal_places_are_no_trouble():
    found = maximise(lambda places: np.zeros(len(places)), [(0, 1)], np.random.default_rng(0))
    assert found.value == 0.0


def test_evaporation_slows_down_with_every_stall_until_its_smallest():
    course = factors([False] * 12)
    assert course[:3] == pytest.approx([0.8, 0.64, 0.512])
    assert course[9] > 0.1
    assert course[10:] == [0.1, 0.1]
    assert next_factor(0.4, improved=True) == 0.4
