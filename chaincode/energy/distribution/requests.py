"""Who serves an energy request: the two algorithms of paper 004, section 3.1.

Both use the requester's own storage first.  Cost-aware: the nearest node next, each
exhausted before the next one is asked (Fig. 4).  Storage-aware: the nearest node that alone
holds enough; if there is none, the fullest node is exhausted and the search repeats (Fig. 5).
Of equals the lowest number is asked.  What nobody holds goes to the waiting list.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from heapq import heapify, heappop
from typing import Generic, NamedTuple

from .storage import Exact, draw


class Leg(NamedTuple, Generic[Exact]):
    """Energy delivered by one node to the requester."""

    node: int
    energy: Exact


class Served(NamedTuple, Generic[Exact]):
    """A request after the search: from own storage, by others, and still waiting.

    stores: what every node holds afterwards.
    """

    inside: Exact
    legs: tuple[Leg[Exact], ...]
    waiting: Exact
    stores: tuple[Exact, ...]


class Scheme(StrEnum):
    """Which of the two algorithms serves a request."""

    COST_AWARE = "cost_aware"
    STORAGE_AWARE = "storage_aware"


def serve(
    scheme: Scheme,
    stores: Sequence[Exact],
    distances: Sequence[Exact],
    requester: int,
    wanted: Exact,
) -> Served[Exact]:
    """Serve a request for wanted >= 0.

    stores: energy held by each node, >= 0; distances: from the requester to each node.
    """
    held = list(stores)
    inside, missing = draw(held[requester], wanted)
    held[requester] -= inside
    places = zip(distances, range(len(held)), held, strict=True)
    near = [(away, node) for away, node, store in places if store > 0 and node != requester]
    heapify(near)
    legs: list[Leg[Exact]] = []
    while missing > 0 and near:
        node = heappop(near)[1] if scheme is Scheme.COST_AWARE else _enough(near, held, missing)
        energy = min(held[node], missing)
        held[node] -= energy
        missing -= energy
        legs.append(Leg(node, energy))
    return Served(inside, tuple(legs), missing, tuple(held))


def leg_cost(energy: Exact, distance: Exact, basic: Exact, transmission: Exact) -> Exact:
    """C = C_b n + C_t Dis, eq. (4), for one leg."""
    return basic * energy + transmission * distance


def _enough(near: list[tuple[Exact, int]], held: Sequence[Exact], missing: Exact) -> int:
    """The nearest node that alone covers what is missing, else the fullest; off the list."""
    able = [place for place in near if held[place[1]] >= missing]
    chosen = min(able) if able else min(near, key=lambda place: (-held[place[1]], place[1]))
    near.remove(chosen)
    return chosen[1]
