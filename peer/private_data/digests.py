"""Names of private data: one transaction's writes to one collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gridloom.protos.gossip.message_pb2 import PvtDataDigest
from gridloom.protos.peer.collection_pb2 import StaticCollectionConfig

from ..discovery.peers import PeerInfo


class Digest(NamedTuple):
    """Which private data.

    tx_id: "" for blocks committed long ago; block, tx: place in the ledger.
    """

    tx_id: str
    namespace: str
    collection: str
    block: int
    tx: int

    def message(self) -> PvtDataDigest:
        """The same as it travels."""
        return PvtDataDigest(
            tx_id=self.tx_id,
            namespace=self.namespace,
            collection=self.collection,
            block_seq=self.block,
            seq_in_block=self.tx,
        )

    @classmethod
    def of(cls, message: PvtDataDigest) -> Digest:
        """Read a message."""
        return cls(
            message.tx_id,
            message.namespace,
            message.collection,
            message.block_seq,
            message.seq_in_block,
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Private data to ask for.

    config: the collection as it is now: only its members are asked; preferred: whom to ask
    first, because he should have it.
    """

    digest: Digest
    config: StaticCollectionConfig
    preferred: Callable[[PeerInfo], bool]
