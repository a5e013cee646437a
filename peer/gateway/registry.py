"""Which peers a gateway would ask, by organisation and by policy.

(Fabric: internal/pkg/gateway/registry.go.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeInterest

from ..chaincodes.lifecycle.definitions import ChaincodeDefinition
from ..discovery.endorsement import EndorsementAnalyzer, NoEndorsers
from ..discovery.peers import PeerDirectory, PeerInfo
from .plan import Plan

SYSTEM_CHAINCODES = frozenset({"_lifecycle", "cscc", "qscc"})


class ChannelView(Protocol):
    """What the gateway needs to know of a channel its peer has joined."""

    @property
    def bundle(self) -> ChannelBundle: ...

    def definition(self, name: str) -> ChaincodeDefinition | None:
        """Return the committed definition of a chaincode."""
        ...


class NoPlan(GridloomError):
    """There is nobody to ask; the message is the one a client reads."""


class Registry:
    """Makes plans for one gateway.

    channels: the channel by id, None for one this peer has not joined; random: shuffles
    layouts that are equally good.
    """

    def __init__(
        self,
        local: PeerInfo,
        directory: PeerDirectory,
        channels: Callable[[str], ChannelView | None],
        random: Random,
    ) -> None:
        self.local = local
        self._directory = directory
        self._channels = channels
        self._random = random

    def plan_for_organizations(
        self, channel_id: str, chaincode: str, msp_ids: Sequence[str]
    ) -> Plan:
        """Return a plan of one endorsement of each organisation; NoPlan names those without."""
        groups = {msp_id: self._endorsers(channel_id, chaincode, msp_id) for msp_id in msp_ids}
        missing = [msp_id for msp_id, peers in groups.items() if not peers]
        if missing:
            raise NoPlan(f"failed to find any endorsing peers for org(s): {', '.join(missing)}")
        return Plan([dict.fromkeys(groups, 1)], groups)

    def plan_for_interest(
        self, channel_id: str, interest: ChaincodeInterest, preferred: PeerInfo | None = None
    ) -> Plan:
        """Return a plan that satisfies all policies involved, best layouts first; NoPlan."""
        channel = self._channels(channel_id)
        if channel is None:
            raise NoPlan(f"channel '{channel_id}' not found")
        peers = self._directory.peers(channel_id)
        analyzer = EndorsementAnalyzer(channel.bundle, channel.definition, peers)
        try:
            descriptor = analyzer.descriptor(interest)
        except NoEndorsers as error:
            raise NoPlan(
                "no combination of peers can be derived which satisfy the endorsement policy: "
                f"{error}"
            ) from error
        groups = {group: self._sorted(peers) for group, peers in descriptor.groups.items()}
        layouts = list(descriptor.layouts)
        self._random.shuffle(layouts)
        if preferred is not None:
            own = {
                group
                for group, peers in groups.items()
                if any(peer.endpoint == preferred.endpoint for peer in peers)
            }
            layouts.sort(key=own.isdisjoint)
        return Plan(layouts, groups)

    def evaluators(self, channel_id: str, chaincode: str, msp_ids: Sequence[str]) -> list[PeerInfo]:
        """Return the peers to try one by one, own organisation first; NoPlan if there are none.

        msp_ids: the organisations that may be asked, empty for all.
        """
        able = [
            peer
            for peer in self._directory.peers(channel_id)
            if (not msp_ids or peer.msp_id in msp_ids) and self._runs(peer, channel_id, chaincode)
        ]
        own = [peer for peer in able if peer.msp_id == self.local.msp_id]
        others = [peer for peer in able if peer.msp_id != self.local.msp_id]
        if not able:
            raise NoPlan(
                f"no peers available to evaluate chaincode {chaincode} in channel {channel_id}"
            )
        return self._sorted(own) + self._sorted(others)

    def knows(self, channel_id: str) -> bool:
        """Whether this peer has joined the channel."""
        return self._channels(channel_id) is not None

    def is_local(self, peer: PeerInfo) -> bool:
        """Whether it is the gateway's own peer."""
        return peer.endpoint == self.local.endpoint

    def _endorsers(self, channel_id: str, chaincode: str, msp_id: str) -> list[PeerInfo]:
        return self._sorted(
            [
                peer
                for peer in self._directory.peers(channel_id)
                if peer.msp_id == msp_id and self._runs(peer, channel_id, chaincode)
            ]
        )

    def _runs(self, peer: PeerInfo, channel_id: str, chaincode: str) -> bool:
        if chaincode in SYSTEM_CHAINCODES:
            return True
        channel = self._channels(channel_id)
        definition = channel.definition(chaincode) if channel is not None else None
        return definition is not None and peer.runs(chaincode)

    def _sorted(self, peers: Sequence[PeerInfo]) -> list[PeerInfo]:
        """Highest ledger first, this peer before others of the same height."""
        return sorted(peers, key=lambda p: (-(p.height or 0), not self.is_local(p)))
