"""Which peers a gateway would ask, by organisation and by policy.

(Fabric: internal/pkg/gateway/registry.go.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from gridloom.common.errors import GridloomError
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeInterest

from ..discovery.descriptors import EndorsementDescriptors
from ..discovery.endorsement import EndorsementDescriptor
from ..discovery.interest_policies import NoEndorsers
from ..discovery.peers import ChannelView, PeerDirectory, PeerInfo
from .plan import Plan

SYSTEM_CHAINCODES = frozenset({"_lifecycle", "cscc", "lscc", "qscc"})


class NoPlan(GridloomError):
    """There is nobody to ask; the message is the one a client reads."""


class UnknownChannel(GridloomError):
    """A channel this peer has not joined: its id."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(
            f"failed to get config for channel [{channel_id}]: could not get last config for "
            f"channel {channel_id}"
        )
        self.channel_id = channel_id


class _Roster(NamedTuple):
    """The peers of a channel as the directory lists them, the own height, and what that makes."""

    listed: Sequence[PeerInfo]
    height: int | None
    peers: list[PeerInfo]


class Registry:
    """Makes plans for one gateway.

    channels: the channel by id, None for one this peer has not joined; random: shuffles
    what is equally good.
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
        self._descriptors: dict[str, EndorsementDescriptors] = {}
        self._latest: dict[str, _Roster] = {}

    def plan_for_organizations(
        self, channel_id: str, chaincode: str, msp_ids: Iterable[str]
    ) -> Plan:
        """Return a plan of one endorsement of each organisation; NoPlan names those without."""
        groups = {msp_id: self.endorsers(channel_id, chaincode, msp_id) for msp_id in msp_ids}
        missing = [msp_id for msp_id, peers in groups.items() if not peers]
        if missing:
            raise NoPlan(f"failed to find any endorsing peers for org(s): {', '.join(missing)}")
        return Plan([dict.fromkeys(groups, 1)], groups)

    def plan_for_interest(
        self, channel_id: str, interest: ChaincodeInterest, preferred: PeerInfo
    ) -> Plan:
        """Return a plan that satisfies all policies involved; NoPlan.

        Layouts that ``preferred`` can be part of come first.
        """
        peers = self._peers(channel_id)
        descriptor = self._describe(channel_id, peers, interest)
        layouts = list(descriptor.layouts)
        self._random.shuffle(layouts)
        own = {name for name, group in descriptor.groups.items() if preferred.endpoint in group}
        layouts.sort(key=own.isdisjoint)
        by_endpoint = {peer.endpoint: peer for peer in peers}
        groups = {
            name: self._sorted([by_endpoint[endpoint] for endpoint in group])
            for name, group in descriptor.groups.items()
        }
        return Plan(layouts, groups)

    def any_endorsers(self, channel_id: str, interest: ChaincodeInterest) -> list[PeerInfo]:
        """Return peers of whom one is needed in any case of some layout; NoPlan."""
        peers = self._peers(channel_id)
        descriptor = self._describe(channel_id, peers, interest)
        group = descriptor.groups[next(iter(self._random.choice(descriptor.layouts)))]
        return self._sorted([peer for peer in peers if peer.endpoint in group])

    def endorsers(self, channel_id: str, chaincode: str, msp_id: str) -> list[PeerInfo]:
        """Return the peers of one organisation that can run a chaincode, best first."""
        return self._sorted(self._able(channel_id, chaincode, (msp_id,)))

    def evaluators(self, channel_id: str, chaincode: str, msp_ids: Sequence[str]) -> list[PeerInfo]:
        """Return the peers to try one by one, own organisation first; NoPlan if there are none.

        msp_ids: the organisations that may be asked, empty for all.
        """
        able = self._able(channel_id, chaincode, msp_ids)
        if not able:
            raise NoPlan(
                f"no peers available to evaluate chaincode {chaincode} in channel {channel_id}"
            )
        own = [peer for peer in able if peer.msp_id == self.local.msp_id]
        others = [peer for peer in able if peer.msp_id != self.local.msp_id]
        return self._sorted(own) + self._sorted(others)

    def require_channel(self, channel_id: str) -> ChannelView:
        """Return a channel this peer has joined; UnknownChannel."""
        channel = self._channels(channel_id)
        if channel is None:
            raise UnknownChannel(channel_id)
        return channel

    def is_local(self, peer: PeerInfo) -> bool:
        """Whether it is the gateway's own peer."""
        return peer.endpoint == self.local.endpoint

    def _peers(self, channel_id: str) -> list[PeerInfo]:
        """Return the peers of a channel, the own one as it is now and without a detour."""
        channel = self._channels(channel_id)
        height = None if channel is None else channel.height
        listed = self._directory.peers(channel_id)
        known = self._latest.get(channel_id)
        if known is None or known.height != height or known.listed != listed:
            peers = []
            for peer in listed:
                if not self.is_local(peer):
                    peers.append(peer)
                elif channel is not None:
                    peers.append(replace(peer, channel=self.local.channel, height=height))
            known = self._latest[channel_id] = _Roster(listed, height, peers)
        return known.peers

    def _able(self, channel_id: str, chaincode: str, msp_ids: Sequence[str]) -> list[PeerInfo]:
        peers = [p for p in self._peers(channel_id) if not msp_ids or p.msp_id in msp_ids]
        if chaincode in SYSTEM_CHAINCODES:
            return peers
        channel = self._channels(channel_id)
        if channel is None or channel.definition(chaincode) is None:
            return []
        return [peer for peer in peers if peer.runs(chaincode)]

    def _describe(
        self, channel_id: str, peers: Sequence[PeerInfo], interest: ChaincodeInterest
    ) -> EndorsementDescriptor:
        try:
            channel = self._channels(channel_id)
            if channel is None:
                name = interest.chaincodes[0].name
                raise NoEndorsers(
                    f"No metadata was found for chaincode {name} in channel {channel_id}"
                )
            known = self._descriptors.setdefault(channel_id, EndorsementDescriptors())
            return known.find(channel.bundle, channel.definition, peers, interest)
        except NoEndorsers as error:
            raise NoPlan(
                "no combination of peers can be derived which satisfy the endorsement policy: "
                f"{error}"
            ) from error

    def _sorted(self, peers: Sequence[PeerInfo]) -> list[PeerInfo]:
        """Highest ledger first; of the same height this peer, then the others in any order."""
        if len(peers) < 2:
            return list(peers)
        shuffled = self._random.sample(peers, len(peers))
        return sorted(shuffled, key=lambda p: (-(p.height or 0), not self.is_local(p)))
