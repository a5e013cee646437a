"""What a snapshot says of private data: only hashes, so all cleartext behind them is missing.

What this peer may hold it asks other members for, as for anything that was missing when its
block was committed.  (Fabric: pvtdatastorage/snapshot_data_importer.go,
pvtstatepurgemgmt/snapshot_purge_mgr_builder.go.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from gridloom.protos.peer.collection_pb2 import StaticCollectionConfig

from ...chaincodes.lifecycle.collections import (
    implicit_collection_org,
    implicit_config,
    static_collections,
)
from ..expiry import expires_at
from ..state_db import hashed_collection
from ..store import BaseHash, CollectionsRow, KeyExpiry, MissingRow, PrivatePart
from .state_files import StateEntry

MayHold = Callable[[StaticCollectionConfig], bool]
"""Whether this peer is a member of a collection by these rules."""

_Place = tuple[str, str]  # namespace, collection


def private_part(
    collections: Iterable[CollectionsRow], hashes: Iterable[StateEntry], may_hold: MayHold
) -> PrivatePart:
    """What a ledger begins with besides the state: definitions, expiries, what is missing.

    hashes: the private part of the snapshot's state.
    """
    rows = sorted(collections)
    rules = _Rules(rows, may_hold)
    expiries: list[KeyExpiry] = []
    missing: dict[tuple[int, int, str, str], MissingRow] = {}
    for namespace, key_hash, entry in hashes:
        place, version = _place(namespace), entry.version
        at = expires_at(version.block, rules.block_to_live(place))
        if at is not None:
            expiries.append(KeyExpiry(at, *place, key_hash, version.block))
        if (*version, *place) not in missing:
            wanted = rules.wanted(place, version.block)
            missing[*version, *place] = MissingRow(*version, *place, wanted, at)
    return PrivatePart(missing=list(missing.values()), key_expiries=expiries, collections=rows)


def base_hashes(hashes: Iterable[StateEntry]) -> Iterator[BaseHash]:
    """By what late private data will be judged; nothing can hash to other than 32 bytes."""
    for namespace, key_hash, entry in hashes:
        if len(key_hash) == sha256().digest_size:
            yield BaseHash(*entry.version, *_place(namespace), key_hash, entry.value)


class _Rules:
    """The rules of each collection, as they were defined one after the other."""

    def __init__(self, rows: Iterable[CollectionsRow], may_hold: MayHold) -> None:
        self._history: dict[_Place, list[tuple[int, StaticCollectionConfig]]] = {}
        self._may_hold = may_hold
        for row in rows:
            for name, config in static_collections(row.package).items():
                self._history.setdefault((row.namespace, name), []).append((row.block, config))

    def block_to_live(self, place: _Place) -> int:
        """By the newest rules; 0 is for ever."""
        history = self._history.get(place)
        return history[-1][1].block_to_live if history else 0

    def wanted(self, place: _Place, block: int) -> bool:
        """Whether this peer may hold what a block wrote: by the rules then, or any since."""
        msp_id = implicit_collection_org(place[1])
        if msp_id is not None:
            return self._may_hold(implicit_config(msp_id))
        for defined, config in reversed(self._history.get(place, ())):
            if self._may_hold(config):
                return True
            if defined < block:
                break
        return False


def _place(namespace: str) -> _Place:
    place = hashed_collection(namespace)
    assert place is not None, namespace
    return place
