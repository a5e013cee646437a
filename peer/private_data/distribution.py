"""Giving private writes to other members before an endorsement is signed.

One peer of each member organisation first, then others, up to the collection's maximum; the
first ones count as required, and each of those has to acknowledge.
(Fabric: gossip/privdata/distributor.go)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple, Protocol

from gridloom.common.errors import GridloomError
from gridloom.protos.gossip.message_pb2 import GossipMessage, PrivateDataMessage, PrivatePayload
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    StaticCollectionConfig,
)

from ..discovery.peers import PeerInfo
from ..gossip.communication import UNREACHABLE, Communication
from .membership import Membership

logger = logging.getLogger(__name__)


class PrivateWrites(NamedTuple):
    """One transaction's writes to one collection: a serialized KVRWSet."""

    namespace: str
    collection: str
    rwset: bytes
    config: StaticCollectionConfig


class DistributionFailed(GridloomError):
    """Too few members have the private data: nothing may be endorsed on them."""


class Recipient(NamedTuple):
    """A peer to send to, and whether the endorsement depends on it."""

    peer: PeerInfo
    required: bool


class Members(Protocol):
    """The other peers of the channel."""

    def __call__(self) -> Sequence[PeerInfo]: ...


def choose_recipients(
    eligible: Sequence[PeerInfo], required: int, maximum: int, random: Random
) -> list[Recipient]:
    """At most ``maximum`` of the eligible peers, each organisation once before any twice."""
    by_organization: dict[str, list[PeerInfo]] = {}
    for peer in eligible:
        by_organization.setdefault(peer.msp_id, []).append(peer)
    groups = [random.sample(peers, len(peers)) for peers in by_organization.values()]
    random.shuffle(groups)
    others = [peer for peers in groups for peer in peers[1:]]
    random.shuffle(others)
    chosen = [peers[0] for peers in groups] + others
    return [Recipient(peer, index < required) for index, peer in enumerate(chosen[:maximum])]


class Distributor:
    """Sends private writes on one channel.

    others: the other peers of the channel; random, random_bytes: choose peers and nonces;
    ack_timeout: seconds for each acknowledgement (Fabric: pushAckTimeout).
    """

    def __init__(
        self,
        channel_id: str,
        communication: Communication,
        membership: Membership,
        others: Members,
        *,
        random: Random,
        random_bytes: Callable[[int], bytes],
        ack_timeout: float,
    ) -> None:
        self._channel_id = channel_id
        self._communication = communication
        self._membership = membership
        self._others = others
        self._random = random
        self._random_bytes = random_bytes
        self._ack_timeout = ack_timeout

    async def distribute(self, tx_id: str, writes: Sequence[PrivateWrites], height: int) -> None:
        """Send the writes to members; DistributionFailed if too few have them afterwards.

        height: of the ledger at simulation.
        """
        try:
            plan = [(each, self._recipients(each)) for each in writes]
            sent = await asyncio.gather(
                *(
                    self._send(tx_id, each, height, recipient)
                    for each, recipients in plan
                    for recipient in recipients
                )
            )
            failures = sent.count(False)
            if failures:
                raise DistributionFailed(
                    f"Failed disseminating {failures} out of {len(sent)} private "
                    "dissemination plans"
                )
        except DistributionFailed as error:
            raise DistributionFailed(
                f"failed to distribute private collection, txID {tx_id}, "
                f"channel {self._channel_id}: {error}"
            ) from error

    def _recipients(self, writes: PrivateWrites) -> list[Recipient]:
        config = writes.config
        eligible = [p for p in self._others() if self._membership.admits(config, p.identity)]
        if len(eligible) < config.required_peer_count:
            raise DistributionFailed(
                f"could not build private data dissemination plan for chaincode "
                f"{writes.namespace} and collection {writes.collection}: required to "
                f"disseminate to at least {config.required_peer_count} peers, but know of only "
                f"{len(eligible)} eligible peers"
            )
        return choose_recipients(
            eligible, config.required_peer_count, config.maximum_peer_count, self._random
        )

    async def _send(
        self, tx_id: str, writes: PrivateWrites, height: int, recipient: Recipient
    ) -> bool:
        """Whether the endorsement may go on after sending to this peer."""
        try:
            connection = await self._communication.connect(recipient.peer)
            if not self._membership.has_signed(writes.config, connection.remote.claim):
                raise DistributionFailed("it is no member of the collection")
            message = self._message(tx_id, writes, height)
            answer = await connection.request(message, self._ack_timeout)
            if answer.ack.error:
                raise DistributionFailed(answer.ack.error)
        except UNREACHABLE as error:
            logger.warning(
                "private data of transaction %s, chaincode %s, collection %s: %s did not take "
                "them: %s",
                tx_id,
                writes.namespace,
                writes.collection,
                recipient.peer.endpoint,
                str(error) or type(error).__name__,
            )
            return not recipient.required
        return True

    def _message(self, tx_id: str, writes: PrivateWrites, height: int) -> GossipMessage:
        package = CollectionConfigPackage(
            config=[CollectionConfig(static_collection_config=writes.config)]
        )
        payload = PrivatePayload(
            namespace=writes.namespace,
            collection_name=writes.collection,
            tx_id=tx_id,
            private_rwset=writes.rwset,
            private_sim_height=height,
            collection_configs=package,
        )
        return GossipMessage(
            channel=self._channel_id.encode(),
            nonce=int.from_bytes(self._random_bytes(8), "big"),
            tag=GossipMessage.CHAN_ONLY,
            private_data=PrivateDataMessage(payload=payload),
        )
