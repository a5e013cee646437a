"""The peers of a channel as one peer knows them (Fabric: what gossip's StateInfo tells)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.rpc import Channel

from ..chaincodes.lifecycle.definitions import LIFECYCLE_NAMESPACE, ChaincodeDefinition


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """One peer of a channel.

    endpoint: ``host:port`` as it advertises itself; identity: its msp.SerializedIdentity;
    height: of its ledger, None if unknown; chaincodes: what it can run, by name with the
    sequence of the definition (installed, and approved by its organisation), None if unknown:
    then it is taken to run everything that is defined.
    """

    msp_id: str
    endpoint: str
    identity: bytes
    channel: Channel
    height: int | None = None
    chaincodes: Mapping[str, int] | None = None

    def runs(self, chaincode: str, sequence: int | None = None) -> bool:
        """Whether it can run a chaincode, as defined by this sequence if one is given."""
        if self.chaincodes is None or chaincode == LIFECYCLE_NAMESPACE:
            return True
        known = self.chaincodes.get(chaincode)
        return known is not None and sequence in (None, known)


class ChannelView(Protocol):
    """What has to be known of a joined channel to tell who can endorse on it."""

    @property
    def bundle(self) -> ChannelBundle: ...

    @property
    def height(self) -> int: ...

    def definition(self, name: str) -> ChaincodeDefinition | None:
        """Return the committed definition of a chaincode."""
        ...


class PeerDirectory(Protocol):
    """Who assembles the network says which peers there are."""

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """Return every peer of the channel, this one included."""
        ...
