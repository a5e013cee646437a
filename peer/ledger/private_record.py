"""The private part of a block's record, made from what the peer has and what the block does.

(Fabric: pvtdatastorage/helper.go, txmgr ``Commit``, confighistory/mgr.go, coll_elg_notifier.go.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from .cached_snapshot import CachedSnapshot
from .collection_catalog import CollectionCatalog
from .expiry import expire, expires_at, schedule
from .private_data import add_private_updates, key_rows
from .store import CollectionsRow, LedgerStore, MissingRow, PrivatePart, PrivateRow
from .update_batch import StateAfter, UpdateBatch


@dataclass(frozen=True, slots=True)
class PrivateBlockData:
    """Cleartext that a block is committed with, and what there ought to be besides.

    When it expires is filled in at commit.
    """

    rows: Sequence[PrivateRow] = field(default=(), repr=False)
    missing: Sequence[MissingRow] = ()


def private_part(
    number: int,
    data: PrivateBlockData,
    codes: Sequence[int],
    batch: UpdateBatch,
    *,
    snapshot: CachedSnapshot,
    catalog: CollectionCatalog | None,
    store: LedgerStore,
) -> PrivatePart:
    """Add cleartext to the batch, take out what expires, and return what else to store.

    The batch holds the public and hashed writes of block ``number``; its commit hash has been
    taken, because what expires does not count in it.  snapshot: the state before the block;
    catalog: None treats every collection as living for ever.
    """

    changed = (
        catalog.redefinitions(batch.public, snapshot, StateAfter(batch, snapshot))
        if catalog
        else ()
    )
    due = store.expiring(number)
    if not (data.rows or data.missing or batch.hashed or batch.purged or changed or due):
        return PrivatePart()

    @cache
    def block_to_live(namespace: str, collection: str) -> int:
        return catalog.block_to_live(namespace, collection, snapshot) if catalog else 0

    def expires(namespace: str, collection: str) -> int | None:
        return expires_at(number, block_to_live(namespace, collection))

    add_private_updates(number, data.rows, codes, batch, snapshot, find_key=store.private_key)
    rows = [row._replace(expires_at=expires(*row[1:3])) for row in data.rows]
    part = PrivatePart(
        rows=rows,
        keys=key_rows(number, rows, batch, expires),
        missing=[row._replace(expires_at=expires(*row[2:4])) for row in data.missing],
        key_expiries=schedule(number, batch, block_to_live),
        collections=[
            CollectionsRow(each.namespace, number, each.collections)
            for each in changed
            if each.collections
        ],
        opened=[(each.namespace, opened) for each in changed for opened in each.opened],
    )
    expire(due, batch, snapshot, store.private_key)
    return part
