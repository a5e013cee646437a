"""Private data between endorsement and commit.

Several endorsements may leave several sets under one transaction id: who commits picks what
matches the hashes.  (Fabric: core/transientstore.)
"""

from __future__ import annotations

from gridloom.common.wire import parse
from gridloom.protos.transientstore.transientstore_pb2 import TxPvtReadWriteSetWithConfigInfo

from .store import LedgerStore, TransientRow


class TransientStore:
    """The transient part of one channel's store; safe to use while a block is committed."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def put(self, tx_id: str, private: TxPvtReadWriteSetWithConfigInfo, height: int) -> None:
        """Keep a private set, durable on return; height: of the ledger when it came."""
        data = private.SerializeToString(deterministic=True)
        self._store.put_transient(tx_id, TransientRow(height, data))

    def get(self, tx_id: str) -> list[TxPvtReadWriteSetWithConfigInfo]:
        """All sets kept under a transaction id, oldest first."""
        rows = self._store.transient([tx_id]).get(tx_id, [])
        return [
            parse(TxPvtReadWriteSetWithConfigInfo, row.sets, f"private set of {tx_id}")
            for row in rows
        ]

    def purge(self, below_height: int) -> None:
        """Forget what was kept when the ledger was lower than this."""
        self._store.purge_transient(below_height)
