"""The peers of a channel as one peer knows them (Fabric: what gossip's StateInfo tells)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gridloom.common.rpc import Channel


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """One peer of a channel.

    endpoint: ``host:port`` as it advertises itself; identity: its msp.SerializedIdentity;
    height: of its ledger, None if unknown; chaincodes: version by name of what it can run,
    None if unknown (then it is taken to run everything that is defined).
    """

    msp_id: str
    endpoint: str
    identity: bytes
    channel: Channel
    height: int | None = None
    chaincodes: Mapping[str, str] | None = None

    def runs(self, chaincode: str, version: str | None = None) -> bool:
        """Whether it can run a chaincode, in this version if one is given."""
        if self.chaincodes is None:
            return True
        installed = self.chaincodes.get(chaincode)
        return installed is not None and version in (None, installed)


class PeerDirectory(Protocol):
    """Who assembles the network says which peers there are."""

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """Return every peer of the channel, this one included."""
        ...
