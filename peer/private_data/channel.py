"""All that a peer does with the private data of one channel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Signer
from gridloom.protos.gossip.message_pb2 import (
    Acknowledgement,
    GossipMessage,
    RemotePvtDataResponse,
)
from gridloom.protos.ledger.rwset.rwset_pb2 import (
    CollectionPvtReadWriteSet,
    NsPvtReadWriteSet,
    TxPvtReadWriteSet,
)
from gridloom.protos.peer.collection_pb2 import CollectionConfig
from gridloom.protos.transientstore.transientstore_pb2 import TxPvtReadWriteSetWithConfigInfo

from ..chaincodes.lifecycle.definitions import ChaincodeDefinitions, StateQuery
from ..discovery.peers import PeerDirectory, PeerInfo
from ..gossip.communication import Communication
from ..gossip.handshake import RemotePeer
from ..ledger.ledger import Ledger
from ..ledger.private_record import PrivateBlockData
from ..settings import PrivateDataSettings
from ..validation.block_transaction import BlockTransaction
from .configs import CollectionConfigs
from .coordinator import Coordinator, Gathered
from .digests import Digest
from .distribution import Distributor, PrivateWrites
from .membership import Membership, is_own
from .puller import Puller
from .reconciler import Reconciler, ReconcilerOptions
from .responder import PushRefused, Responder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PrivateDataNetwork:
    """What a peer's channels share: who it is, whom it knows, and how it reaches them.

    clock: seconds that only grow; sleep: waits seconds.
    """

    signer: Signer
    peers: PeerDirectory
    communication: Communication
    settings: PrivateDataSettings
    random_bytes: Callable[[int], bytes]
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random)


class ChannelPrivateData:
    """Private data of one channel: given out, gathered, answered for, found again.

    bundle: the channel's configuration in force.
    """

    def __init__(
        self,
        channel_id: str,
        ledger: Ledger,
        definitions: ChaincodeDefinitions,
        bundle: Callable[[], ChannelBundle],
        network: PrivateDataNetwork,
    ) -> None:
        self._channel_id = channel_id
        self._ledger = ledger
        self._network = network
        settings, signer = network.settings, network.signer
        self._membership = Membership(bundle)
        self._configs = CollectionConfigs(
            ledger, definitions, signer.msp_id, settings.own_required, settings.own_maximum
        )
        self._distributor = self._new_distributor()
        puller = self._new_puller()
        self._coordinator = self._new_coordinator(definitions, puller)
        self._responder = Responder(
            ledger,
            bundle,
            self._membership,
            self._configs,
            msp_id=signer.msp_id,
            identity=signer.serialized,
        )
        self._reconciler = self._new_reconciler(puller)
        self._reconciling: asyncio.Task[None] | None = None

    def _new_distributor(self) -> Distributor:
        return Distributor(
            self._channel_id,
            self._network.communication,
            self._membership,
            self._others,
            random=self._network.random,
            random_bytes=self._network.random_bytes,
            ack_timeout=self._network.settings.push_ack_timeout.total_seconds(),
        )

    def _new_puller(self) -> Puller:
        return Puller(
            self._channel_id,
            self._network.communication,
            self._membership,
            self._others,
            random=self._network.random,
            random_bytes=self._network.random_bytes,
            margin=self._network.settings.btl_pull_margin,
        )

    def _new_coordinator(self, definitions: ChaincodeDefinitions, puller: Puller) -> Coordinator:
        settings, signer = self._network.settings, self._network.signer
        return Coordinator(
            self._ledger,
            definitions,
            self._membership,
            puller,
            msp_id=signer.msp_id,
            identity=signer.serialized,
            threshold=settings.pull_retry_threshold.total_seconds(),
            clock=self._network.clock,
            sleep=self._network.sleep,
            skip_invalid=settings.skip_pulling_invalid,
        )

    def _new_reconciler(self, puller: Puller) -> Reconciler:
        settings = self._network.settings
        return Reconciler(
            self._ledger,
            self._configs,
            self._membership,
            puller,
            ReconcilerOptions(
                settings.reconcile_interval.total_seconds(),
                settings.reconcile_batch,
                settings.unavailable_interval.total_seconds(),
            ),
            clock=self._network.clock,
            sleep=self._network.sleep,
        )

    def start(self) -> None:
        """Look for missing private data from now on, if the settings say so."""
        if self._network.settings.reconcile and self._reconciling is None:
            name = f"reconcile {self._channel_id}"
            self._reconciling = asyncio.create_task(self._reconciler.run(), name=name)

    async def stop(self) -> None:
        """Look no more; may be called again."""
        reconciling, self._reconciling = self._reconciling, None
        if reconciling is not None:
            reconciling.cancel()
            with suppress(asyncio.CancelledError):
                await reconciling

    async def reconcile(self) -> int:
        """Look for missing private data once, now; return how many sets came."""
        return await self._reconciler.reconcile()

    def writes(self, private: TxPvtReadWriteSet, simulator: StateQuery) -> list[PrivateWrites]:
        """A simulation's private writes, each with the rules of its collection it saw."""
        return self._configs.writes(private, simulator)

    async def distribute(self, tx_id: str, writes: Sequence[PrivateWrites], height: int) -> None:
        """Give private writes to other members, and keep what is our own, until the commit.

        height: of the ledger.  DistributionFailed if too few members took them: then nothing
        may be endorsed.
        """
        await self._distributor.distribute(tx_id, writes, height)
        signer = self._network.signer
        own = [
            each
            for each in writes
            if is_own(each.config, signer.msp_id, self._membership, signer.serialized)
        ]
        if own:
            sets = _sets(own, height)
            await asyncio.to_thread(self._ledger.transient.put, tx_id, sets, height)

    def gather(self, number: int, transactions: Sequence[BlockTransaction]) -> Gathered:
        """What is at hand of a block's private data; from any thread."""
        return self._coordinator.gather(number, transactions)

    async def complete(self, gathered: Gathered) -> PrivateBlockData:
        """The block's private data, after asking others for what was not at hand."""
        return await self._coordinator.complete(gathered)

    def forget(self, number: int) -> None:
        """Drop from the transient store what was never committed, every so many blocks."""
        retention = self._network.settings.transient_retention
        if number > retention and number % retention == 0:
            self._ledger.transient.purge(number - retention)

    async def answer(
        self, sender: RemotePeer, message: GossipMessage, vouched: bool
    ) -> GossipMessage | None:
        """Answer a gossip message about private data; vouched: the sender made this very one."""
        answer = GossipMessage(
            nonce=message.nonce, channel=message.channel, tag=GossipMessage.CHAN_ONLY
        )
        match message.WhichOneof("content"):
            case "private_data":
                answer.ack.CopyFrom(Acknowledgement())
                try:
                    await self._responder.take(message.private_data.payload, sender.claim)
                except PushRefused as error:
                    answer.ack.error = str(error)
                except GridloomError:
                    logger.exception("private data of %s could not be kept", sender.msp_id)
                    answer.ack.error = "the private data could not be kept"
            case "privateReq":
                answer.privateRes.CopyFrom(RemotePvtDataResponse())
                if vouched:
                    digests = [Digest.of(digest) for digest in message.privateReq.digests]
                    elements = await self._responder.give(digests, sender.claim)
                    answer.privateRes.elements.extend(elements)
                else:
                    logger.warning("a request of %s was not signed", sender.msp_id)
            case _:
                return None
        return answer

    def _others(self) -> Sequence[PeerInfo]:
        own = self._network.signer.serialized
        return [p for p in self._network.peers.peers(self._channel_id) if p.identity != own]


def _sets(writes: Sequence[PrivateWrites], height: int) -> TxPvtReadWriteSetWithConfigInfo:
    """Private writes as the transient store keeps them, with their rules."""
    sets = TxPvtReadWriteSetWithConfigInfo(endorsed_at=height)
    namespaces: dict[str, NsPvtReadWriteSet] = {}
    for each in writes:
        if each.namespace not in namespaces:
            namespaces[each.namespace] = sets.pvt_rwset.ns_pvt_rwset.add(namespace=each.namespace)
        namespaces[each.namespace].collection_pvt_rwset.append(
            CollectionPvtReadWriteSet(collection_name=each.collection, rwset=each.rwset)
        )
        sets.collection_configs[each.namespace].config.append(
            CollectionConfig(static_collection_config=each.config)
        )
    return sets
