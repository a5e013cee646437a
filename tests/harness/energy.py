"""Random hours of the energy market for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from gridloom.market.microgrid.period import Period
from gridloom.market.tariff import Tariff


def _kwh(high: float) -> st.SearchStrategy[float]:
    return st.floats(0.0, high).map(lambda value: round(value, 3))


@st.composite
def periods(draw: st.DrawFn, *, deficit: bool = False) -> Period:
    """Hours of up to six users; with deficit, such that the price is a game's result."""
    size = draw(st.integers(2 if deficit else 1, 6))
    pv = draw(st.lists(_kwh(20.0), min_size=size, max_size=size))
    load = draw(st.lists(_kwh(20.0), min_size=size, max_size=size))
    if deficit:
        pv[0] = draw(_kwh(20.0).filter(lambda value: value > 0.01))
        load[0] = round(pv[0] * draw(st.floats(0.0, 0.9)), 3)
        surplus = sum(max(g - e, 0.0) for g, e in zip(pv, load, strict=True))
        pv[-1] = 0.0
        load[-1] = round(surplus * draw(st.floats(1.0, 3.0)) + 0.01, 3)
    sell = draw(st.floats(0.2, 0.9))
    tariff = Tariff(sell, sell * draw(st.floats(1.02, 1.9)))
    band = draw(st.none() | st.sampled_from([0.05, 0.1, 0.2, 0.5]))
    lam = draw(st.none() | st.lists(st.floats(0.0, 8.0), min_size=size, max_size=size).map(tuple))
    return Period(tuple(pv), tuple(load), tariff, band, lam)
