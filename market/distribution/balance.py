"""Who serves whose requests, and what each node earns by it: the paper's balance study.

In each period every node draws D (eq. 1): it generates at its own rate (eq. 2) or requests
W ~ U(0, 200) units (eq. 3); the ledger's rule then decides the period under one of the two
schemes.  A node's income is the basic fees of what it delivered; transmission is the operator's.
Both schemes see the same draws.  (Paper 004, sections 2.2, 3.1 and 4.2; Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridloom.chaincode.energy.distribution.deliveries import (
    Decision,
    Fees,
    Statement,
    Waiting,
    decide,
    statement,
    turn,
)
from gridloom.chaincode.energy.distribution.requests import Scheme
from gridloom.chaincode.energy.distribution.storage import charge

UNIT = 1_000
"""Wh in one of the paper's energy units (one kWh)."""


@dataclass(frozen=True, slots=True)
class Network:
    """Nodes in the ledger's units: initial stores, limits and generation rates in Wh, metres
    between them, fees; largest_request: W's upper end, Wh."""

    stores: tuple[int, ...]
    limits: tuple[int, ...]
    rates: tuple[int, ...]
    distances: tuple[tuple[int, ...], ...]
    fees: Fees
    largest_request: int = 200 * UNIT

    @property
    def nodes(self) -> int:
        """How many."""
        return len(self.stores)


@dataclass(frozen=True, slots=True)
class Act:
    """What a node does in a period: requested is None if it generates (D = 0), else W in Wh."""

    node: int
    requested: int | None


@dataclass(frozen=True, slots=True)
class Course:
    """A scheme's decided periods; generated: Wh stored of each node's generation."""

    scheme: Scheme
    decisions: tuple[Decision, ...]
    generated: tuple[int, ...]

    def statements(self, nodes: int) -> list[Statement]:
        """What the periods did to every node."""
        return [statement(node, self.decisions) for node in range(nodes)]


def random_network(nodes: int, rng: np.random.Generator) -> Network:
    """Nodes scattered over 10 km x 10 km; node 3 begins with a full store of twice the size."""
    places = rng.uniform(0, 10_000, (nodes, 2))
    away = np.linalg.norm(places[:, None] - places[None, :], axis=2)
    limits = rng.integers(80, 160, nodes) * UNIT
    stores = rng.integers(0, 80, nodes) * UNIT
    favoured = min(3, nodes - 1)
    limits[favoured] = stores[favoured] = 300 * UNIT
    return Network(
        tuple(stores.tolist()),
        tuple(limits.tolist()),
        tuple((rng.integers(30, 120, nodes) * UNIT).tolist()),
        tuple(tuple(row) for row in np.rint(away).astype(int).tolist()),
        Fees(basic=400_000, transmission=20_000),
    )


def random_acts(
    network: Network, periods: int, rng: np.random.Generator
) -> tuple[tuple[Act, ...], ...]:
    """D and W of every node in every period, eqs. (1) and (3)."""
    shape = (periods, network.nodes)
    requests = rng.integers(0, 2, shape) == 1
    wanted = rng.integers(1, network.largest_request, shape, endpoint=True)
    return tuple(
        tuple(
            Act(node, int(wanted[period, node]) if requests[period, node] else None)
            for node in range(network.nodes)
        )
        for period in range(periods)
    )


def simulate(network: Network, acts: Sequence[Sequence[Act]], scheme: Scheme) -> Course:
    """Decide every period by the ledger's rule."""
    stores, waiting = list(network.stores), list[Waiting]()
    generated = [0] * network.nodes
    decisions: list[Decision] = []
    for period, doing in enumerate(acts):
        asked = []
        for act in doing:
            node, held = act.node, stores[act.node]
            if act.requested is None:
                rate, limit = network.rates[node], network.limits[node]
                stores[node] = charge(held, rate, limit, requesting=False)
                generated[node] += stores[node] - held
            else:
                asked.append(Waiting(period, node, act.requested))
        decision = decide(
            period,
            [*waiting, *turn(period, network.nodes, asked)],
            scheme=scheme,
            stores=stores,
            distances=network.distances,
            fees=network.fees,
        )
        stores, waiting = list(decision.stores), list(decision.waiting)
        decisions.append(decision)
    return Course(scheme, tuple(decisions), tuple(generated))
