"""market/learning/nearest: decimals in, the ledger's own tree inside."""

import math
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.market.learning.nearest import Quotes

FEATURE = st.decimals(-10, 100, places=2).map(float)
NAMES = st.text("abc", min_size=1, max_size=3)


@st.composite
def searches(draw):
    axes = draw(st.integers(1, 3))
    features = st.tuples(*[FEATURE] * axes)
    scales = draw(st.tuples(*[st.sampled_from([0.3, 1.0, 75.0])] * axes))
    return draw(st.dictionaries(NAMES, features, min_size=1, max_size=40)), scales, draw(features)


@settings(deadline=None)
@given(searches())
def test_the_tree_finds_what_comparing_all_finds_ties_by_lowest_id(search):
    features, scales, target = search

    def squared(own):
        exact = (map(Fraction, map(repr, values)) for values in (own, target, scales))
        return sum(((x - y) / s) ** 2 for x, y, s in zip(*exact, strict=True))

    best = min(features, key=lambda name: (squared(features[name]), name))
    found = Quotes(features, scales).nearest(target)
    assert found.id == best
    assert math.isclose(found.distance, math.sqrt(squared(features[best])), rel_tol=1e-12)


def test_a_target_of_finer_digits_than_the_quotes_is_no_different():
    quotes = Quotes({"low": (0.5,), "high": (0.6,)}, (1.0,))
    assert quotes.nearest((0.5499999999,)).id == "low"
    assert quotes.nearest((0.5500000001,)).id == "high"
    assert quotes.nearest((0.55,)).id == "high"  # alike: the lowest id
    assert Quotes({}, (1.0,)).nearest((0.5,)) is None
