"""Paper 002's and 004's methods beside plain numpy and scipy.

The references are what one would write first: scipy's k-d tree, a bounded scalar search for each
best response, a colony and a swarm of the same sizes as loops of whole-array steps, linear
programming for the front.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, spatial

from gridloom.chaincode.energy.distribution.requests import Scheme, Served, serve
from gridloom.chaincode.energy.learning.kd_tree import KdTree, Point
from gridloom.market.ants.colony import Colony, maximise
from gridloom.market.learning.elastic import ElasticGame
from gridloom.market.pareto.front import exact_front
from gridloom.market.pareto.mopso import Flight, search
from gridloom.market.pareto.offers import Offers
from gridloom.market.pareto.selection import discrete_front

_GAME = ElasticGame(1.6, 500.0, 500.0, 0.42, 0.12, 0.05, (0.5, 0.7), (0.4, 0.6))


def _plain_equilibrium() -> float:
    """Best responses by scipy's bounded search, in turn, until they stay."""
    company, bureau = 0.6, 0.5
    for _ in range(40):
        before = company
        company = optimize.minimize_scalar(
            lambda p, rival=bureau: -(p - 0.42) * 500 * (0.5 + 1.6 * (rival - p)),
            bounds=(0.5, 0.7), method="bounded", options={"xatol": 1e-10},
        ).x  # fmt: skip
        bureau = optimize.minimize_scalar(
            lambda p, rival=company: (
                -(p - 0.05 * p * p - 0.12) * 500 * (0.5 - 1.6 * (p - rival))
            ),
            bounds=(0.4, 0.6), method="bounded", options={"xatol": 1e-10},
        ).x  # fmt: skip
        if abs(company - before) < 1e-9:
            break
    return float(company)


_BOX = ((0.5, 0.7), (0.5, 0.7), (0.4, 0.6), (0.4, 0.6))
_FACTOR = np.asarray((0.3, 0.2, 0.1, -0.2)) * (200.0, 50.0, 200.0, 80.0)


def _worth(places: np.ndarray) -> np.ndarray:
    return places @ _FACTOR


def _plain_colony() -> float:
    """The same 35 ants for 200 iterations, one ant at a time as the paper tells it."""
    rng = np.random.default_rng(1)
    low, high = np.asarray(_BOX).T
    ants = rng.uniform(low, high, (35, 4))
    values, tau, rho, best = _worth(ants), np.ones(35), 1.0, -np.inf
    for iteration in range(1, 201):
        attraction = (tau.max() - tau) / tau.max()
        for i in range(35):
            reach = 0.1 / iteration if attraction[i] < 0.2 else 0.5
            step = np.clip(ants[i] + rng.uniform(-1, 1, 4) * reach * (high - low), low, high)
            value = float(step @ _FACTOR)
            if value > values[i]:
                ants[i], values[i] = step, value
        tau = (1 - rho) * tau + (values - values.min()) / max(np.ptp(values), 1e-300)
        rho = rho if values.max() > best else max(0.8 * rho, 0.1)
        best = max(best, values.max())
    return float(best)


_QUOTES = np.random.default_rng(2).integers(0, 1_000_000, (2_000, 2))
_TARGETS = np.random.default_rng(3).integers(0, 1_000_000, (200, 2))
_WHOLE_TARGETS = [tuple(map(int, own)) for own in _TARGETS]
_TREE = KdTree([Point(f"q{i:04}", (int(x), int(y))) for i, (x, y) in enumerate(_QUOTES)], (1, 1))


def _nearest() -> list[str]:
    return [_TREE.nearest(target).id for target in _WHOLE_TARGETS]


def _plain_nearest() -> list[str]:
    """For each target all distances at once."""
    found = []
    for target in _TARGETS:
        offsets = _QUOTES - target
        found.append(f"q{int(np.argmin((offsets * offsets).sum(axis=1))):04}")
    return found


def _scipy_nearest() -> list[str]:
    """One target after the other, as quotes come, in scipy's tree."""
    return [f"q{_SCIPY.query(target)[1]:04}" for target in _TARGETS]


_SCIPY = spatial.cKDTree(_QUOTES)

_OFFERS = Offers(
    (0.35, 0.42, 0.4, 0.45, 0.5, 0.58), (0.05, 0.06, 0.05, 0.08, 0.04, 0.07),
    (250.0, 60.0, 40.0, 80.0, 70.0, 150.0),
)  # fmt: skip


def _plain_front() -> float:
    """Q_max by linear programming."""
    delivered, capacity = np.asarray(_OFFERS.delivered), np.asarray(_OFFERS.capacity)
    found = optimize.linprog(
        -np.ones(6), A_ub=[delivered - _OFFERS.cap], b_ub=[0.0],
        bounds=list(zip(np.zeros(6), capacity, strict=True)),
    )  # fmt: skip
    return float(-found.fun)


