"""Who takes part in a channel's Raft, and how a configuration may change that.

Pure.  A consenter keeps its Raft id for life; an id is never used twice.  One change at a time:
one more, one fewer, or one with new certificates, which keeps its id
(Fabric: orderer/consensus/etcdraft/membership.go).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from gridloom.common.errors import GridloomError
from gridloom.protos.common.common_pb2 import Metadata
from gridloom.protos.orderer.etcdraft.metadata_pb2 import BlockMetadata

from ..cluster.members import Member
from .metadata import Consenter, InvalidConsenters


class QuorumLoss(GridloomError):
    """A change of members after which too few would be alive: how many are, of how many."""

    def __init__(self, alive: int, members: int) -> None:
        super().__init__(
            f"{alive} out of {members} nodes are alive, configuration will result in quorum loss"
        )
        self.alive = alive
        self.members = members


class ChangeKind(Enum):
    """What becomes of one consenter."""

    NONE = "none"
    ADD = "add"
    REMOVE = "remove"
    ROTATE = "rotate"


@dataclass(frozen=True, slots=True)
class Membership:
    """The consenters in the configuration's order, each with its Raft id.

    next_id: for the next one that joins.
    """

    ids: tuple[int, ...]
    consenters: tuple[Consenter, ...]
    next_id: int

    @classmethod
    def first(cls, consenters: Sequence[Consenter]) -> Membership:
        """Return the membership of a new channel: ids from 1 on."""
        count = len(consenters)
        return cls(tuple(range(1, count + 1)), tuple(consenters), count + 1)

    @classmethod
    def read(cls, metadata: BlockMetadata | None, consenters: Sequence[Consenter]) -> Membership:
        """Return the membership that a block's metadata tell, a new one if they tell nothing.

        InvalidConsenters when they speak of another number of consenters.
        """
        if metadata is None:
            return cls.first(consenters)
        ids = tuple(metadata.consenter_ids)
        if len(ids) != len(consenters):
            raise InvalidConsenters(
                f"the last block names {len(ids)} Raft ids, the configuration "
                f"{len(consenters)} consenters"
            )
        return cls(ids, tuple(consenters), metadata.next_consenter_id)

    def metadata(self, raft_index: int) -> bytes:
        """Return what a block's consenter metadata hold, with the log index of its entry."""
        value = BlockMetadata(
            consenter_ids=self.ids, next_consenter_id=self.next_id, raft_index=raft_index
        )
        return Metadata(value=value.SerializeToString()).SerializeToString()

    def members(self, but: int = 0) -> list[Member]:
        """Return all members except the node ``but``."""
        return [
            Member(node_id, each.endpoint, each.server_tls_cert, each.client_tls_cert)
            for node_id, each in zip(self.ids, self.consenters, strict=True)
            if node_id != but
        ]

    def change_to(self, consenters: Sequence[Consenter]) -> MembershipChange:
        """Return how these consenters follow; InvalidConsenters if by more than one change."""
        known = {
            each.client_tls_cert: node_id
            for node_id, each in zip(self.ids, self.consenters, strict=True)
        }
        kept = {known[each.client_tls_cert] for each in consenters if each.client_tls_cert in known}
        added = [each for each in consenters if each.client_tls_cert not in known]
        removed = [node_id for node_id in self.ids if node_id not in kept]
        if len(added) > 1 or len(removed) > 1:
            raise InvalidConsenters(
                "update of more than one consenter at a time is not supported, requested "
                f"changes: add {len(added)} node(s), remove {len(removed)} node(s)"
            )
        kind, node_id, next_id = ChangeKind.NONE, 0, self.next_id
        if added and removed:
            kind, node_id = ChangeKind.ROTATE, removed[0]
        elif added:
            kind, node_id, next_id = ChangeKind.ADD, self.next_id, self.next_id + 1
        elif removed:
            kind, node_id = ChangeKind.REMOVE, removed[0]
        ids = tuple(known.get(each.client_tls_cert, node_id) for each in consenters)
        return MembershipChange(kind, node_id, self, Membership(ids, tuple(consenters), next_id))


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """One step; node_id: who is added, removed or rotated."""

    kind: ChangeKind
    node_id: int
    before: Membership
    after: Membership

    @property
    def added(self) -> list[Consenter]:
        """The consenters whose certificates are new."""
        known = {each.client_tls_cert for each in self.before.consenters}
        return [each for each in self.after.consenters if each.client_tls_cert not in known]

    def check_quorum(self, active: Collection[int]) -> None:
        """QuorumLoss if the change leaves no majority of living members that could be avoided.

        active: the nodes alive now.  A cluster of one or two cannot grow without passing through
        a state that tolerates no fault.
        """
        size = len(self.after.ids)
        quorum = size // 2 + 1
        if self.kind is ChangeKind.NONE:
            return
        staying = set(active) - ({self.node_id} if self.kind is not ChangeKind.ADD else set())
        avoidable = self.kind is ChangeKind.REMOVE or size > 2
        lost = avoidable and len(staying) < quorum
        if lost:
            raise QuorumLoss(len(active), len(self.before.ids))


def missing_change(membership: Membership, voters: Iterable[int]) -> tuple[ChangeKind, int] | None:
    """Return what is still to be proposed for the voters to become the members, None if nothing.

    A leader may fall after the block that adds or removes a member, before the change itself.
    """
    wanted, there = set(membership.ids), set(voters)
    if added := wanted - there:
        return ChangeKind.ADD, min(added)
    if removed := there - wanted:
        return ChangeKind.REMOVE, min(removed)
    return None
