"""Block-to-live: when private data go, and taking them out of the state when they do.

What a collection with BlockToLive n holds from block b goes with the commit of block
b + n + 1: the cleartext and, on every peer, the hash.  Writing a key again gives it a new
life; 0 means for ever.
(Fabric: core/ledger/pvtdatapolicy/btlpolicy.go, txmgmt/pvtstatepurgemgmt.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .private_data import FindKey
from .state_db import (
    StateSnapshot,
    Version,
    VersionedValue,
    hashed_namespace,
    private_namespace,
)
from .store import KeyExpiry
from .update_batch import UpdateBatch

BlockToLive = Callable[[str, str], int]
"""BlockToLive of a collection, by namespace and name."""

LAST_BLOCK = 2**63 - 1
"""What goes later than this number never goes."""

_AFTER_ALL_TRANSACTIONS = 2**31 - 1


def expires_at(block: int, block_to_live: int) -> int | None:
    """The block whose commit removes what ``block`` wrote; None for none."""
    at = block + block_to_live + 1
    return at if block_to_live and at <= LAST_BLOCK else None


def schedule(block: int, batch: UpdateBatch, block_to_live: BlockToLive) -> list[KeyExpiry]:
    """When the private keys that a block writes will go."""
    entries = []
    for (namespace, collection), updates in batch.hashed.items():
        at = expires_at(block, block_to_live(namespace, collection))
        if at is not None:
            entries += [
                KeyExpiry(at, namespace, collection, key_hash, block)
                for key_hash, entry in updates.items()
                if not entry.is_delete
            ]
    return entries


def expire(
    due: Iterable[KeyExpiry], batch: UpdateBatch, snapshot: StateSnapshot, find_key: FindKey
) -> None:
    """Delete in the batch what goes with its block, unless the block itself writes it again.

    snapshot: the state before the block.
    """
    for entry in due:
        namespace, collection, key_hash = entry[1:4]
        deletion = VersionedValue(b"", Version(entry.expires_at, _AFTER_ALL_TRANSACTIONS))
        hashed = snapshot.get(hashed_namespace(namespace, collection), key_hash)
        whole = hashed is not None and hashed.version.block == entry.block
        if whole and batch.pending(namespace, collection, key_hash) is None:
            batch.put(namespace, collection, key_hash, deletion)
        key = find_key(namespace, collection, key_hash)
        if key is None or key in batch.private.get((namespace, collection), ()):
            continue
        clear = snapshot.get(private_namespace(namespace, collection), key)
        if clear is not None and (whole or clear.version.block == entry.block):
            batch.private.setdefault((namespace, collection), {})[key] = deletion
