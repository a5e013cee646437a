"""Whether the grid can carry what an interval's trades and meters ask of it.

A check is `GridCheck`: a pure function of the users' net energy.  `FeederCheck` holds a
radial feeder's sections to their limits by the ledger's own rule
(chaincode/energy/rules/feeder.py); paper 000's power flow is another.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gridloom.chaincode.energy.rules.feeder import Violation, overloads

from .community import Community

__all__ = ["FeederCheck", "GridCheck", "NoLimits", "Violation"]


class GridCheck(Protocol):
    """Judges one interval."""

    def __call__(self, net: Sequence[int], minutes: int, /) -> tuple[Violation, ...]:
        """What would be violated; net: Wh fed in (+) or taken (-) by each user in order."""


class NoLimits:
    """A grid that carries everything."""

    def __call__(self, net: Sequence[int], minutes: int, /) -> tuple[Violation, ...]:
        """Nothing is violated."""
        return ()


@dataclass(frozen=True, slots=True)
class FeederCheck:
    """The community's feeder: every section's mean power over the interval."""

    community: Community

    def __call__(self, net: Sequence[int], minutes: int, /) -> tuple[Violation, ...]:
        """The overloaded sections; none where the feeder has no sections."""
        if not self.community.feeder.sections:
            return ()
        power: dict[int, int] = {}
        for user, energy in zip(self.community.users, net, strict=True):
            power[user.bus] = power.get(user.bus, 0) + energy * 60 // minutes
        return overloads(self.community.feeder.sections, power)
