"""One channel on a peer: blocks come in from the orderers, are judged and committed.

A block's way: deliver client -> accepted (``common.block_acceptance``) -> stage A ->
ledger (stage B and storage) -> whoever waits.  A short block is judged and written on the event
loop, and one worker thread for each channel waits for the disk; all of a long one is done there
(docs/decisions/0023).
(Fabric: core/peer/channel.go, gossip/state, core/committer)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from typing import TypeVar

from gridloom.common.block_acceptance import accept_block
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError
from gridloom.common.deliver_client import DeliverClient
from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2, configtx_pb2
from gridloom.protos.peer import chaincode_event_pb2

from .chaincodes.lifecycle.committed import CommittedDefinitions
from .chaincodes.lifecycle.definitions import ChaincodeDefinition, ChaincodeDefinitions
from .commit_notifier import CommitNotifier
from .ledger.cached_snapshot import CachedSnapshot
from .ledger.committing import CommittedBlock, Committing, see_through
from .ledger.ledger import Ledger
from .ledger.private_record import PrivateBlockData
from .private_data.channel import ChannelPrivateData, PrivateDataNetwork
from .private_data.coordinator import Gathered
from .validation.block_transaction import BlockTransaction
from .validation.block_validator import BlockValidator, IdentityJudge, ValidatedBlock
from .validation.message_validation import read_committed
from .validation.mvcc import CONFIG_KEY, CONFIG_NAMESPACE

logger = logging.getLogger(__name__)

R = TypeVar("R")

LONGEST_ON_LOOP = 128
"""Transactions of a block that is judged and written on the event loop.

Two threads that want to run Python hinder each other more than so many take: 111 were measured
at 15 ms on average.
"""


class ChannelStopped(GridloomError):
    """A channel can commit no further block: its id, the block's number, the reason."""

    def __init__(self, channel_id: str, number: int, reason: str) -> None:
        super().__init__(f"channel {channel_id} has stopped at block {number}: {reason}")
        self.channel_id = channel_id
        self.number = number
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Judged:
    """A block past stage A.

    gathered: its private data, None without any; state: what it was judged against, closed if
    private data have to be asked for first.
    """

    block: common_pb2.Block
    validated: ValidatedBlock
    gathered: Gathered | None
    state: CachedSnapshot

    @property
    def is_complete(self) -> bool:
        """Whether all that is to be stored is at hand."""
        return self.gathered is None or not self.gathered.needs

    @property
    def private(self) -> PrivateBlockData:
        """The private data at hand."""
        return PrivateBlockData() if self.gathered is None else self.gathered.without_asking()


