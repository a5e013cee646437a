"""The chain of one channel whose order several orderers agree on by Raft.

Every node takes messages and passes them to the leader; the leader cuts blocks and proposes them;
every node writes the blocks that were agreed on, signs its own copy and so learns what has become
of the messages it took (Fabric: orderer/consensus/etcdraft/chain.go).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from hashlib import sha256

from gridloom.common.channel.sections import OrdererConfig
from gridloom.common.errors import MalformedMessage
from gridloom.common.rpc import Code, RpcError
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.orderer.cluster_pb2 import ConsensusRequest, StepRequest, SubmitRequest
from gridloom.protos.orderer.etcdraft.metadata_pb2 import ClusterMetadata

from ..arrival import Arrival
from ..chain import ChainUnavailable, ConsenterSupport, CuttingMode
from ..cluster.block_puller import BlockPuller
from ..cluster.transport import ClusterTransport
from ..raft.messages import Message, MessageType
from ..raft.ready import SoftState
from ..raft.wire import decode_message, encode_message
from .applier import Applier
from .awaited_blocks import AwaitedBlocks
from .eviction import EvictionSuspicion
from .membership import ChangeKind, Membership, MembershipChange
from .metadata import Options, RaftConfig
from .node import Decision, NodeParts, RaftNode
from .proposer import Proposer, is_config
from .proposing import Proposing
from .reconfiguration import Reconfiguration
from .settings import ChainSettings
from .submissions import Submission, Submissions

log = logging.getLogger(__name__)

HAND_OVER_TIME = 0.3
"""Seconds a leader that stops gives another one to take over."""


class RaftChain:
    """See ``Chain``, ``ClusterReceiver``, ``NodeHost`` and ``ApplierHost`` for the contracts."""

    relation = "consenter"

    def __init__(
        self,
        support: ConsenterSupport,
        config: RaftConfig,
        node_id: int,
        membership: Membership,
        *,
        parts: NodeParts,
        puller: BlockPuller,
        settings: ChainSettings,
    ) -> None:
        self.errored = asyncio.Event()
        self.leader = 0
        self._leader_term = 0
        self._reached = 0
        self._support = support
        self._settings = settings
        self._reconfiguration = Reconfiguration(node_id, membership)
        self._transport = ClusterTransport(support.channel_id, settings.dial, self._unreachable)
        others = [each for each in membership.ids if each != node_id]
        beginners = membership.ids if support.height == 1 else ()
        eager = node_id == _first_candidate(support.channel_id, membership.ids)
        self._node = RaftNode(node_id, parts, self, others, beginners, eager=eager)
        self._proposing = self._make_proposing(config.options)
        self._proposer = self._make_proposer(config.options)
        self._applier = Applier(
            support,
            self._node,
            self._reconfiguration,
            puller,
            snapshot_interval=config.options.snapshot_interval_size,
            host=self,
        )
        self._suspicion = EvictionSuspicion(
            support.channel_id,
            puller,
            settings.timer,
            threshold=settings.eviction_suspicion,
            is_member=settings.is_member,
            evicted=self._learn_eviction,
        )
        self._submissions = Submissions(
            self._to_leader, settings.timer, settings.submit_timeout, self._late
        )
        self._awaited = AwaitedBlocks()
        self._active_heard: Sequence[int] = ()
        self._refusal = "the chain is not running"
        self._trouble = ""
        self._halting = False
        self._handed_over = asyncio.Event()
        self._applying: asyncio.Task[None] | None = None

    def _make_proposing(self, options: Options) -> Proposing:
        patience = (options.election_tick * options.tick_interval).total_seconds()
        timer = self._settings.timer
        return Proposing(self._node, self._reconfiguration, timer, patience, self._finish_change)

    def _make_proposer(self, options: Options) -> Proposer:
        return Proposer(
            self._support,
            self._settings.cutting,
            self._settings.timer,
            max_in_flight=options.max_inflight_blocks,
            propose=self._proposing.block,
            concerns_self=self._proposing.concerns_self,
        )

    # --- Chain ---------------------------------------------------------------------

    @property
    def status(self) -> str:
        """Failed when nothing can be ordered here any more, otherwise active."""
        return "failed" if self._refusal and not self._halting else "active"

    @property
    def ready(self) -> bool:
        return bool(self.leader) and not (self._refusal or self._trouble)

    @property
    def leads(self) -> bool:
        return self._node.leads

    def start(self) -> None:
        self._refusal = ""
        self._transport.configure(self._reconfiguration.others)
        self._applying = asyncio.get_running_loop().create_task(self._applier.run())
        self._node.start()
        self._suspicion.leader(present=False)
        self._set_errored()

    async def halt(self) -> None:
        if self._halting:
            return
        self._halting = True
        await self._hand_over()
        self._refusal = self._refusal or "the chain has been halted"
        self._release()
        self._proposing.stop()
        await self._suspicion.stop()
        await self._node.stop()
        if self._applying is not None:
            self._applying.cancel()
            await asyncio.wait([self._applying])
        await self._transport.close()

    async def order(self, envelope: Envelope, config_sequence: int) -> asyncio.Future[None]:
        return self._submit(envelope, config_sequence, is_config=False)

    async def configure(self, envelope: Envelope, config_sequence: int) -> asyncio.Future[None]:
        return self._submit(envelope, config_sequence, is_config=True)

    async def wait_ready(self) -> None:
        await self._submissions.wait_for_room()
        self._check_accepting()

    async def cut(self) -> int | None:
        self._check_accepting()
        number = self._proposer.cut()
        if number is not None and number >= self._support.height:
            await self._awaited.wait_for(number)
        return number

    def check_metadata(self, current: OrdererConfig, proposed: OrdererConfig) -> None:
        active = self._node.active if self._node.leads else self._active_heard
        self._reconfiguration.check(current, proposed, active)

    # --- messages ------------------------------------------------------------------

    def _submit(
        self, envelope: Envelope, config_sequence: int, *, is_config: bool
    ) -> asyncio.Future[None]:
        self._check_accepting()
        submission = self._submissions.add(envelope, config_sequence, is_config=is_config)
        self._submissions.dispatch(submission, self._leader_term)
        if self._settings.cutting is CuttingMode.MANUAL:
            return submission.sent  # its block may be ended by whoever waits for this answer
        return submission.done

    def _to_leader(self, submission: Submission) -> bool:
        if self.leader == self._reconfiguration.node_id:
            self._proposer.take(
                Arrival(submission.envelope, submission.config_sequence, submission.is_config)
            )
            return True
        if not self.leader:
            return False
        step = StepRequest()
        request = step.submit_request
        request.channel = self._support.channel_id
        request.last_validation_seq = submission.config_sequence
        request.payload.CopyFrom(submission.envelope)
        return self._transport.send(self.leader, step)

    def _late(self) -> ChainUnavailable:
        """Why a message has waited too long."""
        return self._unavailable(self._why_not_ordered())

    def _why_not_ordered(self) -> str:
        if waiting := self._node.waiting_for:
            names = ", ".join(str(each) for each in waiting)
            return (
                f"this node has no log; before it takes part, nodes {names} must answer "
                "(or start it with --first-start, if none of them has ever run)"
            )
        if not self.leader:
            return "no Raft leader"
        return f"not ordered within {self._settings.submit_timeout:g} s"

    def _check_accepting(self) -> None:
        if self._refusal or self._trouble:
            raise self._unavailable(self._refusal or self._trouble)

    def _unavailable(self, reason: str) -> ChainUnavailable:
        return ChainUnavailable(self._support.channel_id, reason)

    def _release(self) -> None:
        """Nobody need wait any longer."""
        self._submissions.give_up_all(lambda: self._unavailable(self._refusal))
        self._awaited.give_up(self._unavailable(self._refusal))
        self._proposer.retire()
        self.errored.set()

    # --- ClusterReceiver -------------------------------------------------------------

    def member_with_key(self, key: bytes) -> int | None:
        return self._reconfiguration.member_with_key(key)

    async def consensus(self, request: ConsensusRequest, sender: int) -> None:
        if self._refusal:
            return
        message = decode_message(request.payload)
        if message.to != self._reconfiguration.node_id or message.from_ != sender:
            reason = f"from {message.from_} to {message.to}, but {sender} sent it here"
            raise MalformedMessage("raftpb.Message", reason)
        self._transport.heard(sender)
        self._node.step(message)
        if request.metadata and sender == self.leader:
            found = parse(ClusterMetadata, request.metadata, "cluster metadata")
            self._active_heard = tuple(found.active_nodes)

    async def submit(self, request: SubmitRequest, sender: int) -> None:
        if self._refusal or not self._node.leads:
            return  # who sent it will learn of the new leader and send it there
        envelope = request.payload
        self._proposer.take(Arrival(envelope, request.last_validation_seq, is_config(envelope)))

    # --- NodeHost ----------------------------------------------------------------------

    def send(self, message: Message, active: Sequence[int]) -> bool:
        step = StepRequest()
        request = step.consensus_request  # in place: blocks are too large to be copied for each
        request.channel = self._support.channel_id
        request.payload = encode_message(message)
        if message.type is MessageType.HEARTBEAT:
            request.metadata = ClusterMetadata(active_nodes=active).SerializeToString()
        return self._transport.send(message.to, step)

    def disk_failed(self, error: Exception) -> None:
        self._trouble = str(error)
        self._node.hand_over()

    def disk_recovered(self) -> None:
        self._trouble = ""

    def failed(self, error: Exception) -> None:
        self._refusal = f"the chain has failed: {error}"
        self._release()

    def _unreachable(self, node_id: int, error: RpcError | None) -> None:
        self._node.unreachable(node_id)
        if error is not None and error.code is Code.PERMISSION_DENIED:
            self._suspicion.suspect()

    # --- ApplierHost -------------------------------------------------------------------

    def led_by(self, state: SoftState, term: int) -> None:
        own = self._reconfiguration.node_id
        if state.lead != self.leader:
            names = (self._support.channel_id, self.leader, state.lead)
            log.info("[channel: %s] Raft leader changed: %d -> %d", *names)
            if self.leader == own:
                self._proposer.retire()
                self._handed_over.set()
        self.leader = state.lead
        self._leader_term = term
        self._suspicion.leader(present=bool(state.lead))
        self._set_errored()
        self._send_again()

    def reached(self, term: int) -> None:
        self._reached = term
        if term < self._leader_term or not self.leader:
            return
        if self._node.leads and self.leader == self._reconfiguration.node_id:
            if self._proposer.active:
                self._proposer.retire()  # it led, lost and won again all at once
            self._finish_change()
            self._proposer.lead(self._support.get_block(self._support.height - 1).header)
        self._leader_term = term
        self._send_again()

    def _send_again(self) -> None:
        """Give the leader what no leader has, or only one whose term is over and done with."""
        if self.leader:
            settled = self._reached >= self._leader_term
            self._submissions.dispatch_lost(self._leader_term if settled else 0, self._leader_term)

    def block_written(self, block: Block, *, config: bool) -> None:
        self._submissions.ordered(block.data.data, config=config)
        self._awaited.written(block.header.number)
        if config:
            self._submissions.judge_again(self._support.sequence, self._judge)
            self._finish_change()
        self._proposer.written(len(block.data.data))

    def members_changed(self, change: MembershipChange | None) -> None:
        self._transport.configure(self._reconfiguration.others)
        if change is None:
            self._finish_change()
        elif change.kind is ChangeKind.ROTATE and not self._settings.is_member(
            self._support.bundle
        ):
            self.evicted()  # until it is started with the certificate that counts now

    def evicted(self) -> None:
        if not self._refusal:
            log.warning("[channel: %s] this node is a member no longer", self._support.channel_id)
            self._refusal = "this node is no longer a consenter of the channel"
            self._release()
            self._support.switch_chain()

    def _learn_eviction(self, block: Block) -> None:
        """Fetch the blocks up to the one that says so, and believe it when it is there."""
        decision = Decision(self._node.term, pull_to=block.header.number)
        try:
            self._node.decisions.put_nowait(decision)
        except asyncio.QueueFull:
            log.info("[channel: %s] busy; eviction is looked at later", self._support.channel_id)

    # --- the rest ------------------------------------------------------------------------

    def _finish_change(self) -> None:
        """Go on proposing blocks as soon as Raft has followed the configuration."""
        if self._proposing.finish_change():
            self._proposer.resume()
        else:
            self._proposer.pause()

    def _judge(self, submission: Submission) -> None:
        if submission.is_config:
            self._support.process_config(submission.envelope)
        else:
            self._support.process_normal(submission.envelope)

    async def _hand_over(self) -> None:
        """Let somebody else lead before this node stops, so that nobody has to wait."""
        if self._refusal or not self._node.hand_over():
            return
        self._handed_over = asyncio.Event()
        try:
            async with asyncio.timeout(HAND_OVER_TIME):
                await self._handed_over.wait()
        except TimeoutError:
            log.info("[channel: %s] nobody took over in time", self._support.channel_id)

    def _set_errored(self) -> None:
        """Without a leader a node cannot vouch for being up to date; two alone cannot help it."""
        if self.leader:
            if self.errored.is_set():
                self.errored = asyncio.Event()
        elif len(self._reconfiguration.membership.ids) > 2:
            self.errored.set()


def _first_candidate(channel_id: str, members: Sequence[int]) -> int:
    """Who stands for election first when a cluster begins, so that one is enough."""
    return members[sha256(channel_id.encode()).digest()[-1] % len(members)]
