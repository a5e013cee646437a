"""How a leader's proposals get into Raft: blocks, and the changes of members that follow them.

Raft takes nothing while it hands the leadership over; then what was proposed waits for how that
ends.  A config message that takes the leader's own place is for the next leader to order
(Fabric: ``checkForEvictionNCertRotation``, ``abdicateLeadership`` in orderer/consensus/etcdraft).
"""

from __future__ import annotations

from collections.abc import Callable

from gridloom.common.errors import GridloomError
from gridloom.protos.common.common_pb2 import Block, Envelope

from ..chain import Timer, TimerHandle
from ..raft.errors import ProposalDropped
from .membership import ChangeKind
from .metadata import CONSENSUS_TYPE
from .node import RaftNode
from .reconfiguration import Reconfiguration, config_in, consensus_type_in


class Proposing:
    """One node's; again: called ``patience`` seconds after a proposal that was not taken."""

    def __init__(
        self,
        node: RaftNode,
        reconfiguration: Reconfiguration,
        timer: Timer,
        patience: float,
        again: Callable[[], None],
    ) -> None:
        self._node = node
        self._reconfiguration = reconfiguration
        self._timer = timer
        self._patience = patience
        self._again = again
        self._retry: TimerHandle | None = None

    def block(self, block: Block) -> bool:
        """Propose a block; whether Raft took it."""
        try:
            self._node.propose(block.SerializeToString())
        except ProposalDropped:
            self._try_again()
            return False
        return True

    def finish_change(self) -> bool:
        """Have Raft follow the configuration; whether it does, so that blocks may be proposed."""
        outstanding = self._reconfiguration.outstanding(self._node.conf_state.voters)
        if outstanding is None:
            return True
        if self._node.leads:
            try:
                self._node.propose_conf_change(outstanding)
            except ProposalDropped:
                self._try_again()
        return False

    def concerns_self(self, envelope: Envelope) -> bool:
        """Whether a config message takes this leader's place, and another one is found for it."""
        try:
            consensus = consensus_type_in(config_in(envelope))
            if consensus.type != CONSENSUS_TYPE:
                return False
            change = self._reconfiguration.change_in(consensus.metadata)
        except GridloomError:
            return False
        affected = change.kind in {ChangeKind.REMOVE, ChangeKind.ROTATE}
        if not affected or change.node_id != self._node.node_id:
            return False
        return self._node.hand_over()

    def stop(self) -> None:
        """Try nothing again."""
        if self._retry is not None:
            self._retry.cancel()

    def _try_again(self) -> None:
        if self._retry is None:
            self._retry = self._timer(self._patience, self._tried)

    def _tried(self) -> None:
        self._retry = None
        if self._node.leads:
            self._again()
