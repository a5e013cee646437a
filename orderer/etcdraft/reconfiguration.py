"""The members in force on one node, and the change that is under way.

A config block names the new members; then Raft itself changes, by an entry that the leader
proposes, and until that is applied nothing else is ordered (Fabric: ``writeConfigBlock``,
``detectConfChange`` and ``getInFlightConfChange`` of orderer/consensus/etcdraft/chain.go).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gridloom.common.blocks import envelope_at
from gridloom.common.channel.sections import OrdererConfig
from gridloom.common.envelopes import open_payload
from gridloom.common.identity_errors import InvalidIdentity
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope
from gridloom.protos.orderer.configuration_pb2 import ConsensusType

from ..cluster.members import Member
from ..raft.conf_changes import ConfChange, ConfChangeType
from .membership import ChangeKind, Membership, MembershipChange, missing_change
from .metadata import CONSENSUS_TYPE, RaftConfig, check_certificates, read_config, utc_now

_RAFT_CHANGES = {
    ChangeKind.ADD: ConfChangeType.ADD_NODE,
    ChangeKind.REMOVE: ConfChangeType.REMOVE_NODE,
}


class Reconfiguration:
    """One node's view; membership: as the last config block has it."""

    def __init__(self, node_id: int, membership: Membership) -> None:
        self.node_id = node_id
        self.membership = membership
        self._leaving: Member | None = None
        self._keys: dict[bytes, int] = {}
        self._remember_keys()

    @property
    def takes_part(self) -> bool:
        """Whether this node is a member."""
        return self.node_id in self.membership.ids

    @property
    def others(self) -> list[Member]:
        """The other members, one that is leaving included until it has left."""
        members = self.membership.members(but=self.node_id)
        leaving = self._leaving
        if leaving is not None and leaving.node_id != self.node_id:
            members.append(leaving)
        return members

    def member_with_key(self, key: bytes) -> int | None:
        """Return the other member whose client certificate has this public key."""
        return self._keys.get(key)

    def change_in(self, consensus_metadata: bytes) -> MembershipChange:
        """Return what a configuration makes of the members; InvalidConsenters."""
        return self.membership.change_to(read_config(consensus_metadata).consenters)

    def check(
        self, current: OrdererConfig, proposed: OrdererConfig, active: Collection[int]
    ) -> None:
        """Raise a GridloomError unless the members can become those that are proposed.

        active: the members that are alive.
        """
        if proposed.consensus_type != CONSENSUS_TYPE or proposed.metadata == current.metadata:
            return
        config = read_config(proposed.metadata)
        check_certificates(config.consenters, proposed)
        change = self.membership.change_to(config.consenters)
        check_certificates(change.added, proposed, utc_now())
        change.check_quorum([each for each in change.before.ids if each in active])

    def begin(self, change: MembershipChange) -> None:
        """A config block with this change has been written."""
        if change.kind is ChangeKind.REMOVE:
            (self._leaving,) = [m for m in change.before.members() if m.node_id == change.node_id]
        self.membership = change.after
        self._remember_keys()

    def finish(self, change: ConfChange) -> None:
        """Raft has changed."""
        leaving = self._leaving
        if leaving is not None and leaving.node_id == change.node_id:
            self._leaving = None
            self._remember_keys()

    def outstanding(self, voters: Iterable[int]) -> ConfChange | None:
        """Return what Raft has yet to change for the voters to be the members."""
        missing = missing_change(self.membership, voters)
        if missing is None:
            return None
        kind, node_id = missing
        return ConfChange(type=_RAFT_CHANGES[kind], node_id=node_id)

    def _remember_keys(self) -> None:
        self._keys = {}
        for member in self.others:
            try:
                self._keys[member.client_key] = member.node_id
            except InvalidIdentity:
                continue  # a certificate that nobody can show


def config_in(envelope: Envelope) -> Config:
    """The configuration in a CONFIG message; MalformedMessage."""
    payload = open_payload(envelope)
    return parse(ConfigEnvelope, payload.data, "config envelope").config


def consensus_type_in(config: Config) -> ConsensusType:
    """The consensus type and metadata of a configuration; MalformedMessage."""
    group = config.channel_group.groups["Orderer"]
    return parse(ConsensusType, group.values["ConsensusType"].value, "ConsensusType")


def raft_config_in(block: Block) -> RaftConfig | None:
    """What a config block says about Raft, None if it leads to another consensus type."""
    consensus = consensus_type_in(config_in(envelope_at(block, 0)))
    return read_config(consensus.metadata) if consensus.type == CONSENSUS_TYPE else None
