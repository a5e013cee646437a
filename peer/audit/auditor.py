"""Judges block after block as a peer would, and says where the record differs.

A peer stops at the first block that is wrong; an auditor says so and goes on as well as it
can.  Its state follows from what it computed itself, never from recorded codes, with two
exceptions, which it announces: where the blocks before the first one are missing, and where a
channel is at Application capabilities below V2_0, whose validation is not here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from gridloom.common import blocks
from gridloom.common.block_acceptance import verify_signatures
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.policies.policy import PolicyNotSatisfied
from gridloom.protos.common import common_pb2

from ..ledger.snapshots.errors import SnapshotDamaged
from ..ledger.snapshots.stored_snapshot import StoredSnapshot
from ..ledger.state_database import StateDatabase
from .chain import Chain
from .judgement import Judgement, Knowledge, StageA, judge_form, judge_genesis
from .recorded import Recorded, read_recorded
from .replay import ReplayedState
from .settlement import Settlement, Settling, compare, unsettled
from .sources import BlockSources, FoundBlock
from .verdicts import AuditReport, BlockVerdict, Notes

logger = logging.getLogger(__name__)


def audit(
    sources: BlockSources,
    progress: Callable[[BlockVerdict, int], None] | None = None,
    *,
    snapshot: StoredSnapshot | None = None,
    state_database: StateDatabase = StateDatabase.LEVELDB,
) -> AuditReport:
    """Audit all blocks of a channel; never raises because of what is in them.

    progress: told of each block, and how many there are in all; snapshot: what to begin with
    instead of a genesis block (the blocks it has seen are left out); state_database: the
    channel's peers', because CouchDB's refuses some writes.  SnapshotError, ConfigError for a
    snapshot that cannot be used.
    """
    chain = Chain.behind_snapshot(sources.snapshot)
    auditor = Auditor(sources.channel_id, chain, state_database)
    if snapshot is not None:
        auditor.begin(snapshot)
    seen = -1 if snapshot is None else snapshot.last.number
    report = AuditReport(sources.channel_id)
    for found in sources:
        if found.number is not None and found.number <= seen:
            continue
        verdict, notes = auditor.examine(found)
        report.add(verdict, notes)
        if progress is not None:
            progress(verdict, len(sources))
    return report


class Auditor:
    """The auditor of one channel; takes its blocks in order."""

    def __init__(
        self,
        channel_id: str,
        chain: Chain,
        state_database: StateDatabase = StateDatabase.LEVELDB,
    ) -> None:
        self._channel_id = channel_id
        self._chain = chain
        self._state = ReplayedState(state_database)
        self._stage_a = StageA(self._state)
        self._settling = Settling(self._state)
        self._bundle: ChannelBundle | None = None
        self._has_state = False
        self._announced = Knowledge.FULL

    def begin(self, snapshot: StoredSnapshot) -> None:
        """Take a snapshot on trust, as a peer that joins from it does.

        SnapshotDamaged, and ConfigError when its configuration cannot be used; a snapshot of
        another channel is SnapshotDamaged too.
        """
        if snapshot.channel_id != self._channel_id:
            raise SnapshotDamaged(
                str(snapshot.folder), f"of channel {snapshot.channel_id}, not {self._channel_id}"
            )
        config = snapshot.config().config
        self._bundle = ChannelBundle(self._channel_id, config, allow_old_application=True)
        self._state.begin(snapshot)
        self._settling.begin(snapshot.last.commit_hash)
        self._chain = Chain(snapshot.last.number, snapshot.last.block_hash, started=True)
        self._has_state = True

    def examine(self, found: FoundBlock) -> tuple[BlockVerdict, Notes]:
        """Judge the next block, whatever it is."""
        notes = Notes(found.number)
        try:
            return self._examine(found, notes), notes
        except Exception as error:
            # Nothing should come here; but a fault of ours is no reason to hide other blocks.
            logger.exception("block %s of %s", found.number, found.source)
            notes.differ("fault", f"of this program: {type(error).__name__}: {error}")
            self._skip(found.number, notes)
            return BlockVerdict(found.number, found.source), notes

    def _examine(self, found: FoundBlock, notes: Notes) -> BlockVerdict:
        block, fault = found.read
        if fault:
            notes.differ("block", fault)
        if block is None:
            self._skip(found.number, notes)
            return BlockVerdict(found.number, found.source)
        recorded = read_recorded(block)
        for problem in recorded.faults:
            notes.differ("metadata", problem)
        self._check_channel(block, notes)
        is_next = block.header.number > self._chain.number
        chain_ok = self._check_chain(block.header, notes)
        data_hash_ok = _check_data(block, notes)
        signatures_ok = self._check_signatures(block, notes)
        settlement, judgement = unsettled(block), None
        if is_next:
            settlement, judgement = self._commit(block, recorded, notes)
            self._chain.advance(block.header)
        return BlockVerdict(
            number=block.header.number,
            source=found.source,
            header_hash=blocks.header_hash(block.header),
            data_hash_ok=data_hash_ok,
            chain_ok=chain_ok,
            orderer_signatures_ok=signatures_ok,
            commit_hash=settlement.commit_hash,
            recorded_commit_hash=recorded.commit_hash,
            transactions=compare(settlement, judgement.halts if judgement else {}, recorded, notes),
        )

    def _commit(
        self, block: common_pb2.Block, recorded: Recorded, notes: Notes
    ) -> tuple[Settlement, Judgement]:
        """Judge the transactions and go on to the state they leave."""
        number = block.header.number
        judgement = self._judge(block, notes)
        knowledge = self._knowledge
        settlement = self._settling.settle(number, judgement, recorded, knowledge)
        self._bundle = judgement.bundle
        if knowledge is Knowledge.OLD_APPLICATION and not settlement.complete:
            self._has_state = False
        return settlement, judgement

    def _judge(self, block: common_pb2.Block, notes: Notes) -> Judgement:
        if block.header.number == 0:
            try:
                judgement = judge_genesis(block)
            except GridloomError as error:
                notes.differ("block", f"no channel can begin with it: {error}")
            else:
                self._bundle, self._has_state = judgement.bundle, True
                return judgement
        knowledge = self._knowledge
        if knowledge is not self._announced:
            notes.remark(knowledge.limits)
            self._announced = knowledge
        if self._bundle is None:
            return judge_form(block)
        return self._stage_a.judge(block, self._bundle, knowledge)

    @property
    def _knowledge(self) -> Knowledge:
        if self._bundle is None:
            return Knowledge.NO_CONFIGURATION
        if not self._has_state:
            return Knowledge.NO_STATE
        if not self._bundle.capabilities.application.supports("V2_0"):
            return Knowledge.OLD_APPLICATION
        return Knowledge.FULL

    def _check_channel(self, block: common_pb2.Block, notes: Notes) -> None:
        try:
            channel_id = blocks.channel_id(block)
        except GridloomError as error:
            notes.differ("block", f"no channel id: {error}")
            return
        if channel_id != self._channel_id:
            notes.differ("block", f"it is of channel [{channel_id}], not [{self._channel_id}]")

    def _check_chain(self, header: common_pb2.BlockHeader, notes: Notes) -> bool | None:
        missing = self._chain.missing_before(header.number)
        if missing:
            self._lose(missing, notes)
        chain_ok, reason = self._chain.check(header)
        if reason:
            notes.differ("chain", reason)
        return chain_ok

    def _check_signatures(self, block: common_pb2.Block, notes: Notes) -> bool | None:
        if not block.metadata.metadata:
            notes.differ("metadata", "it has none")
        if block.header.number == 0:
            return True
        if self._bundle is None:
            return None
        try:
            verify_signatures(block, self._bundle)
        except PolicyNotSatisfied as error:
            notes.differ("signatures", f"{error} ({error.explanation})")
        except GridloomError as error:
            notes.differ("signatures", str(error))
        else:
            return True
        return False

    def _skip(self, number: int | None, notes: Notes) -> None:
        """Go on behind a block that cannot be read; one without a place is in nobody's way."""
        if number is None or number <= self._chain.number:
            return
        missing = self._chain.missing_before(number)
        self._lose(missing or f"block {number}", notes, is_read=not missing)
        self._chain.skip(number)

    def _lose(self, what: str, notes: Notes, *, is_read: bool = False) -> None:
        """Note blocks whose changes of the state are not known."""
        if not is_read:
            notes.differ("block", f"{what} missing before it")
        self._settling.lose()
        if self._has_state:
            notes.remark("the state lacks what that block did: codes are the best that can be said")


def _check_data(block: common_pb2.Block, notes: Notes) -> bool:
    try:
        blocks.check_data(block)
    except GridloomError as error:
        reason = error.reason if isinstance(error, blocks.BlockError) else str(error)
        notes.differ("data", reason)
        return False
    return True
