"""Paper 003's prices beside scipy: a grid over the price range, then minimize_scalar.

The references are what one would write first: the objective in numpy for all prices at
once, its best cell refined by scipy's bounded search.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from scipy import optimize

from gridloom.market.microgrid.bayes import bayes_price, prior
from gridloom.market.microgrid.energy_day import paper_day
from gridloom.market.microgrid.period import Period
from gridloom.market.microgrid.pricing import nash_bargain, stackelberg_buyer
from gridloom.market.tariff import PAPER_TARIFF

_GRID = 2048
_LOW, _HIGH = PAPER_TARIFF.sell, PAPER_TARIFF.buy


def _search(objective: Callable[[np.ndarray], np.ndarray]) -> float:
    """The price of the largest objective."""
    grid = np.linspace(_LOW, _HIGH, _GRID + 1)
    best = int(np.argmax(objective(grid)))
    bounds = (grid[max(best - 1, 0)], grid[min(best + 1, _GRID)])
    found = optimize.minimize_scalar(
        lambda price: -objective(np.asarray([price]))[0],
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(found.x)


def _gains(period: Period, lam: np.ndarray, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Buyers' and sellers' gains of certain types at every price."""
    own = list(period.sellers)
    pv = np.asarray(period.pv)[own]
    demand = sum(period.load[j] - period.pv[j] for j in period.buyers)

    def utility(load: np.ndarray) -> np.ndarray:
        return (lam * np.log1p(load)).sum(axis=1) + _LOW * (pv - load).sum(axis=1)

    load = np.clip(lam / prices[:, None] - 1, 0, pv)
    supply = (pv - load).sum(axis=1)
    traded = np.minimum(supply, demand)
    base = utility(np.clip(lam / _LOW - 1, 0, pv)[None, :])
    return (_HIGH - prices) * traded, utility(load) + (prices - _LOW) * traded - base


def _lam(period: Period) -> np.ndarray:
    return _LOW * (1 + np.asarray(period.load)[list(period.sellers)])


def _plain_bargain(period: Period) -> float:
    lam = _lam(period)
    return _search(lambda prices: np.prod(_gains(period, lam, prices), axis=0))


def _plain_leader(period: Period) -> float:
    lam = _lam(period)
    return _search(lambda prices: _gains(period, lam, prices)[0])


def _plain_bayes(period: Period) -> float:
    types = _types(period)
    profiles = list(itertools.product(*types))
    weights = [math.prod(own.probability for own in profile) for profile in profiles]
    lams = [np.asarray([own.lam for own in profile]) for profile in profiles]

    def objective(prices: np.ndarray) -> np.ndarray:
        buyers = sellers = np.zeros_like(prices)
        for weight, lam in zip(weights, lams, strict=True):
            gains = _gains(period, lam, prices)
            buyers, sellers = buyers + weight * gains[0], sellers + weight * gains[1]
        return buyers * sellers

    return _search(objective)


def _types(period: Period) -> list:
    return [prior(period.load[i], PAPER_TARIFF, 0.2, 3) for i in period.sellers]


def _bayes(period: Period) -> float:
    generation = [period.pv[i] for i in period.sellers]
    demand = sum(period.load[j] - period.pv[j] for j in period.buyers)
    return bayes_price(_types(period), generation, demand, PAPER_TARIFF)


def _street(sellers: int) -> Period:
    rng = np.random.default_rng(0)
    load = tuple(rng.uniform(0.1, 3, sellers))
    pv = tuple(own + spare for own, spare in zip(load, rng.uniform(0.1, 8, sellers), strict=True))
    return Period((*pv, 0.0), (*load, 6.0 * sellers), PAPER_TARIFF)


def _near(ours: object, plain: object) -> bool:
    assert isinstance(ours, float)
    assert isinstance(plain, float)
    return abs(ours - plain) < 1e-6


_EVENING = paper_day().period(18)
_NOON, _MANY, _SOME = paper_day().period(12), _street(50), _street(5)

METHODS = {
    "p003 Nash bargain, the paper's hour": (
        lambda: nash_bargain.price(_NOON.followers()), lambda: _plain_bargain(_NOON), _near,
    ),
    "p003 Nash bargain, 50 sellers": (
        lambda: nash_bargain.price(_MANY.followers()), lambda: _plain_bargain(_MANY), _near,
    ),
    "p003 buyers lead, the paper's hour 18": (
        lambda: stackelberg_buyer.price(paper_day().period(18).followers()),
        lambda: _plain_leader(paper_day().period(18)), _near,
    ),
    "p003 Bayesian game, 5 sellers of 3 types": (
        lambda: _bayes(_SOME), lambda: _plain_bayes(_SOME), _near,
    ),
}  # fmt: skip
