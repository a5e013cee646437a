"""Capabilities: which rules a channel's members have agreed to be able to follow.

Each level has a ladder of names; a higher one implies the lower ones.  A name this
version does not know must stop it, because it could not follow the channel's rules.
(Fabric: common/capabilities; there the node panics.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ..msp.version import MspVersion
from . import names
from .errors import UnsupportedCapability

_LADDERS: Final = {
    names.CHANNEL: ("V1_1", "V1_3", "V1_4_2", "V1_4_3", "V2_0", "V3_0"),
    names.ORDERER: ("V1_1", "V1_4_2", "V2_0"),
    names.APPLICATION: ("V1_1", "V1_2", "V1_3", "V1_4_2", "V2_0", "V2_5"),
}
_EXPERIMENTAL: Final = {
    names.APPLICATION: ("V1_1_PVTDATA_EXPERIMENTAL", "V1_1_RESOURCETREE_EXPERIMENTAL"),
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities required at one level: Channel, Orderer or Application."""

    group: str
    required: frozenset[str]
    _implied: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ladder = _LADDERS[self.group]
        highest = max((at for at, name in enumerate(ladder) if name in self.required), default=-1)
        object.__setattr__(self, "_implied", frozenset(ladder[: highest + 1]))

    @staticmethod
    def of(group: str, required: Iterable[str]) -> Capabilities:
        """Return the capabilities; UnsupportedCapability for a name that is not known."""
        known = (*_LADDERS[group], *_EXPERIMENTAL.get(group, ()))
        for name in sorted(required):
            if name not in known:
                raise UnsupportedCapability(
                    group, name, f"{group} capability {name} is required but not supported"
                )
        return Capabilities(group, frozenset(required))

    def supports(self, name: str) -> bool:
        """Return whether this name or a higher one of the ladder is required."""
        return name in self._implied


@dataclass(frozen=True, slots=True)
class ChannelCapabilities:
    """The capabilities of all three levels of a channel."""

    channel: Capabilities
    orderer: Capabilities
    application: Capabilities

    @property
    def msp_version(self) -> MspVersion:
        """Return the rules that the channel's MSPs follow."""
        if self.channel.supports("V3_0"):
            return MspVersion.V3_0
        return MspVersion.V1_4_3 if self.channel.supports("V1_4_3") else MspVersion.V1_3

    @property
    def org_specific_endpoints(self) -> bool:
        """Return whether orderer organizations may list their own endpoints."""
        return self.channel.supports("V1_4_2")

    @property
    def bft(self) -> bool:
        """Return whether per-organization endpoints are required and BFT is possible."""
        return self.channel.supports("V3_0")

    def require_lifecycle(self) -> None:
        """Raise UnsupportedCapability unless the application level has V2_0 or V2_5.

        Below, the lifecycle and validator of Fabric 1.x would apply, which are not here.
        """
        if not self.application.supports("V2_0"):
            raise UnsupportedCapability(
                names.APPLICATION, "", "Application capability V2_0 or V2_5 is needed"
            )
