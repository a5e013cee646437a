"""Papers 000 and 001's methods beside plain numpy and scipy.

Evidence is combined with floats in a dictionary of frozensets, the power flow is given to
scipy's root with the same equations and Jacobian (hybr), routing is
scipy's linprog; shares of a race are summed over polynomials; mining is a loop over
hashlib.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import linprog, root

from gridloom.chaincode.energy.baas.evidence import Evidence, Frame, body, combine
from gridloom.chaincode.energy.baas.grid_records import Terms
from gridloom.chaincode.energy.baas.potential_units import Line, route
from gridloom.chaincode.energy.dipi.matching_score import (
    MINIMISED,
    WEIGHTS,
    Scores,
    matching_scores,
)
from gridloom.common.proof_of_credit import Difficulty, search, target
from gridloom.market.baas.five_units import LOADS, feeder, plan
from gridloom.market.credit.race import win_law
from gridloom.market.power_flow.equations import Equations
from gridloom.market.power_flow.feeder import Feeder, Load, Node, NodeType
from gridloom.market.power_flow.feeder import Line as FlowLine
from gridloom.market.power_flow.ledger_point import per_unit
from gridloom.market.power_flow.solution import OperatingPoint, operating_point

_RNG = np.random.default_rng(0)
_FRAME = Frame(tuple(f"u{n}" for n in range(8)))


def _source() -> Evidence:
    subsets = _RNG.choice(np.arange(1, 255), 11, replace=False).tolist()
    weights = _RNG.integers(1, 100, 12)
    total = int(weights.sum())
    masses = {s: Fraction(int(w), total) for s, w in zip([*subsets, 255], weights, strict=True)}
    return body(_FRAME, masses)


_SOURCES = [_source() for _ in range(4)]
_PLAIN_SOURCES = [
    {frozenset(_FRAME.members(subset)): float(source.mass(subset)) for subset in source.weights}
    for source in _SOURCES
]


def _plain_combine() -> dict[frozenset[str], float]:
    whole = {frozenset(_FRAME.hypotheses): 1.0}
    for source in _PLAIN_SOURCES:
        joint: dict[frozenset[str], float] = {}
        for left, left_mass in whole.items():
            for right, right_mass in source.items():
                meet = left & right
                if meet:
                    joint[meet] = joint.get(meet, 0.0) + left_mass * right_mass
        whole = joint
    total = sum(whole.values())
    return {subset: mass / total for subset, mass in whole.items()}


def _same_masses(ours: Any, plain: dict[frozenset[str], float]) -> bool:  # noqa: ANN401
    evidence = ours.evidence
    return all(
        abs(float(evidence.mass(_FRAME.subset(subset))) - mass) < 1e-12
        for subset, mass in plain.items()
    )


_ISLAND = per_unit(feeder(Terms(0, 0, 0), 530_000), plan(450_000, [1.0] * len(LOADS)))


def _radial(count: int) -> Feeder:
    nodes = [Node(NodeType.SLACK)]
    nodes += [Node(NodeType.PQ, Load(0.002, 0.001)) for _ in range(count - 1)]
    lines = tuple(FlowLine(max(0, n - 3), n, 0.01, 0.02) for n in range(1, count))
    return Feeder(tuple(nodes), lines)


_STREET = _radial(33)


def _plain_flow(grid: Feeder) -> Callable[[], np.ndarray]:
    def solve() -> np.ndarray:
        equations = Equations(grid, {}, {})
        start = equations.start()
        size = len(equations.mismatch(start))
        found = root(
            lambda x: equations.mismatch(equations.moved(start, x)),
            np.zeros(size),
            jac=lambda x: equations.jacobian(equations.moved(start, x)),
            tol=1e-12,
        )
        voltages: np.ndarray = equations.moved(start, found.x).voltage
        return voltages

    return solve


def _same_voltages(ours: OperatingPoint, plain: np.ndarray) -> bool:
    return bool(np.abs(ours.state.voltage - plain).max() < 1e-9)


_PLACES = [(0, 1), (0, 2), (1, 3), (2, 4), (3, 4), (1, 2), (4, 5), (3, 6), (5, 6), (6, 7), (5, 7)]
_LINES = [
    Line(a, b, Fraction(53, 100), Fraction(n, 100), Fraction(10 + n, 10))
    for n, (a, b) in enumerate(_PLACES)
]
_NODES, _TARGET, _POWER = 8, 7, Fraction(4, 10)


def _plain_route() -> tuple[float, float]:
    count = len(_LINES)
    balance = np.zeros((_NODES, 2 * count + 1))
    for i, line in enumerate(_LINES):
        balance[line.start, [i, count + i]] = (1, -1)
        balance[line.end, [i, count + i]] = (-1, 1)
    balance[[0, _TARGET], -1] = (-1, 1)
    bounds = [(0, float(line.limit - line.flow)) for line in _LINES]
    bounds += [(0, float(line.limit + line.flow)) for line in _LINES]
    risks = [float(line.risk) for line in _LINES]
    zero = np.zeros(_NODES)
    power = (float(_POWER),) * 2
    least = linprog([*risks, *risks, 0], A_eq=balance, b_eq=zero, bounds=[*bounds, power])
    most = linprog([0] * (2 * count) + [-1], A_eq=balance, b_eq=zero, bounds=[*bounds, (0, None)])
    return float(least.fun), float(-most.fun)


def _same_route(ours: Any, plain: tuple[float, float]) -> bool:  # noqa: ANN401
    return (
        abs(float(ours.transmission) - plain[0]) < 1e-9
        and abs(float(ours.capacity) - plain[1]) < 1e-9
    )


_HITS = (0.02 + 0.05 * np.random.default_rng(1).random(40)).tolist()


def _plain_race() -> list[float]:
    shares = []
    for j, own in enumerate(_HITS):
        others = np.ones(1)
        for i, p in enumerate(_HITS):
            if i != j:
                others = np.convolve(others, (1 - p, p))
        shares.append(own * float((others / np.arange(1, len(others) + 1)).sum()))
    total = sum(shares)
    return [share / total for share in shares]


_WORK = bytes(32)
_TARGET_HASH = target(Decimal(100), Difficulty(12))


def _plain_search() -> int:
    nonce = 0
    while True:
        digest = hashlib.sha256(_WORK + nonce.to_bytes(8, "big")).digest()
        if int.from_bytes(digest, "big") <= _TARGET_HASH:
            return nonce
        nonce += 1


_CANDIDATES = [
    {name: int(value) for name, value in zip(WEIGHTS, row, strict=True)}
    for row in _RNG.integers(1, 10_000, (20, len(WEIGHTS)))
]


def _plain_scores() -> np.ndarray:
    values = np.array([[candidate[name] for name in WEIGHTS] for candidate in _CANDIDATES], float)
    weights = np.array([float(weight) for weight in WEIGHTS.values()])
    low, high = values.min(axis=0), values.max(axis=0)
    scaled = (values - low) / (high - low)
    for column, name in enumerate(WEIGHTS):
        if name in MINIMISED:
            scaled[:, column] = 1 - scaled[:, column]
    points: np.ndarray = scaled @ weights / weights.sum()
    return points


def _same_scores(ours: Scores, plain: np.ndarray) -> bool:
    return ours.best == int(np.argmax(plain)) and all(
        abs(float(ours[i]) - points) < 1e-12 for i, points in enumerate(plain)
    )


METHODS = {
    "matching score, 20 candidates, exact": (
        lambda: matching_scores(_CANDIDATES), _plain_scores, _same_scores,
    ),
    "evidence: 4 sources, 8 units, 12 sets each, exact": (
        lambda: combine(_FRAME, _SOURCES), _plain_combine, _same_masses,
    ),
    "power flow: 5 nodes, islanded": (
        lambda: operating_point(_ISLAND), _plain_flow(_ISLAND), _same_voltages,
    ),
    "power flow: 33 nodes, balance node": (
        lambda: operating_point(_STREET), _plain_flow(_STREET), _same_voltages,
    ),
    "potential unit: 8 nodes, 11 lines, exact": (
        lambda: route(_NODES, _LINES, 0, _TARGET, _POWER), _plain_route, _same_route,
    ),
    "race of 40 miners": (
        lambda: win_law(_HITS), _plain_race, lambda a, b: bool(np.allclose(a, b, atol=1e-10)),
    ),
    "mining, 12 bits": (
        lambda: search(_WORK, _TARGET_HASH, 0, 10**6), _plain_search, lambda a, b: a == b,
    ),
}  # fmt: skip
