"""Layouts: how many peers of each group it takes, and who could be these peers.

A peer may stand in several groups (an organisation's peers are also its members) but endorses
only once, so whether a layout can be satisfied is a question of matching.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

Layout = Mapping[str, int]
"""Number of peers needed by group."""

Groups = Mapping[str, Sequence[str]]
"""Endpoints of the peers by group, the preferred ones first."""


def assign(
    layout: Layout, groups: Groups, preferred: Collection[str] = ()
) -> Mapping[str, str] | None:
    """Return a group for each of the peers that satisfy a layout together; None if nobody can.

    preferred: peers of whom as many as possible are used.
    """
    slots = [group for group, needed in layout.items() for _ in range(needed)]
    obvious = _first_free(slots, groups, preferred)
    if obvious is not None:
        return obvious
    taken: dict[str, int] = {}
    everyone = [groups.get(group, ()) for group in slots]
    rounds = [everyone]
    if preferred:
        rounds.insert(0, [[peer for peer in peers if peer in preferred] for peers in everyone])
    for usable in rounds:
        filled = set(taken.values())
        for slot in range(len(slots)):
            if slot not in filled:
                _fill(slot, usable, taken, set())
    if len(taken) < len(slots):
        return None
    return {peer: slots[slot] for peer, slot in taken.items()}


def _first_free(
    slots: Sequence[str], groups: Groups, preferred: Collection[str]
) -> Mapping[str, str] | None:
    """Give each slot the first peer left; None unless that is as good as any other way."""
    taken: dict[str, str] = {}
    used = 0
    for group in slots:
        free = [peer for peer in groups.get(group, ()) if peer not in taken]
        if not free:
            return None
        peer = next((peer for peer in free if peer in preferred), free[0]) if preferred else free[0]
        used += peer in preferred
        taken[peer] = group
    return taken if used == min(len(preferred), len(slots)) else None


def _fill(
    slot: int, usable: Sequence[Sequence[str]], taken: dict[str, int], tried: set[str]
) -> bool:
    """Find a peer for a slot, moving others to another slot if need be (augmenting path)."""
    for peer in usable[slot]:
        if peer in tried:
            continue
        tried.add(peer)
        if peer not in taken or _fill(taken[peer], usable, taken, tried):
            taken[peer] = slot
            return True
    return False
