"""Who serves whom in an hour: G the microgrid company, C the energy bureau, U the users.

Paper 002, section II.D: the microgrid company covers its own load first, sells what is left
to the users and then to the bureau; it never buys and sells in the same hour.  Users that are
still short, and a company short of its own load, buy from the bureau.  One function serves the
ledger in Wh and the model in kWh.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

Energy = TypeVar("Energy", int, float)


class Flows(NamedTuple, Generic[Energy]):
    """Energy sold from the first letter to the second; unserved: what nobody could supply."""

    gu: Energy
    gc: Energy
    cu: Energy
    cg: Energy
    unserved: Energy


def dispatch(
    generation: Energy, load: Energy, demand: Energy, bureau: Energy | None = None
) -> Flows[Energy]:
    """The flows of an hour; all quantities >= 0.

    generation, load: of the microgrid company; demand: of all users; bureau: what the energy
    bureau can sell, None for any amount.  A bureau that cannot serve everybody serves the
    users first (the paper is silent: its bureau can always supply).
    """
    zero = generation - generation
    surplus, short = max(generation - load, zero), max(load - generation, zero)
    gu = min(surplus, demand)
    wanted = demand - gu
    cu = wanted if bureau is None else min(wanted, bureau)
    cg = short if bureau is None else min(short, bureau - cu)
    return Flows(gu, surplus - gu, cu, cg, (wanted - cu) + (short - cg))
