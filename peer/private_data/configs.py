"""The rules of collections at the moment that counts.

At endorsement those the simulation saw; at commit those before the block; for what was
committed those before its block and those of now.
(Fabric: core/endorser/pvtrwset_assembler.go, kv_ledger.go ``MostRecentCollectionConfigBelow``)
"""

from __future__ import annotations

from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from gridloom.protos.peer.collection_pb2 import StaticCollectionConfig

from ..chaincodes.lifecycle.collections import (
    implicit_collection_org,
    implicit_config,
    static_collections,
)
from ..chaincodes.lifecycle.definitions import ChaincodeDefinitions, StateQuery
from ..ledger.errors import UndefinedCollection
from ..ledger.ledger import Ledger
from .distribution import PrivateWrites


class CollectionConfigs:
    """Rules of one channel's collections.

    msp_id: of this peer; own_required, own_maximum: how many peers of the organisation get
    what this peer writes to the organisation's implicit collection.
    """

    def __init__(
        self,
        ledger: Ledger,
        definitions: ChaincodeDefinitions,
        msp_id: str,
        own_required: int = 0,
        own_maximum: int = 1,
    ) -> None:
        self._ledger = ledger
        self._definitions = definitions
        self._own = implicit_config(msp_id, own_required, own_maximum)

    def writes(self, private: TxPvtReadWriteSet, simulator: StateQuery) -> list[PrivateWrites]:
        """The private writes of a simulation, each with the rules it saw."""
        return [
            PrivateWrites(
                ns.namespace,
                written.collection_name,
                written.rwset,
                self._at(ns.namespace, written.collection_name, simulator),
            )
            for ns in private.ns_pvt_rwset
            for written in ns.collection_pvt_rwset
        ]

    def now(self, namespace: str, collection: str) -> StaticCollectionConfig | None:
        """The rules as committed; None for an unknown collection."""
        query = self._ledger.query_executor()
        try:
            return self._definitions.collection(namespace, collection, query)
        finally:
            query.done()

    def before(self, namespace: str, collection: str, block: int) -> StaticCollectionConfig | None:
        """The rules in force for a block's transactions; None for an unknown collection."""
        msp_id = implicit_collection_org(collection)
        if msp_id is not None:
            return implicit_config(msp_id)
        row = self._ledger.collections_below(namespace, block)
        return static_collections(row.package).get(collection) if row is not None else None

    def _at(self, namespace: str, collection: str, simulator: StateQuery) -> StaticCollectionConfig:
        if collection == self._own.name:
            return self._own
        config = self._definitions.collection(namespace, collection, simulator)
        if config is None:
            raise UndefinedCollection(namespace, collection)
        return config
