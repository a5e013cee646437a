"""Batteries that raise their owners' self-consumption, interval by interval.

The greedy rule of home storage: surplus charges, shortage discharges, within power and
capacity; losses are taken when charging.  In whole Wh, so that energy is conserved
exactly: charged energy = discharged energy + what is left + losses.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .community import WattHours


class Dispatch(NamedTuple):
    """By interval and user, Wh: charge and discharge at the user's side of the battery,
    both >= 0; level: stored at the interval's end."""

    charge: WattHours
    discharge: WattHours
    level: WattHours


def self_consume(
    net: WattHours,
    capacity: WattHours,
    power: WattHours,
    minutes: int,
    *,
    efficiency_percent: int = 92,
) -> Dispatch:
    """Dispatch every user's battery against his net energy (Wh, shape (intervals, users)).

    capacity: Wh; power: W, both of shape (users,); batteries begin half full.  Of charged
    energy efficiency_percent arrives, rounded down.
    """
    limit = power * minutes // 60
    level = capacity // 2
    charge, discharge, levels = np.zeros_like(net), np.zeros_like(net), np.zeros_like(net)
    for row, energy in enumerate(net):
        room = (capacity - level) * 100 // efficiency_percent
        charge[row] = np.minimum(np.minimum(np.maximum(energy, 0), limit), room)
        discharge[row] = np.minimum(np.minimum(np.maximum(-energy, 0), limit), level)
        level = level + charge[row] * efficiency_percent // 100 - discharge[row]
        levels[row] = level
    return Dispatch(charge, discharge, levels)
