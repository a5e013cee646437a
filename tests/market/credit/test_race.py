"""market/credit/race: who is heard first when several nodes find a proof in one round."""

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.market.credit.race import proportional, win_law


def by_cases(hit):
    """Every combination of hits and misses, the winner drawn among the hits."""
    chances = [0.0] * len(hit)
    for outcome in product((True, False), repeat=len(hit)):
        chance = prod(p if hits else 1 - p for p, hits in zip(hit, outcome, strict=True))
        for node, hits in enumerate(outcome):
            if hits:
                chances[node] += chance / sum(outcome)
    return [chance / sum(chances) for chance in chances]


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=7))
def test_the_law_is_the_sum_over_all_outcomes(hit):
    assert win_law(hit) == pytest.approx(by_cases(hit), abs=1e-12)


def test_equation_11_is_what_remains_for_small_chances():
    hit = [1e-6, 2e-6, 3e-6]
    assert win_law(hit) == pytest.approx(proportional(hit), abs=1e-6)
    assert proportional(hit) == pytest.approx([1 / 6, 1 / 3, 1 / 2])
