"""What a node's storage does in one period (paper 004, eqs. (1)-(3)).

D = 0: the node generates, E <- min(E + G, E_l), never beyond the limit; D = 1: it requests,
and its storage waits for the request: what lies inside serves it first, the rest is asked of
the network (the paper prints E_l where the energy held, E_s, must stand).
One set of functions serves the ledger in Wh and the model in exact fractions.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

Exact = TypeVar("Exact", int, Fraction)
"""A number that nothing rounds."""


class Draw(NamedTuple, Generic[Exact]):
    """How a request is met: from the node's own storage, and asked of the network."""

    inside: Exact
    request: Exact


def charge(stored: Exact, generated: Exact, limit: Exact, *, requesting: bool) -> Exact:
    """Energy held after the period's generation; all quantities >= 0."""
    if requesting:
        return stored
    return min(stored + generated, limit)


def draw(stored: Exact, wanted: Exact) -> Draw[Exact]:
    """Split a request between own storage and the network."""
    inside = min(stored, wanted)
    return Draw(inside, wanted - inside)
