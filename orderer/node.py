"""The orderer as an object: give it a signer and a storage, join channels, serve.

(Fabric: orderer/common/server/main.go.)
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gridloom.common.deliver import TIME_WINDOW, DeliverHandler
from gridloom.common.envelopes import Clock
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Signer
from gridloom.common.rpc import Call, Channel, ServiceRegistry
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.protos.common import common_pb2
from gridloom.protos.orderer import ab_pb2

from .broadcast import BroadcastHandler
from .chain import Consenter, CuttingMode
from .chain_support import OrdererResources
from .cluster.service import CLUSTER, ClusterReceiver, ClusterService
from .deliver import BlockResponses, authorize_reader
from .etcdraft.metadata import CONSENSUS_TYPE as ETCDRAFT
from .etcdraft.metadata import tls_anchors
from .poca.chain import PocaChain
from .poca.consenter import CONSENSUS_TYPE as POCA
from .poca.consenter import PocaConsenter
from .poca.transport import PocaService
from .registrar import ChannelInfo, Registrar
from .solo.consenter import CONSENSUS_TYPE as SOLO
from .solo.consenter import SoloConsenter
from .storage import OrdererStorage

if TYPE_CHECKING:
    from .etcdraft.consenter import ClusterParts

ATOMIC_BROADCAST = "orderer.AtomicBroadcast"


class WrongMsp(GridloomError):
    """A signer of another organisation than the one the orderer is configured to be of."""

    def __init__(self, msp_id: str, local_msp_id: str) -> None:
        super().__init__(f"the signer is of {msp_id}, the local MSP is {local_msp_id}")
        self.msp_id = msp_id
        self.local_msp_id = local_msp_id


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


class AtomicBroadcast:
    """The service that clients and peers call."""

    def __init__(self, registrar: Registrar, deliver: DeliverHandler) -> None:
        self._broadcast = BroadcastHandler(registrar)
        self._deliver = deliver

    def broadcast(
        self, requests: AsyncIterator[common_pb2.Envelope], call: Call
    ) -> AsyncGenerator[ab_pb2.BroadcastResponse, None]:
        """Order envelopes."""
        return self._broadcast.handle(requests, call)

    def deliver(
        self, requests: AsyncIterator[common_pb2.Envelope], call: Call
    ) -> AsyncGenerator[ab_pb2.DeliverResponse, None]:
        """Give out blocks."""
        return self._deliver.handle(requests, call, BlockResponses(), authorize_reader)


class Orderer:
    """One ordering node.

    signer: signs blocks and CONFIG messages, of the MSP ``local_msp_id``; storage: holds the
    channels, which are opened here; cutting: when chains end a block; cluster: what makes this
    node one of several of raft; consenters: by consensus type, in place of solo, poca and, with a
    cluster, etcdraft; orderers: a way to the orderer at ``host:port``; votes: where poca keeps its
    votes, None for memory; time_window: how far a deliver request's time may be off;
    check_expiration: whether expired client certificates are refused.
    """

    def __init__(
        self,
        signer: Signer,
        local_msp_id: str,
        storage: OrdererStorage,
        now: Clock = utc_now,
        random_bytes: Callable[[int], bytes] = os.urandom,
        *,
        cutting: CuttingMode = CuttingMode.BATCH_TIMEOUT,
        cluster: ClusterParts | None = None,
        consenters: Mapping[str, Consenter] | None = None,
        orderers: Callable[[str], Channel] = UnreachableChannel,
        votes: Path | None = None,
        time_window: timedelta = TIME_WINDOW,
        check_expiration: bool = True,
    ) -> None:
        if signer.msp_id != local_msp_id:
            raise WrongMsp(signer.msp_id, local_msp_id)
        self._disk = ThreadPoolExecutor(1, "orderer-disk")
        self._log_disk = ThreadPoolExecutor(1, "orderer-log")
        own: dict[str, Consenter] = {
            SOLO: SoloConsenter(cutting),
            POCA: PocaConsenter(signer, cutting, orderers=orderers, votes=votes),
        }
        if cluster is not None:
            # Whoever orders alone should not start slower for it.
            from .etcdraft.consenter import EtcdraftConsenter  # noqa: PLC0415

            own[ETCDRAFT] = EtcdraftConsenter(cluster, self._log_disk)
        resources = OrdererResources(
            signer=signer,
            consenters=consenters or own,
            now=now,
            random_bytes=random_bytes,
            disk=self._disk,
            check_expiration=check_expiration,
            puller=None if cluster is None else cluster.puller,
        )
        self.registrar = Registrar(storage, resources)
        self._deliver = DeliverHandler(
            self.registrar.find, now, time_window=time_window, check_expiration=check_expiration
        )

    async def start(self) -> None:
        """Start ordering on all channels; services may be called from now on."""
        self.registrar.start()

    async def stop(self) -> None:
        """Write what has been accepted, then release everything; a stopped orderer is done."""
        await self.registrar.stop()
        self._disk.shutdown()
        self._log_disk.shutdown()

    def join(self, config_block: common_pb2.Block) -> ChannelInfo:
        """Begin a channel with its genesis block (see ``Registrar.join`` for the errors)."""
        return self.registrar.join(config_block)

    def channels(self) -> tuple[ChannelInfo, ...]:
        """The channels of this orderer by name."""
        return self.registrar.channels()

    def services(self) -> ServiceRegistry:
        """What this node serves: AtomicBroadcast, and to other consenters of POCA Cluster."""
        services = ServiceRegistry()
        services.add(ATOMIC_BROADCAST, AtomicBroadcast(self.registrar, self._deliver))
        services.add(CLUSTER, PocaService(self._poca_chain))
        return services

    def cluster_services(self) -> ServiceRegistry:
        """What this node serves to other orderers: ``orderer.Cluster``."""
        services = ServiceRegistry()
        services.add(CLUSTER, ClusterService(self._receiver))
        return services

    def consenter_roots(self) -> bytes:
        """PEM of the CAs that issue the TLS certificates of other orderers, on any channel."""
        roots = {
            root.raw: root.pem()
            for bundle in self.registrar.bundles()
            for root in tls_anchors(bundle.orderer).roots
        }
        return b"".join(roots.values())

    def ready(self, channel_id: str) -> bool:
        """Whether messages for a channel would be ordered now."""
        support = self.registrar.find(channel_id)
        if support is None:
            return False
        return support.chain.ready

    def leads(self, channel_id: str) -> bool:
        """Whether this node is the one that orders a channel's messages."""
        support = self.registrar.find(channel_id)
        return support is not None and support.chain.leads

    def _receiver(self, channel_id: str) -> ClusterReceiver | None:
        support = self.registrar.find(channel_id)
        chain: object = None if support is None else support.chain
        return chain if isinstance(chain, ClusterReceiver) else None

    def _poca_chain(self, channel_id: str) -> PocaChain | None:
        support = self.registrar.find(channel_id)
        chain = None if support is None else support.chain
        return chain if isinstance(chain, PocaChain) else None

    async def cut(self, channel_id: str) -> int | None:
        """End the block under way; returns when all accepted so far is durable.

        The number of the block this made, None if no message was waiting for its block.
        ChannelMissing for an unknown channel, ChainUnavailable when the chain does not run.
        """
        return await self.registrar.get(channel_id).chain.cut()