def _plain_swarm() -> float:
    """A swarm of the same size whose archive is compared pair by pair in numpy."""
    rng = np.random.default_rng(1)
    high, delivered = np.asarray(_OFFERS.capacity), np.asarray(_OFFERS.delivered)
    x, v = rng.uniform(0, 1, (100, 6)) * high, np.zeros((100, 6))
    own, own_cost, own_sold = x.copy(), x @ delivered, x.sum(axis=1)
    archive = np.zeros((1, 6))
    for _ in range(60):
        cost, sold = x @ delivered, x.sum(axis=1)
        keep = cost <= _OFFERS.cap * sold
        everybody = np.concatenate([archive, x[keep]])
        c, q = everybody @ delivered, everybody.sum(axis=1)
        no_worse = (c[None, :] <= c[:, None]) & (q[None, :] >= q[:, None])
        better = (c[None, :] < c[:, None]) | (q[None, :] > q[:, None])
        archive = everybody[~(no_worse & better).any(axis=1)]
        if len(archive) > 200:
            order = np.argsort(archive @ delivered)
            archive = archive[order[np.linspace(0, len(order) - 1, 200).astype(int)]]
        take = (cost <= own_cost) & (sold >= own_sold)
        own[take], own_cost[take], own_sold[take] = x[take], cost[take], sold[take]
        leaders = archive[rng.integers(len(archive), size=100)]
        pull = rng.uniform(0, 1.49618, (2, 100, 6))
        v = 0.7298 * v + pull[0] * (own - x) + pull[1] * (leaders - x)
        x = np.clip(x + v, 0, high)
    return float(archive.sum(axis=1).max())


_MANY = Offers(
    tuple(np.random.default_rng(4).uniform(0.25, 0.6, 12).round(3).tolist()), (0.05,) * 12,
    tuple(np.random.default_rng(5).integers(10, 250, 12).astype(float).tolist()),
)  # fmt: skip


def _plain_choices() -> list[float]:
    """Quantities of the non-dominated choices, every choice as a row of digits, in floats."""
    digits = (np.arange(1, 4096)[:, None] >> np.arange(11, -1, -1)) & 1
    price, size = digits @ np.asarray(_MANY.price), digits @ np.asarray(_MANY.capacity)
    cost = digits @ (_MANY.delivered * np.asarray(_MANY.capacity))
    able = cost <= _MANY.cap * size + 1e-9
    price, size = price[able].round(9), size[able]
    order = np.lexsort((-size, price))
    most = np.maximum.accumulate(size[order])
    return size[order][np.concatenate([[True], most[1:] > most[:-1]])].tolist()


_STORES = np.random.default_rng(6).integers(0, 100, 200)
_AWAY = np.random.default_rng(7).integers(1, 10_000, 200)
_HELD, _FAR = _STORES.tolist(), _AWAY.tolist()


def _plain_request() -> tuple[list[tuple[int, int]], list[int], int]:
    """Cost-aware: sort by distance, accumulate, cut; legs, stores left, and what waits."""
    stores = _STORES.copy()
    inside = min(int(stores[0]), 600)
    stores[0] -= inside
    order = np.lexsort((np.arange(200), _AWAY))
    order = order[(order != 0) & (stores[order] > 0)]
    missing = 600 - inside
    before = np.cumsum(stores[order]) - stores[order]
    asked = order[before < missing]
    taken = np.minimum(stores[asked], missing - before[: len(asked)])
    stores[asked] -= taken
    return (
        list(zip(asked.tolist(), taken.tolist(), strict=True)),
        stores.tolist(),
        int(missing - taken.sum()),
    )


def _same_request(ours: object, plain: object) -> bool:
    assert isinstance(ours, Served)
    return ([tuple(leg) for leg in ours.legs], list(ours.stores), ours.waiting) == plain


def _near(ours: object, plain: object) -> bool:
    assert isinstance(ours, float)
    assert isinstance(plain, float)
    return abs(ours - plain) < 1e-6


METHODS = {
    "p002 equilibrium of the elastic game": (
        lambda: _GAME.equilibrium().company_price, _plain_equilibrium, _near,
    ),
    "p002 colony, 35 ants, 200 iterations": (
        lambda: maximise(_worth, _BOX, np.random.default_rng(1), Colony()).value,
        _plain_colony, _near,
    ),
    "p002 nearest of 2,000 quotes, 200 targets, beside numpy": (
        _nearest, _plain_nearest, lambda ours, plain: ours == plain,
    ),
    "p002 the same beside scipy's tree": (
        _nearest, _scipy_nearest, lambda ours, plain: ours == plain,
    ),
    "p004 exact front of 6 suppliers": (
        lambda: exact_front(_OFFERS).most, _plain_front, _near,
    ),
    "p004 whole suppliers, 12 of them": (
        lambda: [choice.quantity for choice in discrete_front(_MANY)], _plain_choices,
        lambda ours, plain: ours == plain,
    ),
    "p004 cost-aware request among 200 nodes": (
        lambda: serve(Scheme.COST_AWARE, _HELD, _FAR, 0, 600), _plain_request, _same_request,
    ),
    "p004 swarm, 100 particles, 60 steps": (
        lambda: float(search(_OFFERS, np.random.default_rng(1), Flight()).values.quantity[-1]),
        _plain_swarm, lambda ours, plain: abs(ours - plain) < 0.1 * ours,
    ),
}  # fmt: skip