class PeerChannel:
    """A joined channel.

    identities: the MSPs of any channel by id, None for one this peer does not know; network:
    how private data come and go, None for a peer that is in no collection.
    Use it on one event loop; ``commit`` may also be called without a deliver client.
    """

    def __init__(
        self,
        bundle: ChannelBundle,
        ledger: Ledger,
        identities: Callable[[str], IdentityJudge | None],
        network: PrivateDataNetwork | None = None,
    ) -> None:
        self.ledger = ledger
        self.definitions = ChaincodeDefinitions(
            lambda: self._bundle.application.orgs, network.signer.msp_id if network else ""
        )
        self.private_data: ChannelPrivateData | None = None
        if network is not None:
            self.private_data = ChannelPrivateData(
                ledger.channel_id, ledger, self.definitions, lambda: self._bundle, network
            )
        ledger.collections = self.definitions
        self.failure: ChannelStopped | None = None
        self.errored = asyncio.Event()
        self._bundle = bundle
        self._committed = CommittedDefinitions(self.definitions, ledger)
        self._validator = BlockValidator(identities, self._committed)
        self._notifier = CommitNotifier(ledger)
        self._latest: CommittedBlock | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._pulling: asyncio.Task[None] | None = None

    @property
    def channel_id(self) -> str:
        """The channel's name."""
        return self._bundle.channel_id

    @property
    def bundle(self) -> ChannelBundle:
        """The configuration in force."""
        return self._bundle

    @property
    def first(self) -> int:
        """Number of the oldest block there is or will be here."""
        return self.ledger.first

    @property
    def height(self) -> int:
        """Number of committed blocks."""
        return self.ledger.height

    def get_block(self, number: int) -> common_pb2.Block:
        """A committed block, read only; NotInIndex."""
        return self.ledger.block(number)

    async def wait_for(self, height: int) -> None:
        """Return once there are so many blocks."""
        await self.ledger.wait_for_height(height)

    async def wait_for_transaction(self, tx_id: str) -> tuple[int, int]:
        """Return (TxValidationCode, block number) once committed; ChannelStopped if never."""
        return await self._notifier.wait_for(tx_id)

    def block_number_of(self, tx_id: str) -> int | None:
        """The block a transaction is in, None if it is in none."""
        status = self.ledger.tx_status(tx_id)
        return None if status is None else status[1]

    async def committed_blocks(self, start: int) -> AsyncGenerator[common_pb2.Block, None]:
        """The blocks from number ``start`` on, without end; close it to stop."""
        number = start
        while True:
            await self.ledger.wait_for_height(number + 1)
            yield self.ledger.block(number)
            number += 1

    def transactions_of(self, block: common_pb2.Block) -> Sequence[BlockTransaction]:
        """The transactions of a committed block with their final codes; read only."""
        latest = self._latest
        if latest is not None and latest.number == block.header.number:
            return latest.transactions
        return read_committed(block)

    def events_of(self, block: common_pb2.Block) -> list[chaincode_event_pb2.ChaincodeEvent]:
        """The events of a committed block's valid transactions, in order."""
        return [
            transaction.event
            for transaction in self.transactions_of(block)
            if transaction.valid and transaction.event is not None and transaction.event.event_name
        ]

    def definition(self, name: str) -> ChaincodeDefinition | None:
        """The committed definition of a chaincode, None without one."""
        return self._committed.definition(name)

    def verify(self, block: common_pb2.Block) -> None:
        """BlockError unless the block is the channel's next one, signed by its orderers."""
        accept_block(block, self.height, self.ledger.last_hash, self._bundle)

    async def commit(self, block: common_pb2.Block) -> CommittedBlock:
        """Judge and store the next block, which ``verify`` has accepted.

        ChannelStopped if that is not possible; then the channel stays as it is for good.
        """
        if self.failure is not None:
            raise self.failure
        try:
            if len(block.data.data) > LONGEST_ON_LOOP or self.ledger.is_remote:
                return await self._commit_in_worker(block)
            return await self._commit_on_loop(block)
        except Exception as error:
            raise self._fail(block.header.number, error) from error

    def start(self, client: DeliverClient) -> None:
        """Pull and commit blocks from now on, until ``stop``."""
        if self._pulling is None:
            self._pulling = asyncio.create_task(self._pull(client), name=f"pull {self.channel_id}")
        if self.private_data is not None:
            self.private_data.start()

    async def stop(self) -> None:
        """Finish the block that is being committed and pull no more; may be called again."""
        if self.private_data is not None:
            await self.private_data.stop()
        pulling, self._pulling = self._pulling, None
        if pulling is not None:
            pulling.cancel()
            await asyncio.wait([pulling])
        worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.to_thread(worker.shutdown)

    async def _pull(self, client: DeliverClient) -> None:
        try:
            async with aclosing(client.blocks(self.height)) as received:
                async for block in received:
                    await self.commit(block)
        except ChannelStopped:
            return  # said in the log, and to everyone who waits
        except Exception as error:
            self._fail(self.height, error)

    async def _in_worker(self, work: Callable[[], R]) -> R:
        if self._worker is None:
            name = f"commit {self.channel_id}"
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        # Whoever stops waiting for it does not stop it: stop() sees a block through.
        running = asyncio.get_running_loop().run_in_executor(self._worker, work)
        return await asyncio.shield(running)

    async def _commit_on_loop(self, block: common_pb2.Block) -> CommittedBlock:
        """Do all but the waiting here."""
        judged = self._judge(block)
        if not judged.is_complete:
            return await self._commit_completed(judged)
        committing = self._committing(judged, judged.private, judged.state)
        next(committing)
        return await self._in_worker(lambda: see_through(committing))

    async def _commit_in_worker(self, block: common_pb2.Block) -> CommittedBlock:
        def commit() -> CommittedBlock | _Judged:
            judged = self._judge(block)
            if not judged.is_complete:
                return judged
            return see_through(self._committing(judged, judged.private, judged.state))

        outcome = await self._in_worker(commit)
        if isinstance(outcome, CommittedBlock):
            return outcome
        return await self._commit_completed(outcome)

    async def _commit_completed(self, judged: _Judged) -> CommittedBlock:
        """Ask for the private data that lack, then store."""
        assert self.private_data is not None
        assert judged.gathered is not None
        private = await self.private_data.complete(judged.gathered)
        return await self._in_worker(lambda: see_through(self._committing(judged, private, None)))

    def _judge(self, block: common_pb2.Block) -> _Judged:
        """Stage A, and a look for the private data at hand."""
        state = self.ledger.state_before_commit()
        with ExitStack() as closing_state:
            closing_state.callback(state.close)
            validated = self._validator.validate(
                block, self._bundle, state, self.ledger.known_transactions
            )
            gathered = None
            if self.private_data is not None:
                gathered = self.private_data.gather(block.header.number, validated.transactions)
            judged = _Judged(block, validated, gathered, state)
            if judged.is_complete:
                closing_state.pop_all()
        return judged

    def _committing(
        self, judged: _Judged, private: PrivateBlockData, state: CachedSnapshot | None
    ) -> Committing:
        """Stage B and storage; state: what stage A has read already, where it is still open."""
        # The new configuration is there before anyone can hear of the block that brings it.
        self._bundle = judged.validated.bundle
        transactions = judged.validated.transactions
        committed = yield from self.ledger.committing(judged.block, transactions, private, state)
        self._latest = committed
        if self.private_data is not None:
            self.private_data.forget(committed.number)
        return committed

    def _fail(self, number: int, error: Exception) -> ChannelStopped:
        failure = ChannelStopped(self.channel_id, number, str(error) or type(error).__name__)
        logger.critical("%s", failure, exc_info=error)
        self.failure = failure
        self.errored.set()
        self._notifier.fail(failure)
        return failure


def stored_bundle(ledger: Ledger) -> ChannelBundle:
    """The configuration in force, as the ledger's state has it."""
    state = ledger.snapshot()
    try:
        entry = state.get(CONFIG_NAMESPACE, CONFIG_KEY)
    finally:
        state.close()
    if entry is None:
        raise ConfigError(f"the ledger of channel {ledger.channel_id} holds no configuration")
    config = parse(configtx_pb2.ConfigEnvelope, entry.value, "stored channel configuration").config
    return ChannelBundle(ledger.channel_id, config)
