"""Answering peers that ask for private data, or send some.

Whoever asks has to be a member of the collection: by the rules the data were endorsed or
committed under, or, for committed data, by those of now.  Whoever sends has to be a reader
of the channel, and this peer a member of the collection.
(Fabric: gossip/privdata/{pull,dataretriever}.go, gossip/state ``privateDataMessage``)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.policies.policy import SignedData
from gridloom.protos.gossip.message_pb2 import PrivatePayload, PvtDataElement
from gridloom.protos.ledger.rwset.rwset_pb2 import (
    CollectionPvtReadWriteSet,
    NsPvtReadWriteSet,
    TxPvtReadWriteSet,
)
from gridloom.protos.peer.collection_pb2 import CollectionConfigPackage, StaticCollectionConfig
from gridloom.protos.transientstore.transientstore_pb2 import TxPvtReadWriteSetWithConfigInfo

from ..acl import READERS
from ..ledger.ledger import Ledger
from .configs import CollectionConfigs
from .digests import Digest
from .membership import Membership, is_own

logger = logging.getLogger(__name__)


class PushRefused(GridloomError):
    """Private data that this peer will not take: why."""


class Bundle(Protocol):
    """The channel's configuration in force."""

    def __call__(self) -> ChannelBundle: ...


class Responder:
    """Answers for one channel; msp_id, identity: this peer's own."""

    def __init__(
        self,
        ledger: Ledger,
        bundle: Bundle,
        membership: Membership,
        configs: CollectionConfigs,
        *,
        msp_id: str,
        identity: bytes,
    ) -> None:
        self._ledger = ledger
        self._bundle = bundle
        self._membership = membership
        self._configs = configs
        self._msp_id = msp_id
        self._identity = identity

    async def take(self, payload: PrivatePayload, sender: SignedData) -> None:
        """Keep private data until their transaction is committed; PushRefused."""
        try:
            self._bundle().evaluate(READERS, [sender])
        except GridloomError as error:
            raise PushRefused("the sender may not read the channel") from error
        if not payload.private_rwset or not payload.tx_id:
            raise PushRefused("the message holds no private data")
        sent = _config(payload.collection_configs, payload.collection_name)
        if sent is None or not self._is_member(sent):
            raise PushRefused(
                f"this peer is no member of collection {payload.namespace}/"
                f"{payload.collection_name}"
            )
        written = CollectionPvtReadWriteSet(
            collection_name=payload.collection_name, rwset=payload.private_rwset
        )
        namespace = NsPvtReadWriteSet(namespace=payload.namespace, collection_pvt_rwset=[written])
        private = TxPvtReadWriteSetWithConfigInfo(
            endorsed_at=payload.private_sim_height,
            pvt_rwset=TxPvtReadWriteSet(ns_pvt_rwset=[namespace]),
            collection_configs={payload.namespace: payload.collection_configs},
        )
        height = min(payload.private_sim_height, self._ledger.height)
        await asyncio.to_thread(self._ledger.transient.put, payload.tx_id, private, height)

    async def give(self, digests: Sequence[Digest], asker: SignedData) -> list[PvtDataElement]:
        """What of these this peer has and the asker may have."""
        return await asyncio.to_thread(lambda: list(self._elements(digests, asker)))

    def _elements(self, digests: Iterable[Digest], asker: SignedData) -> Iterator[PvtDataElement]:
        height = self._ledger.height
        in_order = sorted(digests, key=lambda digest: digest.block)
        for block, group in groupby(in_order, key=lambda digest: digest.block):
            found = self._committed if block < height else self._kept
            for digest, sets in found(block, group, asker):
                if sets:
                    yield PvtDataElement(digest=digest.message(), payload=sets)

    def _committed(
        self, block: int, digests: Iterable[Digest], asker: SignedData
    ) -> Iterator[tuple[Digest, list[bytes]]]:
        sets = {row[:3]: row.rwset for row in self._ledger.private_rows(block)}
        for digest in digests:
            rwset = sets.get((digest.tx, digest.namespace, digest.collection))
            if rwset is not None and self._may_have_committed(digest, asker):
                yield digest, [rwset]

    def _may_have_committed(self, digest: Digest, asker: SignedData) -> bool:
        place = digest.namespace, digest.collection
        configs = (self._configs.now(*place), self._configs.before(*place, digest.block))
        return any(
            config is not None and self._membership.has_signed(config, asker) for config in configs
        )

    def _kept(
        self, _: int, digests: Iterable[Digest], asker: SignedData
    ) -> Iterator[tuple[Digest, list[bytes]]]:
        """What the transient store has: each set by the rules that came with it."""
        for digest in digests:
            kept = self._ledger.transient.get(digest.tx_id) if digest.tx_id else ()
            yield digest, [rwset for each in kept for rwset in self._sets(each, digest, asker)]

    def _sets(
        self, kept: TxPvtReadWriteSetWithConfigInfo, digest: Digest, asker: SignedData
    ) -> Iterator[bytes]:
        package = kept.collection_configs.get(digest.namespace)
        config = _config(package, digest.collection) if package is not None else None
        if config is not None and self._membership.has_signed(config, asker):
            for ns in kept.pvt_rwset.ns_pvt_rwset:
                for written in ns.collection_pvt_rwset:
                    if (ns.namespace, written.collection_name) == digest[1:3]:
                        yield written.rwset

    def _is_member(self, config: StaticCollectionConfig) -> bool:
        return is_own(config, self._msp_id, self._membership, self._identity)


def _config(package: CollectionConfigPackage, collection: str) -> StaticCollectionConfig | None:
    for each in package.config:
        if each.static_collection_config.name == collection:
            return each.static_collection_config
    return None
